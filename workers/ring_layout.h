/* ring_layout: what lies in a ring object. Known to the ring's own files alone: ring.c, which lays it out and
 * takes seats in it, ring_transfer.c, which moves messages, ring_waits.c, which sleeps.
 *
 *   struct ring_object · lanes out · lanes back · slots of every lane, page by page
 *
 * Every word that one process writes and another reads stands on 128 bytes of its own, because adjacent lines
 * are fetched in pairs. */
#ifndef IPCLAB_WORKERS_RING_LAYOUT_H
#define IPCLAB_WORKERS_RING_LAYOUT_H

#include <semaphore.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "workers/ring.h"

enum { LINE_BYTES = 64, OWN_LINE_BYTES = 128 };

/* Why a process sleeps: what it waits for is any message, or room in the lane of that number from here on. */
enum { AWAKE = 0, ASLEEP_FOR_DATA = 1, ASLEEP_FOR_ROOM = 2 };

/* Where one worker sleeps; nobody sleeps in two places. */
struct ring_seat {
    /* Written by the seat's worker before it sleeps, and taken back to AWAKE by whoever wakes it. */
    alignas(OWN_LINE_BYTES) _Atomic uint32_t asleep;
    _Atomic uint64_t wanted; /* asleep for room: until the lane's tail has reached this */
    alignas(OWN_LINE_BYTES) sem_t semaphore;
};

struct ring_lane {
    alignas(OWN_LINE_BYTES) _Atomic uint64_t head; /* slots published; the producer's */
    alignas(OWN_LINE_BYTES) _Atomic uint64_t tail; /* slots consumed; the consumer's */
};

struct ring_object {
    struct roster roster;
    struct ring_seat seats[2][CREW_SIDE_MAX];
    struct {
        alignas(OWN_LINE_BYTES) int32_t leader;
        bool fences;                        /* publishers fence; else who goes to sleep runs membarrier(2) */
        int32_t semaphores;                 /* id of a System V set, one for each seat */
        int32_t eventfds[2][CREW_SIDE_MAX]; /* their numbers in the leader */
    } waits;                                /* written by the leader before there are workers */
    struct ring_lane lanes[];               /* out: [sender][receiver], back: the same */
};

/* How a worker waits for memory to change. */
struct ring_strategy {
    uint32_t looks; /* before it sleeps, or looks for the peer */
    bool sleeps;
    bool fences; /* the publisher orders its store and its look at asleep by a fence, always */
    bool counts; /* a wake is kept until it is taken, so each has to be taken */
    int (*open)(struct ring *ring, struct ring_object *object, const struct channel *channel,
                struct err *err);                                   /* leader */
    int (*join)(struct ring *ring, bool stranger, struct err *err); /* worker */
    bool (*sleep)(struct ring *ring, uint32_t asleep); /* false: nothing for half the check time */
    void (*wake)(struct ring *ring, int side, int index);
    void (*leave)(struct ring *ring);
};
const struct ring_strategy *ring_strategy_of(enum wait wait);

/* Wakes the worker in the other side's seat of that index, unless it woke meanwhile. */
void ring_wake(struct ring *ring, struct ring_seat *other, int index, uint32_t asleep);

#endif
