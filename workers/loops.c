#include "workers/loops.h"

#include <errno.h>
#include <math.h>

#include "common/clock.h"

double lag_autocorrelation(const struct lag *lag)
{
    if (lag->count < 3)
        return NAN;
    /* d(i) = x(i) - m: the products expand into the sums that were kept, less the two ends that have only one
     * neighbour. */
    double n = (double)lag->count;
    double mean = lag->sum / n;
    double squares = lag->sum_squares - n * mean * mean;
    double products =
        lag->sum_products - mean * (2 * lag->sum - lag->first - lag->previous) + (n - 1) * mean * mean;
    return squares > 0 ? products / squares : NAN;
}

static inline void announce_last(struct loop_state *state, uint64_t sequence)
{
    atomic_store_explicit(&state->control->senders[state->sender].last_sequence, sequence,
                          memory_order_relaxed);
}

static inline bool is_last(struct loop_state *state, uint64_t sequence)
{
    return sequence ==
           atomic_load_explicit(&state->control->senders[state->sender].last_sequence, memory_order_relaxed);
}

static inline int error_of(ssize_t result)
{
    return result == 0 ? -EPIPE : (int)result;
}

static inline void record(struct loop_state *state, const struct block *block, int64_t elapsed_ns)
{
    int64_t latency_ns = state->batch <= 1 ? elapsed_ns : elapsed_ns / (int64_t)state->batch;
    histogram_record(&state->histogram, latency_ns);
    if (!block->kept)
        return;
    lag_add(&state->lag, (double)latency_ns);
    if (elapsed_ns > state->gap_ns_max)
        state->gap_ns_max = elapsed_ns;
}

/* One clock read a round trip: the end of one is the start of the next. A spinning round trip of 100 ns is
 * too short for that, where the clock itself takes 20 and steps by 10, so several go under one read. */
static int round_trip_ask(struct loop_state *state, struct block *block)
{
    const struct mechanism *mechanism = state->mechanism;
    const size_t bytes = state->message_bytes;
    int64_t before = block->begin_ns = block->end_ns = clock_now_ns();
    const int64_t end = before + block->duration_ns;
    for (bool last = false; !last; block->messages += state->batch) {
        last = before >= end;
        if (last)
            announce_last(state, state->sequence + state->batch - 1);
        for (uint64_t i = 0; i < state->batch; i++) {
            payload_write(state->sent, bytes, state->sequence++, state->sender, block->verify);
            ssize_t result = mechanism->send(state->out, state->sent, bytes);
            if (result < 0)
                return (int)result;
            result = mechanism->receive(state->in, state->received, bytes);
            if (result <= 0)
                return error_of(result);
            payload_check(&state->check, state->received, bytes, state->sender, block->verify);
        }
        int64_t now = clock_now_ns();
        record(state, block, now - before);
        block->end_ns = before = now;
    }
    return 0;
}

static int round_trip_answer(struct loop_state *state, struct block *block)
{
    const struct mechanism *mechanism = state->mechanism;
    const size_t bytes = state->message_bytes;
    block->begin_ns = clock_now_ns();
    int error = 0;
    for (bool last = false; !last; block->messages++) {
        ssize_t result = mechanism->receive(state->in, state->received, bytes);
        if (result <= 0) {
            error = error_of(result);
            break;
        }
        last = is_last(state,
                       payload_check(&state->check, state->received, bytes, state->sender, block->verify));
        result = mechanism->send(state->out, state->received, bytes);
        if (result < 0) {
            error = (int)result;
            break;
        }
    }
    block->end_ns = clock_now_ns();
    return error;
}

static inline void look_at_clock(struct loop_state *state, struct block *block)
{
    int64_t now = clock_now_ns();
    if (block->kept && now - block->end_ns > state->gap_ns_max)
        state->gap_ns_max = now - block->end_ns;
    block->end_ns = now;
}

static inline int stream_one(struct loop_state *state, struct block *block)
{
    payload_write(state->sent, state->message_bytes, state->sequence++, state->sender, block->verify);
    ssize_t result = state->mechanism->send(state->out, state->sent, state->message_bytes);
    block->messages++;
    return result < 0 ? (int)result : 0;
}

static int stream_send(struct loop_state *state, struct block *block)
{
    block->begin_ns = block->end_ns = clock_now_ns();
    const int64_t end = block->begin_ns + block->duration_ns;
    while (block->end_ns < end) {
        for (uint64_t i = 0; i < state->clock_every; i++) {
            int error = stream_one(state, block);
            if (error < 0)
                return error;
        }
        look_at_clock(state, block);
    }
    announce_last(state, state->sequence);
    int error = stream_one(state, block);
    if (state->mechanism->flush != NULL)
        state->mechanism->flush(state->out);
    look_at_clock(state, block);
    return error;
}

/* The receiver's count and clock are the stream's: what was only sent may still be under way. */
static int stream_receive(struct loop_state *state, struct block *block)
{
    const struct mechanism *mechanism = state->mechanism;
    const size_t bytes = state->message_bytes;
    block->begin_ns = block->end_ns = clock_now_ns();
    uint64_t until_clock = state->clock_every;
    int error = 0;
    for (bool last = false; !last;) {
        ssize_t result = mechanism->receive(state->in, state->received, bytes);
        if (result <= 0) {
            error = error_of(result);
            break;
        }
        block->messages++;
        last = is_last(state,
                       payload_check(&state->check, state->received, bytes, state->sender, block->verify));
        if (--until_clock == 0) {
            look_at_clock(state, block);
            until_clock = state->clock_every;
        }
    }
    look_at_clock(state, block);
    return error;
}

static const struct loop loops[PATTERN_COUNT][2] = {
    [PATTERN_ROUND_TRIP] = {[SEAT_SENDER] = {.run = round_trip_ask, .measures = true},
                            [SEAT_RECEIVER] = {.run = round_trip_answer}},
    [PATTERN_STREAM] =
        {[SEAT_SENDER] = {.run = stream_send}, [SEAT_RECEIVER] = {.run = stream_receive, .measures = true}},
};

struct loop loop_for(enum pattern pattern, enum seat_side side)
{
    return loops[pattern][side];
}
