/* The stream of several senders or receivers. A message has a whole header here, since the receiver has to
 * know whose it is; which ones arrived at all only all receivers together can tell (tally.h). */
#include "common/clock.h"
#include "workers/loops.h"

static inline int send_one(struct loop_state *state, enum verify verify)
{
    payload_write(state->sent, state->message_bytes, state->sequence++, state->sender, verify);
    ssize_t result = state->mechanism->send(state->out, state->sent, state->message_bytes);
    return result < 0 ? (int)result : 0;
}

static inline void look_at_clock(struct loop_state *state, struct block *block)
{
    int64_t now = clock_now_ns();
    if (block->kept && now - block->end_ns > state->gap_ns_max)
        state->gap_ns_max = now - block->end_ns;
    block->end_ns = now;
}

/* One for each receiver. They go behind everything this sender sent, whoever takes them. */
static int send_stops(struct loop_state *state, enum verify verify)
{
    int error = 0;
    for (int i = 0; i < state->receivers && error == 0; i++)
        error = send_one(state, verify);
    if (state->mechanism->flush != NULL)
        state->mechanism->flush(state->out);
    return error;
}

int loop_send_shared(struct loop_state *state, struct block *block)
{
    struct control_block *announced = loop_control_block(state, state->sender);
    block->begin_ns = block->end_ns = clock_now_ns();
    control_note_begun(announced, block->begin_ns);
    const int64_t end = block->begin_ns + block->duration_ns;
    while (block->end_ns < end && block->messages + state->clock_every <= TALLY_MESSAGES_MAX) {
        for (uint64_t i = 0; i < state->clock_every; i++) {
            int error = send_one(state, block->verify);
            if (error < 0)
                return error;
        }
        block->messages += state->clock_every;
        look_at_clock(state, block);
    }
    control_announce_last(announced, state->sequence - 1);
    int error = send_stops(state, block->verify);
    control_finish_block(announced);
    look_at_clock(state, block);
    return error;
}

/* Counts a message; false if it was a stop. */
static inline bool take(struct loop_state *state, struct block *block)
{
    const unsigned char *message = state->received;
    struct payload_header header = payload_header_of(message);
    bool known = header.sender < (uint32_t)state->senders;
    if (known && header.sequence > control_last(loop_control_block(state, header.sender)))
        return false;
    block->messages++;
    if (block->verify == VERIFY_NONE)
        return true;
    state->check.integrity.torn += payload_is_torn(message, state->message_bytes, header.sequence,
                                                   known ? header.sender : UINT32_MAX, block->verify);
    if (!known) {
        state->unplaced++;
        return true;
    }
    uint64_t first =
        atomic_load_explicit(&loop_control_block(state, header.sender)->first_sequence, memory_order_relaxed);
    tally_mark(&state->rows[header.sender], header.sequence - first, &state->check.integrity);
    return true;
}

static int receive_shared(struct loop_state *state, struct block *block)
{
    block->begin_ns = block->end_ns = clock_now_ns();
    uint64_t until_clock = state->clock_every;
    for (int stops = 0; stops < state->senders;) {
        ssize_t result = state->mechanism->receive(state->in, state->received, state->message_bytes);
        if (__builtin_expect(result <= 0, 0)) {
            int silence = loop_judge_silence(state, result, block->end_ns);
            if (silence != 0)
                return silence < 0 ? silence : 0;
            continue;
        }
        stops += take(state, block) ? 0 : 1;
        if (--until_clock == 0) {
            look_at_clock(state, block);
            until_clock = state->clock_every;
        }
    }
    look_at_clock(state, block);
    return 0;
}

int loop_receive_shared(struct loop_state *state, struct block *block)
{
    int error = receive_shared(state, block);
    loop_begin_with_senders(state, block);
    return error;
}
