#include "workers/ring.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/futex.h"
#include "workers/pause.h"

enum {
    LINE_BYTES = 64,
    OWN_LINE_BYTES = 128,
    PAGE_BYTES = 4096,
    SLOT_BYTES_MIN = 8,
    SLOT_BYTES_MAX = 32 * 1024,
    SLOTS_MIN = 8,
    LARGE_SLOTS = 64,
    STREAM_BYTES = 4 * 1024 * 1024, /* beyond the second-level cache: neither side waits for the other */
};

/* A sleeper's word: 1 while it sleeps, or is about to, until the counter it watches has reached wanted. */
struct bell {
    alignas(OWN_LINE_BYTES) _Atomic uint32_t asleep;
    _Atomic uint64_t wanted;
};

struct ring_lane {
    alignas(OWN_LINE_BYTES) _Atomic uint64_t head;
    alignas(OWN_LINE_BYTES) _Atomic uint64_t tail;
    struct bell data; /* the consumer sleeps here */
    struct bell room; /* the producer sleeps here */
};

struct ring_side {
    alignas(OWN_LINE_BYTES) _Atomic int32_t pid; /* 0 until attached */
    _Atomic uint32_t closed;
};

struct ring_object {
    struct ring_side sides[2];
    struct ring_lane lanes[2]; /* lane 0 leads from side 0 to side 1 */
};

/* How long to look before sleeping. Waking a process on another CPU takes 25-50 us, so it pays to look for
 * about that long first; the plain spin looks for about 2 ms between two checks of the peer. */
struct wait_strategy {
    uint32_t looks;
    bool sleeps;
};
static const struct wait_strategy strategies[WAIT_COUNT] = {
    [WAIT_SPIN] = {.looks = 1 << 16, .sleeps = false},
    [WAIT_SPIN_FUTEX] = {.looks = 1500, .sleeps = true},
    [WAIT_FUTEX] = {.looks = 1, .sleeps = true},
};

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

/* A round trip has one message under way, and the least that lets its pieces overlap would do. Measured here:
 * 64 bytes go to and fro in the time of a bare flag and payload with 8 slots, and in nearly twice that with a
 * thousand, because their lines do not stay in the first-level caches. From a page on it is the other way
 * round: 64 KiB take a third of the time with 64 slots, whose lines have left the peer's caches before they
 * are written again. A stream uses one lane; the other then has the least. */
static uint64_t slot_count_for(const struct channel *channel, int lane)
{
    size_t slot_bytes = slot_bytes_for(channel);
    size_t wanted = channel->pattern == PATTERN_STREAM ? STREAM_BYTES
                    : slot_bytes >= PAGE_BYTES         ? LARGE_SLOTS * slot_bytes
                                                       : 0;
    if (channel->buffer_bytes > 0)
        wanted = (size_t)channel->buffer_bytes;
    if (channel->pattern == PATTERN_STREAM && lane == 1)
        wanted = 0;
    size_t count = wanted / slot_bytes;
    return count < SLOTS_MIN ? SLOTS_MIN : count;
}

static size_t lane_bytes(const struct channel *channel, int lane)
{
    return round_up((size_t)slot_count_for(channel, lane) * slot_bytes_for(channel), PAGE_BYTES);
}

size_t ring_object_bytes(const struct channel *channel)
{
    return round_up(sizeof(struct ring_object), PAGE_BYTES) + lane_bytes(channel, 0) + lane_bytes(channel, 1);
}

static struct ring_end end_of(struct ring_object *object, const struct channel *channel, int lane)
{
    unsigned char *slots = (unsigned char *)object + round_up(sizeof *object, PAGE_BYTES);
    return (struct ring_end){
        .lane = &object->lanes[lane],
        .slots = lane == 0 ? slots : slots + lane_bytes(channel, 0),
        .slot_count = slot_count_for(channel, lane),
    };
}

/* A write that changes nothing: it gives this process a writable page-table entry whatever the page holds. */
static void touch_pages(unsigned char *memory, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += PAGE_BYTES)
        atomic_fetch_or_explicit((_Atomic unsigned char *)(memory + at), 0, memory_order_relaxed);
}

/* ---- the bells ----
 *
 * The producer publishes, then looks whether the consumer sleeps; the consumer says that it sleeps, then
 * looks whether something was published. Each must see the other's store or both would wait: the store-load
 * order that needs a full barrier on both sides (Dekker). A barrier for each message would cost more than
 * the message, so the side that goes to sleep, which is slow anyway, runs membarrier(2): the kernel makes
 * every other registered process that is running execute a barrier, and the publisher needs none. */

static bool register_membarrier(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0;
}

static void order_sleep(struct ring *ring)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (ring->wait == WAIT_FUTEX)
        return; /* its publisher fences, see ring_attach */
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
    ring->endpoint.system_calls++;
}

static bool reached(uint64_t counter, uint64_t wanted)
{
    return (int64_t)(counter - wanted) >= 0;
}

static void wake(struct ring *ring, struct bell *bell)
{
    atomic_store_explicit(&bell->asleep, 0, memory_order_relaxed);
    futex_wake_all(&bell->asleep);
    ring->endpoint.system_calls++;
}

/* After the counter was moved to position. */
static inline void ring_bell(struct ring *ring, struct bell *bell, uint64_t position)
{
    if (ring->fence_bell)
        atomic_thread_fence(memory_order_seq_cst);
    else
        atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(atomic_load_explicit(&bell->asleep, memory_order_relaxed) != 0, 0) &&
        reached(position, atomic_load_explicit(&bell->wanted, memory_order_relaxed)))
        wake(ring, bell);
}

/* False if nothing happened for half the time in which a dead peer has to be noticed. */
static bool sleep_until(struct ring *ring, struct bell *bell, _Atomic uint64_t *counter, uint64_t wanted)
{
    atomic_store_explicit(&bell->wanted, wanted, memory_order_relaxed);
    atomic_store_explicit(&bell->asleep, 1, memory_order_release);
    order_sleep(ring);
    bool woken = true;
    if (!reached(atomic_load_explicit(counter, memory_order_acquire), wanted)) {
        woken = futex_wait(&bell->asleep, 1, MECHANISM_PEER_CHECK_NS / 2);
        ring->endpoint.system_calls++;
    }
    atomic_store_explicit(&bell->asleep, 0, memory_order_relaxed);
    return woken;
}

/* ---- the peer ---- */

/* A pidfd rather than kill(pid, 0): that one succeeds for a zombie nobody has waited for yet. */
static bool peer_has_died(struct ring *ring)
{
    pid_t pid = atomic_load_explicit(&ring->object->sides[1 - ring->side].pid, memory_order_relaxed);
    if (pid == 0)
        return false;
    if (ring->peer_pidfd < 0) {
        ring->peer_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (ring->peer_pidfd < 0)
            return errno == ESRCH;
    }
    struct pollfd peer = {.fd = ring->peer_pidfd, .events = POLLIN};
    ring->endpoint.system_calls++;
    return poll(&peer, 1, 0) > 0;
}

static bool peer_has_closed(const struct ring *ring)
{
    return atomic_load_explicit(&ring->object->sides[1 - ring->side].closed, memory_order_acquire) != 0;
}

/* Waits until the counter has reached wanted. -EPIPE if it never will, because the peer is gone. */
static int await_counter(struct ring *ring, _Atomic uint64_t *counter, uint64_t wanted, struct bell *bell,
                         uint64_t *seen)
{
    const struct wait_strategy *strategy = &strategies[ring->wait];
    for (;;) {
        for (uint32_t i = 0; i < strategy->looks; i++) {
            *seen = atomic_load_explicit(counter, memory_order_acquire);
            if (reached(*seen, wanted))
                return 0;
            cpu_pause();
        }
        bool woken = strategy->sleeps && sleep_until(ring, bell, counter, wanted);
        if (peer_has_closed(ring) || (!woken && peer_has_died(ring))) {
            /* What it published before it went is still there. */
            *seen = atomic_load_explicit(counter, memory_order_acquire);
            return reached(*seen, wanted) ? 0 : -EPIPE;
        }
    }
}

/* A producer that found the lane full waits until a quarter of it is free: taking each slot the moment it is
 * released would pass the tail's cache line to and fro for every message. */
static int await_room(struct ring *ring)
{
    struct ring_end *out = &ring->out;
    out->peer_position = atomic_load_explicit(&out->lane->tail, memory_order_acquire);
    if (out->position - out->peer_position < out->slot_count)
        return 0;
    uint64_t wanted = out->position - out->slot_count + out->slot_count / 4;
    return await_counter(ring, &out->lane->tail, wanted, &out->lane->room, &out->peer_position);
}

static int await_data(struct ring *ring)
{
    struct ring_end *in = &ring->in;
    return await_counter(ring, &in->lane->head, in->position + 1, &in->lane->data, &in->peer_position);
}

/* ---- messages ---- */

static inline void advance(struct ring_end *end, size_t slot_bytes)
{
    end->position++;
    end->offset += slot_bytes;
    if (end->offset == end->slot_count * slot_bytes)
        end->offset = 0;
}

ssize_t ring_send(void *state, const void *message, size_t bytes)
{
    struct ring *ring = state;
    struct ring_end *out = &ring->out;
    const unsigned char *from = message;
    size_t left = bytes;
    do {
        if (out->position - out->peer_position == out->slot_count) {
            int result = await_room(ring);
            if (result < 0)
                return result;
        }
        size_t piece = left < ring->slot_bytes ? left : ring->slot_bytes;
        memcpy(out->slots + out->offset, from, piece);
        advance(out, ring->slot_bytes);
        atomic_store_explicit(&out->lane->head, out->position, memory_order_release);
        ring_bell(ring, &out->lane->data, out->position);
        from += piece;
        left -= piece;
    } while (left > 0);
    return (ssize_t)bytes;
}

ssize_t ring_receive(void *state, void *message, size_t bytes)
{
    struct ring *ring = state;
    struct ring_end *in = &ring->in;
    unsigned char *to = message;
    size_t left = bytes;
    do {
        if (in->position == in->peer_position && await_data(ring) < 0)
            return left == bytes ? 0 : -EPIPE;
        size_t piece = left < ring->slot_bytes ? left : ring->slot_bytes;
        memcpy(to, in->slots + in->offset, piece);
        advance(in, ring->slot_bytes);
        atomic_store_explicit(&in->lane->tail, in->position, memory_order_release);
        ring_bell(ring, &in->lane->room, in->position);
        to += piece;
        left -= piece;
    } while (left > 0);
    return (ssize_t)bytes;
}

/* ---- seats ---- */

int ring_attach(struct ring *ring, void *memory, const struct channel *channel, struct seat seat,
                struct err *err)
{
    if ((RING_WAITS & 1u << channel->wait) == 0)
        return err_set(err, EINVAL, "shared memory does not wait by \"%s\"", wait_names[channel->wait]);
    int side = seat.side == SEAT_SENDER ? 0 : 1;
    touch_pages(memory, ring_object_bytes(channel));
    /* With wait futex every message sleeps, mostly on one CPU: there a fence is cheaper than a membarrier. */
    bool fence_bell =
        channel->wait == WAIT_FUTEX || (strategies[channel->wait].sleeps && !register_membarrier());
    struct ring_object *object = memory;
    *ring = (struct ring){
        .object = object,
        .slot_bytes = slot_bytes_for(channel),
        .out = end_of(object, channel, side),
        .in = end_of(object, channel, 1 - side),
        .wait = channel->wait,
        .side = side,
        .fence_bell = fence_bell,
        .peer_pidfd = -1,
    };
    ring->endpoint.buffer_bytes = (int64_t)(slot_count_for(channel, 0) * ring->slot_bytes);
    atomic_store_explicit(&object->sides[side].pid, getpid(), memory_order_release);
    return 0;
}

void ring_detach(struct ring *ring)
{
    if (ring->object == NULL)
        return;
    atomic_store_explicit(&ring->object->sides[ring->side].closed, 1, memory_order_seq_cst);
    wake(ring, &ring->out.lane->data);
    wake(ring, &ring->in.lane->room);
    if (ring->peer_pidfd >= 0)
        close(ring->peer_pidfd);
    ring->peer_pidfd = -1;
    ring->object = NULL;
}
