#include "workers/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include "workers/ring_layout.h"

enum {
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
        .lane_bytes = (size_t)slot_count_for(channel, direction) * slot_bytes_for(channel),
        .asleep_for_room = ASLEEP_FOR_ROOM + (uint32_t)number,
    };
}

/* A write that changes nothing: it gives this process a writable page-table entry whatever the page holds. */
static void touch_pages(unsigned char *memory, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += PAGE_BYTES)
        atomic_fetch_or_explicit((_Atomic unsigned char *)(memory + at), 0, memory_order_relaxed);
}

/* ---- seats ---- */

/* Of the process, which others' membarrier(2) is to reach from now on. 0 or -errno. */
static int register_membarrier(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0 ? 0 : -errno;
}

/* Who publishes and who goes to sleep have to order their looks in the same way, or a wake is lost. So the
 * leader decides for all, and whom the barrier would not reach does not take a seat. */
static int join_barrier(const struct ring *ring, struct err *err)
{
    if (!ring->strategy->sleeps || ring->fences)
        return 0;
    int result = register_membarrier();
    return result < 0 ? err_errno(err, -result, "membarrier, which the crew's leader may use") : 0;
}

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
    object->waits.fences = strategy->fences || (strategy->sleeps && register_membarrier() < 0);
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
    ring->wakes = strategy->sleeps;
    ring->fences = strategy->fences || object->waits.fences;
    ring->pauses = pauses_for(channel, strategy);
    ring->slot_bytes = slot_bytes_for(channel);
    ring->others = seat.side == SEAT_SENDER ? channel->receivers : channel->senders;
    ring->short_bytes =
        ring->others == 1 ? (ring->slot_bytes < LINE_BYTES ? ring->slot_bytes : LINE_BYTES) : 0;
    ring->side = seat.side;
    ring->seat_index = seat.index;
    ring->object = object;
    ring->seat = &object->seats[seat.side][seat.index];
    take_ends(ring, channel);
    ring->endpoint = (struct endpoint){.buffer_bytes = (int64_t)(slot_count_for(channel, LANES_OUT) *
                                                                 ring->slot_bytes * pair_count(channel))};
    int result = join_barrier(ring, err);
    if (result == 0 && strategy->join != NULL)
        result = strategy->join(ring, stranger, err);
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
            ring_wake(ring, other, i, asleep);
    }
    ring_close(ring);
    ring->object = NULL;
}
