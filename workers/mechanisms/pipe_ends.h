/* pipe_ends: what pipe and FIFO have in common, the kernel's pipe buffer: pipe(7). */
#ifndef IPCLAB_WORKERS_MECHANISMS_PIPE_ENDS_H
#define IPCLAB_WORKERS_MECHANISMS_PIPE_ENDS_H

#include <sys/types.h>

#include "workers/mechanisms/mechanism.h"

/* One end. Begins with struct endpoint. */
struct pipe_end {
    struct endpoint endpoint;
    int fd; /* -1: none */
    size_t piece_bytes;
};

/* Leader, right after creating it: asks for the capacity the channel wants, and refuses what several writers
 * or readers cannot share. */
int pipe_set_up(int fd, const struct channel *channel, struct err *err);
/* Worker: the end is fd, with the channel's wait and the capacity that was granted. */
int pipe_end_attach(struct pipe_end *end, int fd, const struct channel *channel, struct err *err);
ssize_t pipe_end_send(void *end, const void *message, size_t bytes);
ssize_t pipe_end_receive(void *end, void *message, size_t bytes);
void pipe_end_detach(void *end);

#endif
