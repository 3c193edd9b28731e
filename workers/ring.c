#include "workers/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include "workers/pause.h"
#include "workers/payload.h"
#include "workers/ring_layout.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define UNLIKELY(condition) __builtin_expect((condition), 0)

enum {
    LINE_BYTES = 64,
    PAGE_BYTES = 4096,
    SLOT_BYTES_MIN = 8,
    SLOT_BYTES_MAX = 32 * 1024,
    SLOTS_MIN = 8,
    LARGE_SLOTS = 64,
    STREAM_BYTES = 4 * 1024 * 1024, /* beyond the second-level cache: neither side waits for the other */
    STREAM_PAUSES = 256,            /* some microseconds */
};
enum { LANES_OUT, LANES_BACK };

/* ---- layout ---- */

static size_t round_up(size_t value, size_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

/* Whole cache lines from 64 bytes on; below, powers of two, so that no slot crosses a line. */
static size_t slot_bytes_for(const struct channel *channel)
{
    size_t message_bytes = (size_t)channel->message_bytes;
    if (message_bytes >= SLOT_BYTES_MAX)
        return SLOT_BYTES_MAX;
    if (message_bytes >= LINE_BYTES)
        return round_up(message_bytes, LINE_BYTES);
    size_t slot_bytes = SLOT_BYTES_MIN;
    while (slot_bytes < message_bytes)
        slot_bytes *= 2;
    return slot_bytes;
}

static size_t pair_count(const struct channel *channel)
{
    return (size_t)channel->senders * (size_t)channel->receivers;
}

/* A round trip has one message under way, and the least that lets its pieces overlap would do. Measured here:
 * 64 bytes go to and fro in the time of a bare flag and payload with 8 slots, and in nearly twice that with a
 * thousand, because their lines do not stay in the first-level caches. From a page on it is the other way
 * round: 64 KiB take a third of the time with 64 slots, whose lines have left the peer's caches before they
 * are written again. A stream uses the lanes out, which share its memory; those back have the least. */
static uint64_t slot_count_for(const struct channel *channel, int direction)
{
    size_t slot_bytes = slot_bytes_for(channel);
    bool is_stream = channel->pattern == PATTERN_STREAM;
    size_t wanted = is_stream ? STREAM_BYTES : slot_bytes >= PAGE_BYTES ? LARGE_SLOTS * slot_bytes : 0;
    if (channel->buffer_bytes > 0)
        wanted = (size_t)channel->buffer_bytes;
    if (is_stream && direction == LANES_BACK)
        wanted = 0;
    size_t lane = slot_bytes * pair_count(channel);
    size_t count = (wanted + lane - 1) / lane;
    return count < SLOTS_MIN ? SLOTS_MIN : count;
}

static size_t lane_bytes(const struct channel *channel, int direction)
{
    return round_up((size_t)slot_count_for(channel, direction) * slot_bytes_for(channel), PAGE_BYTES);
}

static size_t slots_begin(const struct channel *channel)
{
    return round_up(sizeof(struct ring_object) + 2 * pair_count(channel) * sizeof(struct ring_lane),
                    PAGE_BYTES);
}

size_t ring_object_bytes(const struct channel *channel)
{
    return slots_begin(channel) +
           pair_count(channel) * (lane_bytes(channel, LANES_OUT) + lane_bytes(channel, LANES_BACK));
}

/* The lane between a pair of workers, in one direction. */
static struct ring_end end_of(struct ring_object *object, const struct channel *channel, int direction,
                              int sender, int receiver)
{
    size_t pair = (size_t)sender * (size_t)channel->receivers + (size_t)receiver;
    size_t number = (direction == LANES_OUT ? 0 : pair_count(channel)) + pair;
    unsigned char *slots = (unsigned char *)object + slots_begin(channel);
    if (direction == LANES_BACK)
        slots += pair_count(channel) * lane_bytes(channel, LANES_OUT);
    return (struct ring_end){
        .lane = &object->lanes[number],
        .slots = slots + pair * lane_bytes(channel, direction),
        .slot_count = slot_count_for(channel, direction),
        .asleep_for_room = ASLEEP_FOR_ROOM + (uint32_t)number,
    };
}

/* A write that changes nothing: it gives this process a writable page-table entry whatever the page holds. */
static void touch_pages(unsigned char *memory, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += PAGE_BYTES)
        atomic_fetch_or_explicit((_Atomic unsigned char *)(memory + at), 0, memory_order_relaxed);
}

/* ---- sleeping and waking ----
 *
 * The producer publishes, then looks whether the consumer sleeps; the consumer says that it sleeps, then
 * looks whether something was published. Each must see the other's store or both would wait: the store-load
 * order that needs a full barrier on both sides (Dekker). A barrier for each message would cost more than
 * the message, so the side that goes to sleep, which is slow anyway, runs membarrier(2): the kernel makes
 * every other registered process that is running execute a barrier, and the publisher needs none. Where every
 * message sleeps, mostly on one CPU, a fence is cheaper than a membarrier. */

static bool register_membarrier(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0;
}

static bool reached(uint64_t counter, uint64_t wanted)
{
    return (int64_t)(counter - wanted) >= 0;
}

static void wake(struct ring *ring, struct ring_seat *other, int index, uint32_t asleep)
{
    if (!atomic_compare_exchange_strong(&other->asleep, &asleep, AWAKE))
        return; /* it woke by itself, or somebody else was faster */
    ring->strategy->wake(ring, 1 - (int)ring->side, index);
    ring->endpoint.system_calls++;
}

ALWAYS_INLINE void order_look(struct ring *ring)
{
    if (ring->fences)
        atomic_thread_fence(memory_order_seq_cst);
    else
        atomic_signal_fence(memory_order_seq_cst);
}

/* After head was moved. */
ALWAYS_INLINE void wake_for_data(struct ring *ring, struct ring_end *out)
{
    order_look(ring);
    if (UNLIKELY(atomic_load_explicit(&out->other->asleep, memory_order_acquire) == ASLEEP_FOR_DATA))
        wake(ring, out->other, out->other_index, ASLEEP_FOR_DATA);
}

/* After tail was moved. */
ALWAYS_INLINE void wake_for_room(struct ring *ring, struct ring_end *in)
{
    order_look(ring);
    uint32_t asleep = atomic_load_explicit(&in->other->asleep, memory_order_acquire);
    if (UNLIKELY(asleep == in->asleep_for_room) &&
        reached(in->position, atomic_load_explicit(&in->other->wanted, memory_order_relaxed)))
        wake(ring, in->other, in->other_index, asleep);
}

static void lie_down(struct ring *ring, uint32_t asleep, uint64_t wanted)
{
    atomic_store_explicit(&ring->seat->wanted, wanted, memory_order_relaxed);
    atomic_store_explicit(&ring->seat->asleep, asleep, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
    if (ring->fences)
        return;
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
    ring->endpoint.system_calls++;
}

/* A wake that was decided on but not slept for would end a later sleep at once. */
static void get_up(struct ring *ring, uint32_t asleep, bool woken)
{
    uint32_t was = atomic_exchange(&ring->seat->asleep, AWAKE);
    if (ring->strategy->counts && was == AWAKE && !woken)
        ring->strategy->sleep(ring, asleep);
}

/* ---- waiting ---- */

typedef bool ready_function(struct ring *ring, struct ring_end *end, uint64_t wanted);

/* `end` is whom the wait is for; NULL is anybody. */
static bool is_over(struct ring *ring, const struct ring_end *end, bool thorough)
{
    if (!thorough)
        return end != NULL ? roster_has_left(&ring->roster, end->other_index)
                           : roster_all_left(&ring->roster);
    ring->endpoint.system_calls++;
    return end != NULL ? roster_is_gone(&ring->roster, end->other_index) : roster_all_gone(&ring->roster);
}

/* False if it never will be ready, because who could make it so is gone. Inline, so that each kind of wait
 * looks at its own counter without a call. */
ALWAYS_INLINE bool await(struct ring *ring, ready_function *is_ready, struct ring_end *end, uint64_t wanted,
                         uint32_t asleep)
{
    const struct ring_strategy *strategy = ring->strategy;
    for (;;) {
        for (uint32_t i = 0; i < strategy->looks; i += ring->pauses) {
            if (is_ready(ring, end, wanted))
                return true;
            for (uint32_t pause = 0; pause < ring->pauses; pause++)
                cpu_pause();
        }
        bool woken = false;
        if (strategy->sleeps) {
            lie_down(ring, asleep, wanted);
            bool ready = is_ready(ring, end, wanted);
            /* Who left before this side lay down wakes nobody any more. */
            if (!ready && !is_over(ring, end, false)) {
                woken = strategy->sleep(ring, asleep);
                ring->endpoint.system_calls++;
            }
            get_up(ring, asleep, woken);
            if (ready)
                return true;
        }
        /* What was published before the other side went is still there. */
        if (is_over(ring, end, !woken))
            return is_ready(ring, end, wanted);
    }
}

static inline bool has_room(struct ring *ring, struct ring_end *out, uint64_t wanted)
{
    (void)ring;
    out->peer_position = atomic_load_explicit(&out->lane->tail, memory_order_acquire);
    return reached(out->peer_position, wanted);
}

/* A producer that found the lane full waits until a quarter of it is free: taking each slot the moment it is
 * released would pass the tail's cache line to and fro for every message. */
static bool await_room(struct ring *ring, struct ring_end *out)
{
    uint64_t one = out->position - out->slot_count + 1;
    if (has_room(ring, out, one))
        return true;
    return await(ring, has_room, out, one - 1 + out->slot_count / 4, out->asleep_for_room);
}

static inline bool has_data(struct ring *ring, struct ring_end *in, uint64_t wanted)
{
    (void)ring;
    in->peer_position = atomic_load_explicit(&in->lane->head, memory_order_acquire);
    return reached(in->peer_position, wanted);
}

static inline struct ring_end *next_of(struct ring_end *ends, struct ring_end *end, int count)
{
    return end + 1 == ends + count ? ends : end + 1;
}

/* Looks at every lane, from the one whose turn it is, and leaves ring->in at the first that has something. */
static inline bool has_any_data(struct ring *ring, struct ring_end *ignored, uint64_t unused)
{
    (void)ignored;
    (void)unused;
    for (int i = 0; i < ring->others; i++) {
        struct ring_end *in = ring->in;
        if (in->position != in->peer_position || has_data(ring, in, in->position + 1))
            return true;
        ring->in = next_of(ring->ins, in, ring->others);
    }
    return false;
}

static bool await_message(struct ring *ring)
{
    struct ring_end *in = ring->in;
    if (ring->others == 1)
        return await(ring, has_data, in, in->position + 1, ASLEEP_FOR_DATA);
    return await(ring, has_any_data, NULL, 0, ASLEEP_FOR_DATA);
}

static bool await_piece(struct ring *ring, struct ring_end *in)
{
    return await(ring, has_data, in, in->position + 1, ASLEEP_FOR_DATA);
}

/* ---- messages ---- */

ALWAYS_INLINE void advance(struct ring_end *end, size_t slot_bytes)
{
    end->position++;
    end->offset += slot_bytes;
    if (end->offset == end->slot_count * slot_bytes)
        end->offset = 0;
}

/* Copies what was written a moment ago, a word here and there (payload.h: header and trailer). A load that
 * spans such a store and older bytes cannot be forwarded from the store buffer: it waits until all before it,
 * the peer's cache lines of the last message among them, have reached the cache, and the copies of a stream
 * would no longer overlap. So these words are loaded as they were stored, by an empty asm that keeps the
 * compiler from joining them; see Intel's optimization manual, "Store Forwarding". */
ALWAYS_INLINE void copy_word(unsigned char *to, const unsigned char *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
    __asm__ volatile("" : "+r"(word));
    memcpy(to, &word, sizeof word);
}

ALWAYS_INLINE void copy_half_word(unsigned char *to, const unsigned char *from)
{
    uint32_t half;
    memcpy(&half, from, sizeof half);
    __asm__ volatile("" : "+r"(half));
    memcpy(to, &half, sizeof half);
}

ALWAYS_INLINE void copy_just_written(unsigned char *to, const unsigned char *from, size_t bytes)
{
    if (bytes < PAYLOAD_TRAILER_FROM_BYTES) {
        memcpy(to, from, bytes);
        return;
    }
    copy_word(to, from);
    copy_half_word(to + 8, from + 8);
    copy_half_word(to + 12, from + 12);
    if (bytes == LINE_BYTES)
        memcpy(to + 16, from + 16, LINE_BYTES - 24);
    else
        memcpy(to + 16, from + 16, bytes - 24);
    copy_word(to + bytes - 8, from + bytes - 8);
}

ssize_t ring_send(void *state, const void *message, size_t bytes)
{
    struct ring *ring = state;
    struct ring_end *out = ring->out;
    const unsigned char *from = message;
    size_t left = bytes;
    do {
        if (out->position - out->peer_position == out->slot_count && !await_room(ring, out))
            return -EPIPE;
        size_t piece = left < ring->slot_bytes ? left : ring->slot_bytes;
        copy_just_written(out->slots + out->offset, from, piece);
        advance(out, ring->slot_bytes);
        atomic_store_explicit(&out->lane->head, out->position, memory_order_release);
        wake_for_data(ring, out);
        from += piece;
        left -= piece;
    } while (left > 0);
    if (UNLIKELY(ring->others > 1) && ring->side == SEAT_SENDER)
        ring->out = next_of(ring->outs, out, ring->others);
    return (ssize_t)bytes;
}

ssize_t ring_receive(void *state, void *message, size_t bytes)
{
    struct ring *ring = state;
    if (ring->in->position == ring->in->peer_position && !await_message(ring))
        return 0;
    struct ring_end *in = ring->in;
    unsigned char *to = message;
    size_t left = bytes;
    for (;;) {
        size_t piece = left < ring->slot_bytes ? left : ring->slot_bytes;
        memcpy(to, in->slots + in->offset, piece);
        advance(in, ring->slot_bytes);
        atomic_store_explicit(&in->lane->tail, in->position, memory_order_release);
        wake_for_room(ring, in);
        to += piece;
        left -= piece;
        if (left == 0)
            break;
        if (in->position == in->peer_position && !await_piece(ring, in))
            return -EPIPE;
    }
    if (UNLIKELY(ring->others > 1)) {
        if (ring->side == SEAT_RECEIVER)
            ring->out = &ring->outs[in - ring->ins];
        ring->in = next_of(ring->ins, in, ring->others);
    }
    return (ssize_t)bytes;
}

/* ---- seats ---- */

static const struct ring_strategy *strategy_for(const struct channel *channel, struct err *err)
{
    const struct ring_strategy *strategy = ring_strategy_of(channel->wait);
    if (strategy == NULL)
        err_set(err, EINVAL, "shared memory does not wait by \"%s\"", wait_names[channel->wait]);
    return strategy;
}

int ring_open(struct ring *ring, void *memory, const struct channel *channel, struct err *err)
{
    struct ring_object *object = memory;
    *ring = (struct ring){.leader = getpid()};
    memset(ring->eventfds, -1, sizeof ring->eventfds);
    const struct ring_strategy *strategy = strategy_for(channel, err);
    if (strategy == NULL)
        return -EINVAL;
    ring->strategy = strategy;
    object->waits.leader = ring->leader;
    return strategy->open != NULL ? strategy->open(ring, object, channel, err) : 0;
}

void ring_close(struct ring *ring)
{
    if (ring->strategy != NULL && ring->strategy->leave != NULL)
        ring->strategy->leave(ring);
    ring->strategy = NULL;
}

/* A round trip looks as often as it can. In a stream a look that finds nothing new takes the counter's cache
 * line away from the side that is about to write it; who looks seldom lets the other get ahead, and finds
 * hundreds of messages at once: 64 bytes in 9 ns rather than 20. Nobody waits for one message. */
static uint32_t pauses_for(const struct channel *channel, const struct ring_strategy *strategy)
{
    return channel->pattern == PATTERN_STREAM && strategy->looks > STREAM_PAUSES ? STREAM_PAUSES : 1;
}

static void take_ends(struct ring *ring, const struct channel *channel)
{
    bool sends = ring->side == SEAT_SENDER;
    for (int i = 0; i < ring->others; i++) {
        int sender = sends ? ring->seat_index : i, receiver = sends ? i : ring->seat_index;
        struct ring_end out = end_of(ring->object, channel, LANES_OUT, sender, receiver);
        struct ring_end back = end_of(ring->object, channel, LANES_BACK, sender, receiver);
        out.other = back.other = &ring->object->seats[1 - ring->side][i];
        out.other_index = back.other_index = i;
        ring->outs[i] = sends ? out : back;
        ring->ins[i] = sends ? back : out;
    }
    ring->out = ring->outs;
    ring->in = ring->ins;
}

int ring_attach(struct ring *ring, void *memory, const struct channel *channel, struct seat seat,
                struct err *err)
{
    const struct ring_strategy *strategy = strategy_for(channel, err);
    if (strategy == NULL)
        return -EINVAL;
    bool stranger = ring->leader == 0;
    struct ring_object *object = memory;
    touch_pages(memory, ring_object_bytes(channel));
    ring->strategy = strategy;
    ring->fences = strategy->fences || (strategy->sleeps && !register_membarrier());
    ring->pauses = pauses_for(channel, strategy);
    ring->slot_bytes = slot_bytes_for(channel);
    ring->others = seat.side == SEAT_SENDER ? channel->receivers : channel->senders;
    ring->side = seat.side;
    ring->seat_index = seat.index;
    ring->object = object;
    ring->seat = &object->seats[seat.side][seat.index];
    take_ends(ring, channel);
    ring->endpoint = (struct endpoint){.buffer_bytes = (int64_t)(slot_count_for(channel, LANES_OUT) *
                                                                 ring->slot_bytes * pair_count(channel))};
    int result = strategy->join != NULL ? strategy->join(ring, stranger, err) : 0;
    if (result == 0)
        roster_sit(&ring->roster, &object->roster, channel, seat);
    return result;
}

void ring_detach(struct ring *ring)
{
    if (ring->object == NULL)
        return;
    roster_leave(&ring->roster);
    for (int i = 0; i < ring->others; i++) {
        struct ring_seat *other = ring->outs[i].other;
        uint32_t asleep = atomic_load(&other->asleep);
        if (asleep != AWAKE && ring->strategy->sleeps)
            wake(ring, other, i, asleep);
    }
    ring_close(ring);
    ring->object = NULL;
}
