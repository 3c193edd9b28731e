/* board: messages in shared memory whose arrival the kernel announces, one by one.
 *
 * What eventfd and real-time signals carry is a wake, not a message: a number at most. So the messages lie in
 * slots of shared memory, in a lane of their own for each pair of workers and direction, as in a ring
 * (workers/ring.h); but a receiver takes its next announcement first, and only then looks for the message.
 * Announcements are counted by the kernel, none is lost or merged, and a receiver sleeps in it. A sender that
 * finds its lane full says so and takes a notice of room, which the receiver gives when a quarter is free.
 *
 * A slot holds a whole message. Threads: none. */
#ifndef IPCLAB_WORKERS_MECHANISMS_BOARD_H
#define IPCLAB_WORKERS_MECHANISMS_BOARD_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/case.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/presence.h"

#define BOARD_TRAITS (TRAIT_DUPLEX | TRAIT_SYNCHRONISES | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS)

enum board_notice { NOTICE_MESSAGE, NOTICE_ROOM, NOTICE_COUNT };

/* How notices travel; given the mechanism's state. */
struct board_notices {
    /* To one of the other side: 0, -EAGAIN when no more can be queued now, -EPIPE when it is gone. */
    int (*give)(void *state, int other, enum board_notice notice);
    /* One of our own: 1 taken, 0 none (interrupted, or nothing is there and the wait is poll), or -errno. */
    int (*take)(void *state, enum board_notice notice);
};

struct board_lane {
    alignas(128) _Atomic uint64_t head; /* published; the producer's */
    alignas(128) _Atomic uint64_t tail; /* consumed; the consumer's */
    alignas(128) _Atomic uint32_t wants_room;
};

/* Shared, at the beginning of the memory. */
struct board_object {
    int32_t leader;                                   /* the leader's pid, */
    int32_t eventfds[2][CREW_SIDE_MAX][NOTICE_COUNT]; /* and descriptors it has for strangers */
    struct board_lane lanes[];
};

/* This process's end of a lane. */
struct board_end {
    struct board_lane *lane;
    unsigned char *slots;
    uint64_t slot_count, position, peer_position;
    uint64_t tell_at; /* the consumer's: the position at which it says next what it has taken */
};

/* Begins with struct endpoint; first in a mechanism's state, zeroed like it. */
struct board {
    struct endpoint endpoint;
    struct presence presence;
    const struct board_notices *notices;
    struct shared_file file;
    struct board_object *object; /* in it */
    size_t slot_bytes;
    int others, turn_out, turn_in;
    uint64_t unannounced; /* messages taken before their announcement came */
    enum seat_side side;
    struct board_end outs[CREW_SIDE_MAX], ins[CREW_SIDE_MAX];
};

/* At most so many messages under way in all, 0 for no bound, is what the notices allow. */
int board_open(struct board *board, const struct channel *channel, int64_t messages_max, struct err *err);
/* Worker, in two steps: map, so that what the leader left in the object can be read; then sit, when notices
 * can be taken. */
int board_map(struct board *board, const struct channel *channel, struct err *err);
int board_sit(struct board *board, const struct channel *channel, struct seat seat,
              const struct board_notices *notices, int64_t messages_max, struct err *err);
ssize_t board_send(void *board, const void *message, size_t bytes);
ssize_t board_receive(void *board, void *message, size_t bytes);
void board_detach(struct board *board);
void board_close(struct board *board, const struct channel *channel);

#endif
