/* crew: the leader of one trial's processes.
 *
 * Reads the trial spec, says hello to the server, enters the cage, opens the channels, starts the workers,
 * closes the channels when all have attached, and reaps. It reports every worker that ended badly, gives the
 * others a moment to send what they have, and says bye. It sleeps while the trial is running.
 *
 * It ends early when the server hangs up or the wall-clock bound passes. In a cage its own end, however it
 * comes, is everybody's; without one the workers die with it by PR_SET_PDEATHSIG. */
#ifndef IPCLAB_WORKERS_CREW_H
#define IPCLAB_WORKERS_CREW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/text.h"
#include "common/trial_spec.h"
#include "workers/control.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/worker.h"

/* Exit status of the leader. */
enum { CREW_DONE = 0, CREW_FAILED = 1, CREW_BAD_SPEC = 2 };

struct crew_member {
    pid_t pid; /* 0: not started, or reaped */
    bool lost_peer;
};

struct crew {
    struct trial_spec spec;
    struct text document; /* the spec as it was read */
    const struct mechanism *mechanism;
    struct control *control;
    int control_fd;
    int attached_fd; /* eventfd, counts workers that have attached */
    int signal_fd;
    int metrics;
    struct worker_channel channels[CONTROL_CHANNELS_MAX];
    size_t channel_count;
    bool channels_open;
    struct crew_member members[CONTROL_WORKERS_MAX];
    int member_count;
    int running;
    uint64_t attached;
    bool failed;
    int64_t deadline_ns; /* when those that still run are killed */
    const char *deadline_reason;
};

/* crew_start.c: forks, or forks and executes, every worker. The child does not return. */
int crew_start(struct crew *crew, struct err *err);

/* The subcommand: no arguments, the spec on standard input. */
int crew_main(int argument_count, char **arguments);

#endif
