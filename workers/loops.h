/* loops: the timed loops, one for each pattern and side.
 *
 * A loop runs one block: an unbroken stretch of messages, begun by all workers after a barrier and ended by
 * the sender, who announces the last message's sequence in the control page before it sends it. Inside there
 * are the mechanism's calls, the clock, the histogram and the check of the header, nothing else. */
#ifndef IPCLAB_WORKERS_LOOPS_H
#define IPCLAB_WORKERS_LOOPS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/histogram.h"
#include "workers/control.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/payload.h"

enum { LOOP_BATCH = 100, LOOP_CLOCK_NS = 20000 };

/* Sums for the lag-1 autocorrelation of consecutive latencies, taken about the first one so that they stay
 * small beside the doubles' precision. */
struct lag {
    uint64_t count;
    double origin, first, previous;
    double sum, sum_squares, sum_products;
};
static inline void lag_add(struct lag *lag, double value)
{
    if (lag->count++ == 0) {
        lag->origin = value;
        lag->first = lag->previous = 0;
        return;
    }
    double difference = value - lag->origin;
    lag->sum += difference;
    lag->sum_squares += difference * difference;
    lag->sum_products += difference * lag->previous;
    lag->previous = difference;
}

/* r1 = sum d(i) d(i+1) / sum d(i)^2 about the mean; NAN below three values or without any spread. */
double lag_autocorrelation(const struct lag *lag);

/* What a worker's loop works with; the loop's alone while it runs. */
struct loop_state {
    const struct mechanism *mechanism;
    void *out, *in; /* states of the channels it sends to and receives from; the same one when duplex */
    unsigned char *sent, *received;
    size_t message_bytes;
    struct control *control;
    uint32_t sender;      /* whose messages these are */
    uint64_t sequence;    /* of the next message it sends */
    uint64_t batch;       /* round trips under one pair of clock reads */
    uint64_t clock_every; /* stream: messages between two looks at the clock */
    struct payload_check check;
    struct histogram histogram; /* of this block */
    struct lag lag;
    int64_t gap_ns_max; /* longest time between two clock reads */
};

struct block {
    int64_t duration_ns; /* for whoever ends it */
    enum verify verify;
    bool kept; /* not the warm-up: latencies count for the autocorrelation and the gap */
    int64_t begin_ns, end_ns;
    uint64_t messages; /* round trips; sent by a sender, received by a receiver */
};

struct loop {
    /* 0 or -errno; -EPIPE when the other end is gone. The block's outcome stands in either case. */
    int (*run)(struct loop_state *state, struct block *block);
    bool measures; /* its count and times are the trial's */
};

/* The loop of a pattern at a side, NULL members if the pattern is unknown here. */
struct loop loop_for(enum pattern pattern, enum seat_side side);

#endif
