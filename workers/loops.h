/* loops: the timed loops, one for each pattern and side.
 *
 * A loop runs one block: an unbroken stretch of messages, begun by all workers after a barrier and ended by
 * the sender, who announces the last message's sequence in the control page before it sends it. Inside there
 * are the mechanism's calls, the clock, the histogram and the check of the header, nothing else.
 *
 *   round_trip  one asks, one answers, one message is under way
 *   stream      one sends, one receives, as fast as it goes
 *   shared      the stream of several senders or receivers: each sender ends with a stop message for every
 *               receiver, and a receiver has come to the end with as many stops as there are senders
 *   paced       a round trip that begins at fixed times: see loops_paced.c
 *
 * Of a mechanism that loses messages the last one may be missing. A receive that nothing came to for a while
 * says so, and once every sender had finished before the end of that wait, the block is over. */
#ifndef IPCLAB_WORKERS_LOOPS_H
#define IPCLAB_WORKERS_LOOPS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/histogram.h"
#include "workers/control.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/payload.h"
#include "workers/tally.h"

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

/* Of each of so many round trips that took so long together, to the nearest nanosecond: cut off it would be
 * half of one too little, which is much of the 60 that memory takes. */
static inline int64_t loop_latency_ns(int64_t elapsed_ns, uint64_t batch)
{
    return batch <= 1 ? elapsed_ns : (elapsed_ns + (int64_t)(batch / 2)) / (int64_t)batch;
}

/* What a worker's loop works with; the loop's alone while it runs. */
struct loop_state {
    const struct mechanism *mechanism;
    void *out, *in; /* states of the channels it sends to and receives from; the same one when duplex */
    unsigned char *sent, *received;
    size_t message_bytes;
    struct control *control;
    int senders, receivers;
    uint32_t sender;       /* whose messages these are; of several receivers' streams the header says it */
    uint32_t block_number; /* counts the blocks of the trial, the warm-up included */
    uint64_t sequence;     /* of the next message it sends */
    uint64_t batch;        /* round trips under one pair of clock reads */
    uint64_t clock_every;  /* stream: messages between two looks at the clock */
    struct payload_check check;
    struct histogram histogram; /* of this block */
    struct lag lag;
    int64_t gap_ns_max; /* longest time between two clock reads */
    int64_t silent_ns;  /* when a receive last had found nothing */

    /* shared: a receiver's row for each sender. */
    struct tally_row rows[CREW_SIDE_MAX];
    uint64_t unplaced; /* of this block: too torn to say which they are */

    /* paced */
    double rate_hz;
    bool spins;         /* until the next send; else it sleeps most of the time */
    int64_t backlog_ns; /* how late it is */
};

/* Both sides announce in the control page by this: the sender's own line, or that of the one it listens to.
 */
static inline struct control_block *loop_control_block(const struct loop_state *state, uint32_t sender)
{
    return &state->control->senders[sender][state->block_number % 2];
}

/* After a receive that was no message; it began after looked_ns, the nearer the better. 0: nothing came, go
 * on; 1: nothing came, and nothing will in this block; else -errno, -ECANCELED when the trial is called off.
 */
int loop_judge_silence(struct loop_state *state, ssize_t result, int64_t looked_ns);

/* Sends a message with a new sequence and waits for the answer. 1: it came, 0: it is lost, else -errno. */
int loop_ask(struct loop_state *state, enum verify verify);

struct block {
    int64_t duration_ns; /* for whoever ends it */
    enum verify verify;
    bool kept; /* not the warm-up: latencies count for the autocorrelation and the gap */
    int64_t begin_ns, end_ns;
    uint64_t messages; /* round trips; sent by a sender, received by a receiver */
};

/* A receiver at the end of a stream's block: its time runs from the moment at which the first sender began.
 * Behind the barrier a receiver may get the CPU later than a sender, above all where they share it, and what
 * was sent until then would count without the time that it took. */
void loop_begin_with_senders(const struct loop_state *state, struct block *block);

struct loop {
    /* 0 or -errno; -EPIPE when the other end is gone. The block's outcome stands in either case. */
    int (*run)(struct loop_state *state, struct block *block);
    bool measures; /* its count and times are the trial's */
};

/* The loop of a pattern at a side. */
struct loop loop_for(enum pattern pattern, enum seat_side side);
/* Of a stream with several senders or receivers. */
struct loop loop_for_shared(enum seat_side side);

/* loops_shared.c and loops_paced.c */
int loop_send_shared(struct loop_state *state, struct block *block);
int loop_receive_shared(struct loop_state *state, struct block *block);
int loop_ask_paced(struct loop_state *state, struct block *block);

#endif
