/* progress: how far a run has come, made from the archive alone.
 *
 * Owned by the runner: progress_open fills it, progress_close frees it. Everything here can be made again,
 * which is why a run survives the death of the server. */
#ifndef IPCLAB_SERVER_PROGRESS_H
#define IPCLAB_SERVER_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/experiment.h"
#include "db/store.h"

struct app;

/* Per slot, as in store_trial_attempts. */
enum { ATTEMPT_SETTLED = 0x80, ATTEMPT_COUNT = 0x7F };

struct progress {
    int64_t run_id; /* 0 = no run */
    struct experiment experiment;
    struct ipc_case *cases;
    size_t case_count;
    uint8_t *attempts;
    size_t slot_count, settled_count;
    int *order; /* of the round that order_round names */
    uint64_t order_round;
    int64_t begun_ns; /* of this stretch: a resumed run begins a new one */
    size_t begun_settled;
};

/* -EINVAL: the run cannot go on here, and why. */
int progress_open(struct progress *progress, const struct app *app, const struct store_run *run,
                  struct err *err);
void progress_close(struct progress *progress);

/* The case number whose turn the slot is. */
int progress_case_of(struct progress *progress, size_t slot);
/* False when all are settled. */
bool progress_first_missing(const struct progress *progress, size_t *slot);
/* An attempt at the slot was archived; settles: it was the last one. */
void progress_note(struct progress *progress, size_t slot, bool settles);
/* By what the slots of this stretch took; before the first is settled, by what they should take. */
int64_t progress_eta_ms(const struct progress *progress);

#endif
