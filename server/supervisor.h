/* supervisor: starts crews, listens to them, and notices how they end.
 *
 * Owns the metrics socket RUN/metrics.sock and every crew: its leader's process, directory, connections and
 * deadline. A connection counts only if its peer has our user id and its first frame says the token of a
 * crew. When the leader has ended, what its crew had still sent is read first, then the client is told, once.
 *
 * Threads: the loop's. Callbacks come from the loop; ended is the last one, after it the crew is gone. */
#ifndef IPCLAB_SERVER_SUPERVISOR_H
#define IPCLAB_SERVER_SUPERVISOR_H

#include <stdbool.h>

#include "common/err.h"
#include "common/frame.h"
#include "common/trial_spec.h"
#include "server/loop.h"
#include "server/worker_program.h"

struct supervisor;
struct crew;

enum { CREW_CAUSE_BYTES = 240 };

struct crew_end {
    bool complete;                /* every worker delivered its result, the leader ended well */
    char cause[CREW_CAUSE_BYTES]; /* else: what went wrong first */
};

/* Who asked for the crew. */
struct crew_client {
    void *context;
    void (*frame)(void *context, int worker, const struct frame *frame); /* ready, sample, result; borrowed */
    void (*ended)(void *context, const struct crew_end *end);
};

/* cage: whether leaders are started in namespaces of their own (isolation.h decides once). */
int supervisor_new(struct loop *loop, const struct worker_program *program, const char *run_directory,
                   enum cage cage, struct supervisor **supervisor, struct err *err);
/* Kills what is left, without callbacks. */
void supervisor_free(struct supervisor *supervisor);

/* Fills in the spec's token, socket, directory and cage, and starts the leader. */
int supervisor_start(struct supervisor *supervisor, struct trial_spec *spec, const struct crew_client *client,
                     struct crew **crew, struct err *err);
/* Ends it at once; ended follows, with this cause. */
void supervisor_kill(struct crew *crew, const char *cause);

#endif
