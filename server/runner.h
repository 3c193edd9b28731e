/* runner: takes runs from the queue and has their trials taken, one after the other. The only writer of run
 * state.
 *
 * A run's plan is a function of its experiment and seed (plan.h), and the archive knows which slots are
 * settled; so a run that was interrupted goes on from its first missing trial, whoever killed the server and
 * when.
 *
 * Order of events for a trial: frames → archived in one transaction with the run's counters → published.
 * Owns its timers on the loop and the current crew (through the supervisor). Threads: the loop's. */
#ifndef IPCLAB_SERVER_RUNNER_H
#define IPCLAB_SERVER_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/experiment.h"
#include "db/store.h"

struct app;
struct runner;

enum { RUNNER_QUEUE_MAX = 100 };

int runner_new(struct app *app, struct runner **runner, struct err *err);
void runner_free(struct runner *runner);

/* Queues a run and answers its id. -EAGAIN: the queue is full. -EEXIST: idempotency key known. */
int runner_submit(struct runner *runner, const struct experiment_request *request,
                  const struct store_idempotency *idempotency, int64_t *run_id, struct err *err);
/* Trials already taken are kept. -ENOENT; -EINVAL: it has ended already (the text names its state). */
int runner_cancel(struct runner *runner, int64_t run_id, struct err *err);
/* Is a trial being taken? */
bool runner_is_measuring(const struct runner *runner);
/* Labs and claims have given the turn back: goes on with the run in progress, if there is one. */
void runner_go_on(struct runner *runner);
/* For SIGTERM: the current trial is given up, its run becomes interrupted, nothing new begins. */
void runner_stop(struct runner *runner);

/* What only the runner knows of a run in progress. False if that run is not running. */
struct runner_live {
    int64_t eta_ms;
    bool has_current;
    int64_t sequence;
    struct ipc_case current;
};
bool runner_live_of(const struct runner *runner, int64_t run_id, struct runner_live *live);
/* Id of the running run, 0 if idle. */
int64_t runner_current_run(const struct runner *runner);

#endif
