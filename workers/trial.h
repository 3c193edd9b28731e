/* trial: one worker's row of blocks, from the go to the result.
 *
 * Warm-up by time, with full verification; then blocks of about 50 ms until the duration is reached. Between
 * blocks clocks stand still, the distance of the two CPUs is probed and, about five times a second, a sample
 * goes to the server: metrics never travel inside a timed stretch. */
#ifndef IPCLAB_WORKERS_TRIAL_H
#define IPCLAB_WORKERS_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/frame.h"
#include "common/histogram.h"
#include "common/trial_spec.h"
#include "workers/loops.h"

struct trial {
    const struct trial_spec *spec;
    int worker;   /* senders first, then receivers */
    bool crowded; /* workers share a CPU: they sleep at barriers */
    int cpu;      /* pinned to it, -1 when free */
    struct loop loop;
    struct loop_state state;
    struct tally tally; /* of a shared stream, else without words */
    int metrics;        /* socket for samples, or -1 */
    int schedstat;      /* usage_open_schedstat */
    int64_t deadline_ns;

    int64_t go_ns;
    int64_t origin_ns; /* from which blocks count; the same in all workers */
    int64_t sampled_ns;
    uint32_t probes;
    size_t backlog_rises;       /* paced: blocks, up to the last, in which the backlog rose */
    struct histogram halves[2]; /* latencies of the first and the second half of the blocks */
    struct frame_block totals[2];
    struct frame_result *result; /* the caller's, zeroed */
};

/* Runs it. On failure the result holds what was measured until then: 0, or -EPIPE (the peer went), -ECANCELED
 * (the leader called it off), or another -errno. */
int trial_run(struct trial *trial, struct err *err);

#endif
