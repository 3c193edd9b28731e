/* trial: one worker's row of blocks, from the go to the result.
 *
 * Warm-up by time, with full verification; then blocks of about 50 ms until the duration is reached. Between
 * blocks clocks stand still, the distance of the two CPUs is probed and, about five times a second, a sample
 * goes to the server: metrics never travel inside a timed stretch. */
#ifndef IPCLAB_WORKERS_TRIAL_H
#define IPCLAB_WORKERS_TRIAL_H

#include <stdint.h>

#include "common/err.h"
#include "common/frame.h"
#include "common/histogram.h"
#include "common/trial_spec.h"
#include "workers/loops.h"

struct trial {
    const struct trial_spec *spec;
    int worker;
    struct loop loop;
    struct loop_state state;
    int metrics;   /* socket for samples, or -1 */
    int schedstat; /* usage_open_schedstat */
    int64_t deadline_ns;

    int64_t go_ns;
    int64_t sampled_ns;
    uint32_t probes;
    struct histogram halves[2]; /* latencies of the first and the second half of the blocks */
    struct frame_block totals[2];
    struct frame_result *result; /* the caller's, zeroed */
};

/* Number of blocks for a duration, at most FRAME_BLOCKS_MAX. */
size_t trial_block_count(int64_t duration_ms);

/* Runs it. On failure the result holds what was measured until then: 0, or -EPIPE (the peer went), -ECANCELED
 * (the leader called it off), or another -errno. */
int trial_run(struct trial *trial, struct err *err);

#endif
