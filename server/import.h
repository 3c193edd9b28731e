/* import: a bundle (export_bundle.h) on its way into the archive, piece by piece.
 *
 * Cut into parts (import_split.h), each part read and checked (import_read.h), trials archived in portions
 * that nobody sees; the run appears when the last checksum holds, or not at all. So no more of a bundle is in
 * memory than a portion, and the loop is never held up by more than that and its commit. A run whose uid the
 * archive has is checked all the same and changes nothing.
 *
 * Errors: -EINVAL for a damaged bundle, and import_faults names the place; otherwise those of the archive.
 * After an error the rest of the bundle need not be fed. Threads: the loop's. */
#ifndef IPCLAB_SERVER_IMPORT_H
#define IPCLAB_SERVER_IMPORT_H

#include "common/experiment.h"
#include "common/faults.h"
#include "db/store.h"
#include "server/import_split.h"

/* Longer than any bundle: whatever is exported can be imported. */
#define IMPORT_BYTES_MAX (UINT64_C(11) << 30)
_Static_assert(((uint64_t)EXPERIMENT_SLOTS_MAX * STORE_ATTEMPTS_MAX + EXPERIMENT_CASES_MAX) *
                       (IMPORT_PART_BYTES_MAX + 2) <
                   IMPORT_BYTES_MAX,
               "a bundle of all trials there can be is taken");

struct import;

/* NULL if memory runs out. */
struct import *import_new(struct store *store);
/* Gives up what is not finished; what was archived of it is removed by store_retain. */
void import_free(struct import *import);

int import_take(struct import *import, const char *bytes, size_t length, struct err *err);
/* The run, which was there before if *was_there; one that was deleted is back. */
int import_finish(struct import *import, int64_t now_ms, int64_t *run_id, bool *was_there, struct err *err);
const struct faults *import_faults(const struct import *import);

#endif
