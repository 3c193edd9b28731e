/* control: the page the processes of one crew share to run a trial, beside the channels they measure.
 *
 * A memfd made by the leader and mapped by everybody: forked workers inherit the mapping, exec'd ones the
 * descriptor (a control descriptor, not a channel's). Each field has one writer, named beside it, and what is
 * written at different times by different processes stands on 128 bytes of its own. */
#ifndef IPCLAB_WORKERS_CONTROL_H
#define IPCLAB_WORKERS_CONTROL_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/case.h"
#include "common/err.h"
#include "workers/mechanisms/mechanism.h"

enum { CONTROL_LINE_BYTES = 128, CONTROL_WORKERS_MAX = 2 * CREW_SIDE_MAX, CONTROL_CHANNELS_MAX = 2 };

/* phase */
enum { CONTROL_ATTACHING, CONTROL_ATTACHED /* the leader has closed the channels */, CONTROL_ABORTED };

struct control {
    /* leader */
    alignas(CONTROL_LINE_BYTES) _Atomic uint32_t phase; /* a futex */
    char addresses[CONTROL_CHANNELS_MAX][CHANNEL_ADDRESS_BYTES];

    /* control_barrier: everybody */
    alignas(CONTROL_LINE_BYTES) _Atomic uint32_t arrived;
    alignas(CONTROL_LINE_BYTES) _Atomic uint32_t generation; /* a futex */

    /* Each sender. Two, for blocks of odd and of even number: a sender may be preparing the next block while
     * a slow receiver still looks for the end of this one. */
    struct control_block {
        alignas(CONTROL_LINE_BYTES) _Atomic uint64_t first_sequence;
        _Atomic uint64_t last_sequence; /* UINT64_MAX until it is known */
        _Atomic int64_t begun_ns;       /* when it began to send; INT64_MAX until then */
        _Atomic int64_t finished_ns;    /* when all was sent; INT64_MAX until then */
    } senders[CREW_SIDE_MAX][2];

    /* Each worker, of the block that is over; to be read after the next barrier. */
    struct control_tallied {
        alignas(CONTROL_LINE_BYTES) uint64_t messages;
        uint64_t unplaced; /* messages so torn that they do not say which they are */
    } workers[CONTROL_WORKERS_MAX];

    /* Worker 0, before the first barrier: the moment from which all count time. */
    alignas(CONTROL_LINE_BYTES) int64_t origin_ns;

    /* distance_probe: who asks and who answers in turn; the outcome by who asks, and by who answers which
     * probe that was (upper half) and at which CPU. */
    alignas(CONTROL_LINE_BYTES) _Atomic uint64_t ping;
    alignas(CONTROL_LINE_BYTES) double distance_ns;
    alignas(CONTROL_LINE_BYTES) _Atomic uint64_t answered_at;

    /* Each worker, before it ends badly. */
    struct {
        alignas(CONTROL_LINE_BYTES) char text[CONTROL_LINE_BYTES * 2];
    } errors[CONTROL_WORKERS_MAX];
};

/* A new zeroed page; *fd is close-on-exec. NULL and *err on failure. */
struct control *control_create(int *fd, struct err *err);
/* The page behind an inherited descriptor. */
struct control *control_map(int fd, struct err *err);
void control_unmap(struct control *control);

void control_set_phase(struct control *control, uint32_t phase);
static inline bool control_is_aborted(struct control *control)
{
    return atomic_load_explicit(&control->phase, memory_order_relaxed) == CONTROL_ABORTED;
}
/* Until the leader has closed the channels: 0, -ECANCELED when the trial was aborted, -ETIMEDOUT. */
int control_wait_attached(struct control *control, int64_t deadline_ns);

/* A sender, before the barrier that begins a block. */
void control_begin_block(struct control_block *block, uint64_t first_sequence);
/* A sender, before its first message, which carries the order. */
static inline void control_note_begun(struct control_block *block, int64_t moment_ns)
{
    atomic_store_explicit(&block->begun_ns, moment_ns, memory_order_relaxed);
}
/* The moment at which the first of the senders began block `number`; INT64_MAX as long as none has. */
int64_t control_begun_ns(struct control *control, int senders, uint32_t number);
/* A sender, before it sends the last message of a block (or the first stop after it). The message itself
 * carries the order, so relaxed is enough; and the message needs no flag, which would not fit a single byte.
 */
static inline void control_announce_last(struct control_block *block, uint64_t sequence)
{
    atomic_store_explicit(&block->last_sequence, sequence, memory_order_relaxed);
}
static inline uint64_t control_last(struct control_block *block)
{
    return atomic_load_explicit(&block->last_sequence, memory_order_relaxed);
}
/* A sender, when the last send has returned. */
void control_finish_block(struct control_block *block);
/* Had every sender finished block `number` at this moment? */
bool control_all_finished(struct control *control, int senders, uint32_t number, int64_t moment_ns);

/* Nobody passes before all `workers` have come. Sleeps where they share a CPU, else spins, so that no CPU has
 * gone idle when timing starts. 0, -ECANCELED, -ETIMEDOUT at the monotonic deadline. */
int control_barrier(struct control *control, uint32_t workers, bool sleeps, int64_t deadline_ns);

#endif
