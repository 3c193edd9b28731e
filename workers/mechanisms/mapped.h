/* mapped: a ring in memory that is mapped with mmap(2), whatever it was mapped from. */
#ifndef IPCLAB_WORKERS_MECHANISMS_MAPPED_H
#define IPCLAB_WORKERS_MECHANISMS_MAPPED_H

#include <stddef.h>

#include "workers/mechanisms/mechanism.h"
#include "workers/ring.h"

#define MAPPED_TRAITS (TRAIT_DUPLEX | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS)

/* Zeroed: nothing is mapped. */
struct mapped {
    struct ring ring; /* first: ring_send and ring_receive take the state */
    void *memory;     /* NULL: not mapped */
    size_t bytes;
};

/* Gives the object behind fd the size the channel needs, with its memory allocated. */
int mapped_allocate(int fd, const struct channel *channel, struct err *err);
/* Maps it; fd -1 is memory without a file. */
int mapped_map(struct mapped *mapped, int fd, const struct channel *channel, struct err *err);
/* Leader: maps it and opens the ring. */
int mapped_open(struct mapped *mapped, int fd, const struct channel *channel, struct err *err);
/* Worker, when it is mapped. */
int mapped_sit(struct mapped *mapped, const struct channel *channel, struct seat seat, struct err *err);
void mapped_detach(void *mapped);
/* Leader: gives up the ring and the mapping; the name is the mechanism's. */
void mapped_close(struct mapped *mapped);

#endif
