/* ring: message passing through plain shared memory, one engine for every mechanism that only shares memory.
 *
 * A ring object is what two processes map: two lanes, one each way, each with exactly one producer and one
 * consumer. A lane is an array of slots of equal size and two counters: head (slots published, written by
 * the producer alone) and tail (slots consumed, written by the consumer alone). Neither needs a lock; a
 * release store of head after the copy and an acquire load before reading it are all the order there is.
 * Every word that one side writes and the other reads stands on 128 bytes of its own, because adjacent lines
 * are fetched in pairs, and each side keeps a copy of the other's counter that it refreshes only when the
 * lane looks full or empty.
 *
 * Memory does not wake anybody, so a ring is combined with a wait: spinning, sleeping on a futex, or first
 * one and then the other. A message longer than a slot travels in pieces, so that the copy in and the copy
 * out overlap.
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

#define RING_WAITS (1u << WAIT_SPIN | 1u << WAIT_SPIN_FUTEX | 1u << WAIT_FUTEX)

struct ring_object;
struct ring_lane;

/* One side's end of a lane. Private to the process. */
struct ring_end {
    struct ring_lane *lane;
    unsigned char *slots;
    uint64_t slot_count;
    uint64_t position;      /* slots this side has published, or consumed */
    uint64_t peer_position; /* the other side's counter when last looked at */
    size_t offset;          /* of the slot at position */
};

/* A process's view of the object. Begins with struct endpoint, so that ring_send and ring_receive can stand
 * in a mechanism's table when struct ring is the first member of its state. */
struct ring {
    struct endpoint endpoint;
    struct ring_object *object;
    size_t slot_bytes;
    struct ring_end out, in;
    enum wait wait;
    int side;        /* 0: the sender's seat, 1: the receiver's */
    bool fence_bell; /* order publish and look-at-bell here, rather than by the sleeper's membarrier */
    int peer_pidfd;  /* opened when first in doubt; -1 */
};

/* How much memory a channel needs; a multiple of the page size. Zeroed memory is an empty ring object. */
size_t ring_object_bytes(const struct channel *channel);
/* Worker: takes the seat and touches every page, so that no first touch falls into timed work. */
int ring_attach(struct ring *ring, void *memory, const struct channel *channel, struct seat seat,
                struct err *err);
ssize_t ring_send(void *ring, const void *message, size_t bytes);
ssize_t ring_receive(void *ring, void *message, size_t bytes);
/* Tells the peer that nothing more comes, and wakes it. The memory stays mapped: that is the mechanism's. */
void ring_detach(struct ring *ring);

#endif
