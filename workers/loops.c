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

static inline bool is_last(struct loop_state *state, uint64_t sequence)
{
    return sequence == control_last(loop_control_block(state, state->sender));
}

int loop_judge_silence(struct loop_state *state, ssize_t result, int64_t looked_ns)
{
    if (result == 0)
        return -EPIPE;
    if (result != -EAGAIN && result != -ETIMEDOUT)
        return (int)result;
    if (control_is_aborted(state->control))
        return -ECANCELED;
    /* The wait was longer than this, so that it took all that was sent until then. Counted from before it and
     * not back from now: between its last look and now a sender may have had this CPU and sent the rest. */
    int64_t before_ns = looked_ns > state->silent_ns ? looked_ns : state->silent_ns;
    int64_t taken_until_ns = before_ns + MECHANISM_PEER_CHECK_NS / 2;
    state->silent_ns = clock_now_ns();
    return control_all_finished(state->control, state->senders, state->block_number, taken_until_ns) ? 1 : 0;
}

static inline void record(struct loop_state *state, const struct block *block, int64_t elapsed_ns)
{
    int64_t latency_ns = loop_latency_ns(elapsed_ns, state->batch);
    histogram_record(&state->histogram, latency_ns);
    if (!block->kept)
        return;
    lag_add(&state->lag, (double)latency_ns);
    if (elapsed_ns > state->gap_ns_max)
        state->gap_ns_max = elapsed_ns;
}

static inline int ask(struct loop_state *state, enum verify verify)
{
    const struct mechanism *mechanism = state->mechanism;
    const size_t bytes = state->message_bytes;
    const uint64_t asked = state->sequence++;
    payload_write(state->sent, bytes, asked, state->sender, verify);
    ssize_t result = mechanism->send(state->out, state->sent, bytes);
    if (result < 0)
        return (int)result;
    for (;;) {
        result = mechanism->receive(state->in, state->received, bytes);
        if (__builtin_expect(result <= 0, 0))
            break;
        uint64_t answered = payload_check(&state->check, state->received, bytes, state->sender, verify);
        if (__builtin_expect((int64_t)(answered - asked) >= 0, 1))
            return 1; /* an older one is an answer that was given up */
    }
    int silence = loop_judge_silence(state, result, 0); /* over or not, it is lost */
    if (silence < 0)
        return silence;
    payload_check_skip_to(&state->check, state->sequence);
    return 0;
}

int loop_ask(struct loop_state *state, enum verify verify)
{
    return ask(state, verify);
}

/* One clock read a round trip: the end of one is the start of the next. A spinning round trip of 100 ns is
 * too short for that, where the clock itself takes 20 and steps by 10, so several go under one read. */
static int round_trip_ask(struct loop_state *state, struct block *block)
{
    struct control_block *announced = loop_control_block(state, state->sender);
    int64_t before = block->begin_ns = block->end_ns = clock_now_ns();
    const int64_t end = before + block->duration_ns;
    for (bool last = false; !last;) {
        last = before >= end;
        if (last)
            control_announce_last(announced, state->sequence + state->batch - 1);
        uint64_t answers = 0;
        for (uint64_t i = 0; i < state->batch; i++) {
            int answered = ask(state, block->verify);
            if (answered < 0)
                return answered;
            answers += (uint64_t)answered;
        }
        int64_t now = clock_now_ns();
        if (answers == state->batch)
            record(state, block, now - before);
        block->messages += answers;
        block->end_ns = before = now;
    }
    control_finish_block(announced);
    return 0;
}

static int round_trip_answer(struct loop_state *state, struct block *block)
{
    const struct mechanism *mechanism = state->mechanism;
    const size_t bytes = state->message_bytes;
    block->begin_ns = clock_now_ns();
    int error = 0;
    for (bool last = false; !last && error == 0;) {
        ssize_t result = mechanism->receive(state->in, state->received, bytes);
        if (__builtin_expect(result <= 0, 0)) {
            int silence = loop_judge_silence(state, result, block->begin_ns);
            error = silence < 0 ? silence : 0;
            last = silence > 0;
            continue;
        }
        block->messages++;
        last = is_last(state,
                       payload_check(&state->check, state->received, bytes, state->sender, block->verify));
        result = mechanism->send(state->out, state->received, bytes);
        if (result < 0)
            error = (int)result;
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

/* So many messages. Copies of what does not change are kept, because after each call the compiler would have
 * to load everything again. */
static int stream_some(struct loop_state *state, struct block *block, uint64_t count)
{
    ssize_t (*const send)(void *, const void *, size_t) = state->mechanism->send;
    void *const out = state->out;
    unsigned char *const sent = state->sent;
    const size_t bytes = state->message_bytes;
    const uint32_t sender = state->sender;
    const enum verify verify = block->verify;
    uint64_t sequence = state->sequence;
    ssize_t result = 0;
    for (const uint64_t end = sequence + count; sequence != end && result >= 0; sequence++) {
        payload_write(sent, bytes, sequence, sender, verify);
        result = send(out, sent, bytes);
    }
    block->messages += sequence - state->sequence;
    state->sequence = sequence;
    return result < 0 ? (int)result : 0;
}

static int stream_send(struct loop_state *state, struct block *block)
{
    struct control_block *announced = loop_control_block(state, state->sender);
    block->begin_ns = block->end_ns = clock_now_ns();
    control_note_begun(announced, block->begin_ns);
    const int64_t end = block->begin_ns + block->duration_ns;
    while (block->end_ns < end) {
        int error = stream_some(state, block, state->clock_every);
        if (error < 0)
            return error;
        look_at_clock(state, block);
    }
    control_announce_last(announced, state->sequence);
    int error = stream_some(state, block, 1);
    if (state->mechanism->flush != NULL)
        state->mechanism->flush(state->out);
    control_finish_block(announced);
    look_at_clock(state, block);
    return error;
}

void loop_begin_with_senders(const struct loop_state *state, struct block *block)
{
    int64_t begun_ns = control_begun_ns(state->control, state->senders, state->block_number);
    if (begun_ns < block->end_ns)
        block->begin_ns = begun_ns;
}

static int receive_stream(struct loop_state *state, struct block *block)
{
    ssize_t (*const receive)(void *, void *, size_t) = state->mechanism->receive;
    void *const in = state->in;
    unsigned char *const received = state->received;
    const size_t bytes = state->message_bytes;
    const uint32_t sender = state->sender;
    const enum verify verify = block->verify;
    struct control_block *const announced = loop_control_block(state, sender);
    block->begin_ns = block->end_ns = clock_now_ns();
    uint64_t until_clock = state->clock_every;
    for (bool last = false; !last;) {
        ssize_t result = receive(in, received, bytes);
        if (__builtin_expect(result <= 0, 0)) {
            int silence = loop_judge_silence(state, result, block->end_ns);
            if (silence == 0)
                continue;
            if (silence < 0)
                return silence;
            /* The clock was last read about when the last message came: the silence is no part of it. */
            payload_check_skip_to(&state->check, control_last(announced) + 1);
            return 0;
        }
        block->messages++;
        last = payload_check(&state->check, received, bytes, sender, verify) == control_last(announced);
        if (--until_clock == 0) {
            look_at_clock(state, block);
            until_clock = state->clock_every;
        }
    }
    look_at_clock(state, block);
    return 0;
}

/* The receiver's count and clock are the stream's: what was only sent may still be under way. */
static int stream_receive(struct loop_state *state, struct block *block)
{
    int error = receive_stream(state, block);
    loop_begin_with_senders(state, block);
    return error;
}

static const struct loop loops[PATTERN_COUNT][2] = {
    [PATTERN_ROUND_TRIP] = {[SEAT_SENDER] = {.run = round_trip_ask, .measures = true},
                            [SEAT_RECEIVER] = {.run = round_trip_answer}},
    [PATTERN_STREAM] =
        {[SEAT_SENDER] = {.run = stream_send}, [SEAT_RECEIVER] = {.run = stream_receive, .measures = true}},
    [PATTERN_PACED] = {[SEAT_SENDER] = {.run = loop_ask_paced, .measures = true},
                       [SEAT_RECEIVER] = {.run = round_trip_answer}},
};

struct loop loop_for(enum pattern pattern, enum seat_side side)
{
    return loops[pattern][side];
}

struct loop loop_for_shared(enum seat_side side)
{
    static const struct loop shared[2] = {[SEAT_SENDER] = {.run = loop_send_shared},
                                          [SEAT_RECEIVER] = {.run = loop_receive_shared, .measures = true}};
    return shared[side];
}
