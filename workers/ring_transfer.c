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
#define NOT_INLINE static __attribute__((noinline))
#define UNLIKELY(condition) __builtin_expect((condition), 0)

/* ---- sleeping and waking ----
 *
 * The producer publishes, then looks whether the consumer sleeps; the consumer says that it sleeps, then
 * looks whether something was published. Each must see the other's store or both would wait: the store-load
 * order that needs a full barrier on both sides (Dekker). A barrier for each message would cost more than
 * the message, so the side that goes to sleep, which is slow anyway, runs membarrier(2): the kernel makes
 * every other registered process that is running execute a barrier, and the publisher needs none. Where every
 * message sleeps, mostly on one CPU, a fence is cheaper than a membarrier. */

static bool reached(uint64_t counter, uint64_t wanted)
{
    return (int64_t)(counter - wanted) >= 0;
}

void ring_wake(struct ring *ring, struct ring_seat *other, int index, uint32_t asleep)
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
ALWAYS_INLINE bool must_wake_for_data(struct ring *ring, struct ring_end *out)
{
    if (!ring->wakes)
        return false;
    order_look(ring);
    return atomic_load_explicit(&out->other->asleep, memory_order_acquire) == ASLEEP_FOR_DATA;
}

/* After tail was moved. */
ALWAYS_INLINE bool must_wake_for_room(struct ring *ring, struct ring_end *in)
{
    if (!ring->wakes)
        return false;
    order_look(ring);
    return atomic_load_explicit(&in->other->asleep, memory_order_acquire) == in->asleep_for_room &&
           reached(in->position, atomic_load_explicit(&in->other->wanted, memory_order_relaxed));
}

/* Both return the message's length, so that they can be what a send or a receive ends with. */
NOT_INLINE ssize_t wake_receiver(struct ring *ring, struct ring_end *out, size_t bytes)
{
    ring_wake(ring, out->other, out->other_index, ASLEEP_FOR_DATA);
    return (ssize_t)bytes;
}

NOT_INLINE ssize_t wake_sender(struct ring *ring, struct ring_end *in, size_t bytes)
{
    ring_wake(ring, in->other, in->other_index, in->asleep_for_room);
    return (ssize_t)bytes;
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

ALWAYS_INLINE bool is_full(const struct ring_end *out)
{
    return out->position - out->peer_position == out->slot_count;
}

ALWAYS_INLINE bool is_empty(const struct ring_end *in)
{
    return in->position == in->peer_position;
}

ALWAYS_INLINE void advance(struct ring_end *end, size_t slot_bytes)
{
    end->position++;
    end->offset += slot_bytes;
    if (UNLIKELY(end->offset == end->lane_bytes))
        end->offset = 0;
}

/* Copies what was written a moment ago word by word (payload.h: header and trailer). A load that spans such a
 * store and older bytes cannot be forwarded from the store buffer: it waits until all before it, the peer's
 * cache lines of the last message among them, have reached the cache, and the copies of a stream would no
 * longer overlap. So these words are loaded as they were stored, by an empty asm that keeps the compiler from
 * joining them; see Intel's optimization manual, "Store Forwarding". */
ALWAYS_INLINE void copy_word(unsigned char *to, const unsigned char *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
    __asm__ volatile("" : "+r"(word));
    memcpy(to, &word, sizeof word);
}

ALWAYS_INLINE void copy_just_written(unsigned char *to, const unsigned char *from, size_t bytes)
{
    copy_word(to, from);
    copy_word(to + 8, from + 8);
    memcpy(to + 16, from + 16, bytes - 24);
    copy_word(to + bytes - 8, from + bytes - 8);
}

ALWAYS_INLINE void copy_words(unsigned char *to, const unsigned char *from, size_t bytes)
{
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= bytes; at += sizeof(uint64_t))
        copy_word(to + at, from + at);
    for (; at < bytes; at++) {
        to[at] = from[at];
        __asm__ volatile("" ::: "memory"); /* or the compiler calls memcpy */
    }
}

/* A message of up to a line is copied without a call: the registers that a call makes a function save cost
 * more than the copy. A whole line, of known length, takes no loop either. */
ALWAYS_INLINE void copy_in(unsigned char *slot, const unsigned char *from, size_t bytes, bool is_short)
{
    if (bytes == LINE_BYTES)
        copy_just_written(slot, from, LINE_BYTES);
    else if (is_short)
        copy_words(slot, from, bytes);
    else if (bytes >= PAYLOAD_TRAILER_FROM_BYTES)
        copy_just_written(slot, from, bytes);
    else
        memcpy(slot, from, bytes);
}

ALWAYS_INLINE void copy_out(unsigned char *to, const unsigned char *slot, size_t bytes, bool is_short)
{
    if (bytes == LINE_BYTES)
        memcpy(to, slot, LINE_BYTES);
    else if (is_short)
        copy_words(to, slot, bytes);
    else
        memcpy(to, slot, bytes);
}

ALWAYS_INLINE void put(struct ring *ring, struct ring_end *out, const unsigned char *piece, size_t bytes,
                       bool is_short)
{
    copy_in(out->slots + out->offset, piece, bytes, is_short);
    advance(out, ring->slot_bytes);
    atomic_store_explicit(&out->lane->head, out->position, memory_order_release);
}

ALWAYS_INLINE void take(struct ring *ring, struct ring_end *in, unsigned char *piece, size_t bytes,
                        bool is_short)
{
    copy_out(piece, in->slots + in->offset, bytes, is_short);
    advance(in, ring->slot_bytes);
    atomic_store_explicit(&in->lane->tail, in->position, memory_order_release);
}

/* ---- a message in pieces, or to one of several ---- */

NOT_INLINE ssize_t send_pieces(struct ring *ring, const unsigned char *from, size_t bytes)
{
    struct ring_end *out = ring->out;
    size_t left = bytes;
    do {
        if (is_full(out) && !await_room(ring, out))
            return -EPIPE;
        size_t piece = left < ring->slot_bytes ? left : ring->slot_bytes;
        put(ring, out, from, piece, false);
        if (UNLIKELY(must_wake_for_data(ring, out)))
            wake_receiver(ring, out, piece);
        from += piece;
        left -= piece;
    } while (left > 0);
    if (ring->others > 1 && ring->side == SEAT_SENDER)
        ring->out = next_of(ring->outs, out, ring->others);
    return (ssize_t)bytes;
}

NOT_INLINE ssize_t receive_pieces(struct ring *ring, unsigned char *to, size_t bytes)
{
    if (is_empty(ring->in) && !await_message(ring))
        return 0;
    struct ring_end *in = ring->in;
    size_t left = bytes;
    for (;;) {
        size_t piece = left < ring->slot_bytes ? left : ring->slot_bytes;
        take(ring, in, to, piece, false);
        if (UNLIKELY(must_wake_for_room(ring, in)))
            wake_sender(ring, in, piece);
        to += piece;
        left -= piece;
        if (left == 0)
            break;
        if (is_empty(in) && !await_piece(ring, in))
            return -EPIPE;
    }
    if (ring->others > 1) {
        if (ring->side == SEAT_RECEIVER)
            ring->out = &ring->outs[in - ring->ins];
        ring->in = next_of(ring->ins, in, ring->others);
    }
    return (ssize_t)bytes;
}

/* ---- a short one ----
 *
 * Between two processes at full speed a message of 64 bytes takes a dozen cycles on each side, and most are
 * instructions, not memory. So what nearly every call does is done here without saving a register; whatever
 * else there may be to do is somebody else's, called last. */

ssize_t ring_send(void *state, const void *message, size_t bytes)
{
    struct ring *ring = state;
    struct ring_end *out = ring->out;
    if (UNLIKELY(bytes > ring->short_bytes || is_full(out)))
        return send_pieces(ring, message, bytes);
    put(ring, out, message, bytes, true);
    if (UNLIKELY(must_wake_for_data(ring, out)))
        return wake_receiver(ring, out, bytes);
    return (ssize_t)bytes;
}

ssize_t ring_receive(void *state, void *message, size_t bytes)
{
    struct ring *ring = state;
    struct ring_end *in = ring->in;
    if (UNLIKELY(bytes > ring->short_bytes || is_empty(in)))
        return receive_pieces(ring, message, bytes);
    take(ring, in, message, bytes, true);
    if (UNLIKELY(must_wake_for_room(ring, in)))
        return wake_sender(ring, in, bytes);
    return (ssize_t)bytes;
}
