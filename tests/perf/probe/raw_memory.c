/* The raw loops through memory: a flag and a payload, a ring of one producer and one consumer, a futex, and
 * memcpy itself, the ceiling of everything that copies. */
#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/perf/probe/raw.h"
#include "workers/futex.h"

enum {
    FLAG_BYTES_MAX = 64 * 1024,
    RING_BYTES = 4 * 1024 * 1024, /* beyond the second-level cache: the two seldom meet */
    RING_PIECE_BYTES = 32 * 1024, /* of a longer message, so that copying in and out overlap */
    MESSAGE_BYTES_MAX_RAW = 16 * 1024 * 1024,
};

static void *map_shared(size_t bytes)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    memset(memory, 0, bytes);
    return memory;
}

static inline void forget(const void *memory)
{
    __asm__ volatile("" ::"r"(memory) : "memory");
}

/* ---- flag and payload ---- */

struct flag_side {
    alignas(RAW_LINE_BYTES) _Atomic uint32_t flag;
    alignas(RAW_LINE_BYTES) unsigned char payload[FLAG_BYTES_MAX];
};

struct flag_memory {
    struct flag_side there, back;
};

struct flag_end {
    struct flag_memory *memory;
    unsigned char *payload;
    size_t bytes;
    uint32_t number;
    bool sleeps;
};

static inline void flag_put(const struct flag_end *end, struct flag_side *side)
{
    memcpy(side->payload, end->payload, end->bytes);
    atomic_store_explicit(&side->flag, end->number, memory_order_release);
    if (end->sleeps)
        futex_wake_all(&side->flag);
}

static inline void flag_get(const struct flag_end *end, struct flag_side *side)
{
    uint32_t seen;
    while ((seen = atomic_load_explicit(&side->flag, memory_order_acquire)) != end->number)
        if (end->sleeps)
            futex_wait(&side->flag, seen, NS_PER_S);
    memcpy(end->payload, side->payload, end->bytes);
    forget(end->payload);
}

static int flag_ask(void *context)
{
    struct flag_end *end = context;
    end->number++;
    flag_put(end, &end->memory->there);
    flag_get(end, &end->memory->back);
    return 0;
}

_Noreturn static void flag_answer(struct flag_end *end)
{
    for (;;) {
        end->number++;
        flag_get(end, &end->memory->there);
        flag_put(end, &end->memory->back);
    }
}

static int flag_run(const struct raw_case *one, struct raw_figures *figures)
{
    AUTO_FREE unsigned char *payload = calloc(1, one->bytes);
    struct flag_memory *memory = map_shared(sizeof *memory);
    if (memory == NULL || payload == NULL)
        return -ENOMEM;
    struct flag_end end = {
        .memory = memory, .payload = payload, .bytes = one->bytes, .sleeps = one->wait == WAIT_FUTEX};
    int pid = raw_fork(one->cpus[1]);
    if (pid == 0)
        flag_answer(&end);
    int result = pid < 0 ? pid : raw_pin(one->cpus[0]);
    if (result == 0)
        result = raw_time_round_trips(one, end.sleeps ? 1 : RAW_BATCH, flag_ask, &end, figures);
    if (pid > 0)
        raw_reap(pid);
    munmap(memory, sizeof *memory);
    return result;
}

/* ---- ring ---- */

struct ring_memory {
    alignas(RAW_LINE_BYTES) _Atomic uint64_t head;
    alignas(RAW_LINE_BYTES) _Atomic uint64_t tail;
    alignas(RAW_LINE_BYTES) unsigned char slots[RING_BYTES];
};

/* Each side counts slots and keeps a copy of the other's counter, which it looks up only when that copy says
 * that the ring is full, or empty. */
struct raw_ring_end {
    struct ring_memory *memory;
    unsigned char *message;
    size_t bytes, slot_bytes;
    uint64_t slot_count, position, peer_position;
    size_t offset;
};

static inline unsigned char *ring_next_slot(struct raw_ring_end *end)
{
    unsigned char *slot = end->memory->slots + end->offset;
    end->offset += end->slot_bytes;
    if (end->offset == end->slot_count * end->slot_bytes)
        end->offset = 0;
    return slot;
}

static inline void ring_put(struct raw_ring_end *end, const unsigned char *piece, size_t bytes)
{
    while (end->position - end->peer_position == end->slot_count)
        end->peer_position = atomic_load_explicit(&end->memory->tail, memory_order_acquire);
    memcpy(ring_next_slot(end), piece, bytes);
    atomic_store_explicit(&end->memory->head, ++end->position, memory_order_release);
}

static inline void ring_get(struct raw_ring_end *end, unsigned char *piece, size_t bytes)
{
    while (end->position == end->peer_position)
        end->peer_position = atomic_load_explicit(&end->memory->head, memory_order_acquire);
    memcpy(piece, ring_next_slot(end), bytes);
    atomic_store_explicit(&end->memory->tail, ++end->position, memory_order_release);
}

static inline size_t piece_bytes(const struct raw_ring_end *end, size_t at)
{
    size_t left = end->bytes - at;
    return left < RING_PIECE_BYTES ? left : RING_PIECE_BYTES;
}

_Noreturn static void ring_send_all(struct raw_ring_end *end)
{
    for (;;) {
        for (size_t at = 0; at < end->bytes; at += RING_PIECE_BYTES)
            ring_put(end, end->message + at, piece_bytes(end, at));
        forget(end->message);
    }
}

static int ring_receive_one(void *context)
{
    struct raw_ring_end *end = context;
    for (size_t at = 0; at < end->bytes; at += RING_PIECE_BYTES)
        ring_get(end, end->message + at, piece_bytes(end, at));
    forget(end->message);
    return 0;
}

static int ring_run(const struct raw_case *one, struct raw_figures *figures)
{
    size_t slot_bytes = one->bytes < RING_PIECE_BYTES ? (one->bytes + 63) / 64 * 64 : RING_PIECE_BYTES;
    AUTO_FREE unsigned char *message = calloc(1, one->bytes);
    struct ring_memory *memory = map_shared(sizeof *memory);
    if (memory == NULL || message == NULL)
        return -ENOMEM;
    struct raw_ring_end end = {.memory = memory,
                               .message = message,
                               .bytes = one->bytes,
                               .slot_bytes = slot_bytes,
                               .slot_count = RING_BYTES / slot_bytes};
    int pid = raw_fork(one->cpus[0]);
    if (pid == 0)
        ring_send_all(&end);
    int result = pid < 0 ? pid : raw_pin(one->cpus[1]);
    if (result == 0)
        result = raw_time_stream(one, ring_receive_one, &end, figures);
    if (pid > 0)
        raw_reap(pid);
    munmap(memory, sizeof *memory);
    return result;
}

/* ---- memcpy ---- */

struct copy {
    unsigned char *from, *to;
    size_t bytes;
};

static int copy_one(void *context)
{
    struct copy *copy = context;
    memcpy(copy->to, copy->from, copy->bytes);
    forget(copy->to);
    return 0;
}

static int copy_run(const struct raw_case *one, struct raw_figures *figures)
{
    AUTO_FREE unsigned char *from = calloc(1, one->bytes), *to = calloc(1, one->bytes);
    if (from == NULL || to == NULL)
        return -ENOMEM;
    memset(from, 1, one->bytes); /* calloc's pages may all be the one page of zeros */
    struct copy copy = {.from = from, .to = to, .bytes = one->bytes};
    int result = raw_pin(one->cpus[0]);
    return result < 0 ? result : raw_time_stream(one, copy_one, &copy, figures);
}

#define ROUND_TRIP (1u << PATTERN_ROUND_TRIP)
#define STREAM (1u << PATTERN_STREAM)
const struct raw_loop raw_memory_loops[] = {
    {"flag", ROUND_TRIP, 1u << WAIT_SPIN | 1u << WAIT_FUTEX, FLAG_BYTES_MAX, flag_run},
    {"ring", STREAM, 1u << WAIT_SPIN, MESSAGE_BYTES_MAX_RAW, ring_run},
    {"memcpy", STREAM, 1u << WAIT_SPIN, MESSAGE_BYTES_MAX_RAW, copy_run},
    {.name = NULL},
};
