/* worker: one of the processes that talk to each other in a trial.
 *
 * Attach, tell the leader, wait until it has closed the channels; hello and ready to the server, wait for its
 * go; the trial; the result. A related worker is forked and comes with what the leader opened; an unrelated
 * one is executed anew as `ipclab-worker worker INDEX CONTROL_FD ATTACHED_FD` with the trial spec on its
 * standard input, and finds the channels by the addresses in the control page. */
#ifndef IPCLAB_WORKERS_WORKER_H
#define IPCLAB_WORKERS_WORKER_H

#include <stdalign.h>
#include <stddef.h>

#include "common/trial_spec.h"
#include "workers/control.h"
#include "workers/mechanisms/mechanism.h"

/* A worker's exit status. */
enum {
    WORKER_DONE = 0,
    WORKER_FAILED = 1,
    WORKER_BAD_SPEC = 2,
    WORKER_LOST_PEER = 3, /* it failed only because another one did */
};

struct worker_channel {
    struct channel channel;
    alignas(max_align_t) unsigned char state[MECHANISM_STATE_BYTES_MAX];
};

struct worker {
    const struct trial_spec *spec;
    const struct mechanism *mechanism;
    int index; /* senders first, then receivers */
    struct control *control;
    int attached; /* eventfd the leader waits on */
    int control_fd;
    struct worker_channel *channels;
    size_t channel_count;
};

/* How many channels the case needs: a round trip over a one-way mechanism takes two. */
size_t worker_channel_count(const struct mechanism *mechanism, enum pattern pattern);
/* What every process of the crew knows about a channel before it is opened. */
struct channel worker_channel_of(const struct trial_spec *spec, int number);

/* Runs it to the end and returns the exit status. What went wrong stands in the control page. */
int worker_run(struct worker *worker);
/* The subcommand: arguments are INDEX CONTROL_FD ATTACHED_FD. */
int worker_main(int argument_count, char **arguments);

#endif
