/* ring: message passing through plain shared memory, one engine for every mechanism that only shares memory.
 *
 * A ring object is what the processes map. Between each sender and each receiver it has two lanes, one each
 * way, so that every lane has exactly one producer and one consumer. A lane is an array of slots of equal
 * size and two counters: head (slots published, written by the producer alone) and tail (slots consumed,
 * written by the consumer alone). Neither needs a lock; a release store of head after the copy and an acquire
 * load before reading it are all the order there is. Each side keeps a copy of the other's counter that it
 * refreshes only when the lane looks full or empty.
 *
 * Many to many is many lanes, not a shared one: a sender gives its messages to the receivers in turn, a
 * receiver looks at its lanes in turn, and one sender with one receiver pays nothing for it. A receiver's own
 * messages go back to the sender of the message it received last.
 *
 * Memory does not wake anybody, so a ring is combined with a wait (ring_waits.c): looking again and again, or
 * sleeping on something of the kernel's until the other side sees that it must wake it. A message longer than
 * a slot travels in pieces, so that the copy in and the copy out overlap.
 *
 * The memory may be mapped at different addresses: it holds offsets and counts, no pointers.
 *
 * Sources: L. Lamport, Specifying Concurrent Program Modules (1983), for the queue of one producer and one
 * consumer; E. Rigtorp, Optimizing a ring buffer for throughput (2021), for the cached counters; futex(2);
 * membarrier(2), whose MEMBARRIER_CMD_GLOBAL_EXPEDITED lets the side that goes to sleep pay for the barrier.
 */
#ifndef IPCLAB_WORKERS_RING_H
#define IPCLAB_WORKERS_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/roster.h"

#define RING_WAITS ((1u << WAIT_MEMORY_COUNT) - 1)

struct ring_object;
struct ring_lane;
struct ring_seat;
struct ring_strategy;

/* This process's end of a lane. */
struct ring_end {
    struct ring_lane *lane;
    unsigned char *slots;
    uint64_t slot_count;
    size_t lane_bytes;       /* of the slots */
    uint64_t position;       /* slots this side has published, or consumed */
    uint64_t peer_position;  /* the other side's counter when last looked at */
    size_t offset;           /* of the slot at position */
    struct ring_seat *other; /* where the process at the lane's other end sleeps */
    int other_index;
    uint32_t asleep_for_room; /* what its producer writes when it sleeps for room here */
};

/* A process's view of the object. Begins with struct endpoint, so that ring_send and ring_receive can stand
 * in a mechanism's table when struct ring is the first member of its state. */
struct ring {
    struct endpoint endpoint;
    size_t slot_bytes;
    size_t short_bytes;        /* a message so long fits into a slot of the only lane; 0 with several */
    struct ring_end *out, *in; /* of outs and ins: whose turn it is */
    int others;                /* how many of outs and of ins there are */
    enum seat_side side;
    const struct ring_strategy *strategy;
    bool wakes;                 /* the other side may sleep */
    bool fences;                /* a publisher orders its look by a fence: as the leader decided for all */
    uint32_t pauses;            /* between two looks */
    struct ring_object *object; /* NULL: not attached */
    struct ring_seat *seat;     /* this process's */
    int seat_index;
    struct roster_view roster;
    struct ring_end outs[CREW_SIDE_MAX], ins[CREW_SIDE_MAX];
    pid_t leader;                   /* 0 in a stranger's zeroed state */
    int eventfds[2][CREW_SIDE_MAX]; /* wait eventfd: this process's copies */
};

/* How much memory a channel needs; a multiple of the page size. Zeroed memory is an empty ring object. */
size_t ring_object_bytes(const struct channel *channel);
/* Leader, on zeroed memory: makes what the wait needs beside the memory. Undone by ring_close, which is safe
 * after a failed open and on a zeroed ring. */
int ring_open(struct ring *ring, void *memory, const struct channel *channel, struct err *err);
void ring_close(struct ring *ring);
/* Worker: takes the seat and touches every page, so that no first touch falls into timed work. */
int ring_attach(struct ring *ring, void *memory, const struct channel *channel, struct seat seat,
                struct err *err);
ssize_t ring_send(void *ring, const void *message, size_t bytes);
ssize_t ring_receive(void *ring, void *message, size_t bytes);
/* Tells the other side that nothing more comes, and wakes it. The memory stays mapped: that is the
 * mechanism's. */
void ring_detach(struct ring *ring);

#endif
