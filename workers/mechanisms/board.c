#include "workers/mechanisms/board.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "workers/pause.h"

enum {
    LINE_BYTES = 64,
    PAGE_BYTES = 4096,
    SLOTS_MIN = 2,
    ROUND_TRIP_SLOTS = SLOTS_MIN, /* one would do; each more is one more line to go back and forth */
    STREAM_SLOTS_MAX = 1024,
    STREAM_BYTES = 4 * 1024 * 1024,
};
enum { LANES_OUT, LANES_BACK };

/* ---- layout ---- */

static size_t round_up(size_t value, size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

static size_t slot_bytes_for(const struct channel *channel)
{
    return round_up((size_t)channel->message_bytes, LINE_BYTES);
}

static size_t pair_count(const struct channel *channel)
{
    return (size_t)channel->senders * (size_t)channel->receivers;
}

static uint64_t wanted_slots(const struct channel *channel)
{
    size_t slot_bytes = slot_bytes_for(channel);
    if (channel->buffer_bytes > 0)
        return round_up((size_t)channel->buffer_bytes, slot_bytes * pair_count(channel)) / slot_bytes /
               pair_count(channel);
    if (channel->pattern != PATTERN_STREAM)
        return ROUND_TRIP_SLOTS;
    uint64_t fit = STREAM_BYTES / slot_bytes / pair_count(channel);
    return fit < STREAM_SLOTS_MAX ? fit : STREAM_SLOTS_MAX;
}

/* A stream has no lanes back: nobody answers, and at 16 MiB a slot they would be half of some gigabytes. */
static uint64_t slot_count_for(const struct channel *channel, int direction, int64_t messages_max)
{
    if (channel->pattern == PATTERN_STREAM && direction == LANES_BACK)
        return 0;
    uint64_t wanted = wanted_slots(channel);
    uint64_t allowed = messages_max > 0 ? (uint64_t)messages_max / (2 * pair_count(channel)) : wanted;
    if (wanted > allowed)
        wanted = allowed;
    return wanted < SLOTS_MIN ? SLOTS_MIN : wanted;
}

static size_t slots_begin(const struct channel *channel)
{
    return round_up(sizeof(struct board_object) + 2 * pair_count(channel) * sizeof(struct board_lane),
                    PAGE_BYTES);
}

static size_t lane_bytes(const struct channel *channel, int direction, int64_t messages_max)
{
    return (size_t)slot_count_for(channel, direction, messages_max) * slot_bytes_for(channel);
}

static size_t object_bytes(const struct channel *channel, int64_t messages_max)
{
    return slots_begin(channel) + pair_count(channel) * (lane_bytes(channel, LANES_OUT, messages_max) +
                                                         lane_bytes(channel, LANES_BACK, messages_max));
}

static struct board_end end_of(struct board_object *object, const struct channel *channel, int direction,
                               size_t pair, int64_t messages_max)
{
    size_t out_bytes = lane_bytes(channel, LANES_OUT, messages_max);
    unsigned char *slots = (unsigned char *)object + slots_begin(channel);
    bool is_out = direction == LANES_OUT;
    if (!is_out)
        slots += pair_count(channel) * out_bytes;
    return (struct board_end){
        .lane = &object->lanes[(is_out ? 0 : pair_count(channel)) + pair],
        .slots = slots + pair * (is_out ? out_bytes : lane_bytes(channel, LANES_BACK, messages_max)),
        .slot_count = slot_count_for(channel, direction, messages_max),
    };
}

/* ---- the memory ---- */

static const char kind[] = "board";

int board_open(struct board *board, const struct channel *channel, int64_t messages_max, struct err *err)
{
    int result = presence_open(&board->presence, channel, err);
    if (result == 0)
        result = shared_file_create(&board->file, channel, kind, object_bytes(channel, messages_max), err);
    if (result < 0)
        return result;
    board->object = board->file.memory;
    board->object->leader = getpid();
    return 0;
}

int board_map(struct board *board, const struct channel *channel, struct err *err)
{
    int result = shared_file_open(&board->file, channel, kind, err);
    board->object = board->file.memory;
    return result;
}

static void touch_pages(const struct board *board)
{
    for (size_t at = 0; at < board->file.bytes; at += PAGE_BYTES)
        atomic_fetch_or_explicit((_Atomic unsigned char *)board->object + at, 0, memory_order_relaxed);
}

int board_sit(struct board *board, const struct channel *channel, struct seat seat,
              const struct board_notices *notices, int64_t messages_max, struct err *err)
{
    bool sends = seat.side == SEAT_SENDER;
    touch_pages(board);
    board->notices = notices;
    board->side = seat.side;
    board->slot_bytes = slot_bytes_for(channel);
    board->others = sends ? channel->receivers : channel->senders;
    board->turn_out = board->turn_in = 0;
    for (int i = 0; i < board->others; i++) {
        int sender = sends ? seat.index : i, receiver = sends ? i : seat.index;
        size_t pair = (size_t)sender * (size_t)channel->receivers + (size_t)receiver;
        struct board_end out = end_of(board->object, channel, LANES_OUT, pair, messages_max);
        struct board_end back = end_of(board->object, channel, LANES_BACK, pair, messages_max);
        board->outs[i] = sends ? out : back;
        board->ins[i] = sends ? back : out;
    }
    uint64_t slots = slot_count_for(channel, LANES_OUT, messages_max);
    board->endpoint =
        (struct endpoint){.buffer_bytes = (int64_t)(slots * board->slot_bytes * pair_count(channel))};
    return presence_attach(&board->presence, channel, seat, err);
}

void board_detach(struct board *board)
{
    presence_detach(&board->presence);
    shared_file_unmap(&board->file);
}

void board_close(struct board *board, const struct channel *channel)
{
    shared_file_remove(&board->file, channel, kind);
    presence_close(&board->presence, channel);
}

/* ---- notices ---- */

static int take(struct board *board, enum board_notice notice)
{
    board->endpoint.system_calls++;
    return board->notices->take(board, notice);
}

static int give(struct board *board, int other, enum board_notice notice)
{
    for (;;) {
        int result = board->notices->give(board, other, notice);
        board->endpoint.system_calls++;
        if (__builtin_expect(result != -EAGAIN, 1))
            return result;
        if (presence_is_lost(&board->presence))
            return -EPIPE;
        sched_yield(); /* until the others have taken some */
    }
}

/* ---- room ---- */

static uint64_t quarter_of(const struct board_end *end)
{
    return end->slot_count < 4 ? 1 : end->slot_count / 4;
}

static bool has_room(struct board_end *out, uint64_t slots)
{
    out->peer_position = atomic_load_explicit(&out->lane->tail, memory_order_acquire);
    return out->slot_count - (out->position - out->peer_position) >= slots;
}

/* The wish is taken back; a notice that was given all the same would stand for the next one. */
static int withdraw(struct board *board, struct board_end *out)
{
    int taken = (int)atomic_exchange(&out->lane->wants_room, 0);
    while (taken == 0) {
        taken = take(board, NOTICE_ROOM);
        if (taken == 0 && presence_is_lost(&board->presence))
            break;
    }
    return taken < 0 ? taken : 0;
}

static int await_room(struct board *board, struct board_end *out)
{
    if (has_room(out, 1))
        return 0;
    atomic_store(&out->lane->wants_room, 1); /* sequentially consistent, as the look at it is */
    atomic_thread_fence(memory_order_seq_cst);
    if (has_room(out, 1 + out->slot_count / 4))
        return withdraw(board, out);
    for (;;) {
        int taken = take(board, NOTICE_ROOM);
        if (taken != 0)
            return taken < 0 ? taken : 0;
        if (presence_is_lost(&board->presence))
            return has_room(out, 1) ? withdraw(board, out) : -EPIPE;
        cpu_pause();
    }
}

/* Says every quarter of a lane what was taken, and not at every message: the line that says so is the
 * sender's to read, and the order with the wish for room costs a fence. A sender that waits has filled the
 * lane, so the next quarters are there to be taken. */
static int free_slot(struct board *board, struct board_end *in, int other)
{
    if (__builtin_expect(in->position < in->tell_at, 1))
        return 0;
    in->tell_at = in->position + quarter_of(in);
    atomic_store_explicit(&in->lane->tail, in->position, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    if (__builtin_expect(atomic_load_explicit(&in->lane->wants_room, memory_order_relaxed) == 0, 1))
        return 0;
    /* Whoever wants room publishes nothing meanwhile. */
    uint64_t used = atomic_load_explicit(&in->lane->head, memory_order_acquire) - in->position;
    if (in->slot_count - used < 1 + in->slot_count / 4 || atomic_exchange(&in->lane->wants_room, 0) == 0)
        return 0;
    return give(board, other, NOTICE_ROOM);
}

/* ---- messages ---- */

static unsigned char *slot_at(const struct board *board, const struct board_end *end)
{
    return end->slots + end->position % end->slot_count * board->slot_bytes;
}

ssize_t board_send(void *state, const void *message, size_t bytes)
{
    struct board *board = state;
    int other = board->turn_out;
    struct board_end *out = &board->outs[other];
    while (out->position - out->peer_position == out->slot_count) {
        int result = await_room(board, out);
        if (result < 0)
            return result;
    }
    memcpy(slot_at(board, out), message, bytes);
    out->position++;
    atomic_store_explicit(&out->lane->head, out->position, memory_order_release);
    if (board->side == SEAT_SENDER)
        board->turn_out = other + 1 == board->others ? 0 : other + 1;
    int result = give(board, other, NOTICE_MESSAGE);
    return result < 0 ? result : (ssize_t)bytes;
}

/* From the lane whose turn it is, or the next that has something. */
static struct board_end *published(struct board *board)
{
    for (int i = 0; i < board->others; i++) {
        struct board_end *in = &board->ins[board->turn_in];
        if (in->position == in->peer_position)
            in->peer_position = atomic_load_explicit(&in->lane->head, memory_order_acquire);
        if (in->position != in->peer_position)
            return in;
        board->turn_in = board->turn_in + 1 == board->others ? 0 : board->turn_in + 1;
    }
    return NULL;
}

/* The announcement is taken, so one of the lanes has something. When there is only one, the kernel has said
 * all there is to say, and the sender may keep the line that its count lies on. */
static struct board_end *announced(struct board *board)
{
    if (__builtin_expect(board->others > 1 || board->unannounced > 0, 0))
        return published(board);
    struct board_end *in = board->ins;
    atomic_thread_fence(memory_order_acquire);
    if (in->position == in->peer_position)
        in->peer_position++;
    return in;
}

static ssize_t take_message(struct board *board, struct board_end *in, void *message, size_t bytes)
{
    int other = board->turn_in;
    memcpy(message, slot_at(board, in), bytes);
    in->position++;
    board->turn_in = other + 1 == board->others ? 0 : other + 1;
    if (board->side == SEAT_RECEIVER)
        board->turn_out = other; /* answers go to who asked */
    int result = free_slot(board, in, other);
    return result < 0 && result != -EPIPE ? result : (ssize_t)bytes;
}

ssize_t board_receive(void *state, void *message, size_t bytes)
{
    struct board *board = state;
    for (;;) {
        int taken = take(board, NOTICE_MESSAGE);
        if (taken < 0)
            return taken;
        /* What was published before the others went is there, announced or not: the announcement of such a
         * message may come afterwards, and then finds nothing. */
        bool is_over = taken == 0 && presence_is_lost(&board->presence);
        if (taken == 0 && !is_over)
            continue;
        struct board_end *in = is_over ? published(board) : announced(board);
        board->unannounced += is_over && in != NULL;
        if (__builtin_expect(in != NULL, 1))
            return take_message(board, in, message, bytes);
        if (is_over)
            return 0;
    }
}
