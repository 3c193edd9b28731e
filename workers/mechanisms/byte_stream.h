/* byte_stream: whole messages over a descriptor that moves bytes, for pipe and fifo.
 *
 * read(2) and write(2) may move less than they were asked to, be interrupted, or, on a non-blocking
 * descriptor, refuse with EAGAIN. These loops go on until the message is through. Inline, so that each
 * mechanism's send and receive is one function around its system call. */
#ifndef IPCLAB_WORKERS_MECHANISMS_BYTE_STREAM_H
#define IPCLAB_WORKERS_MECHANISMS_BYTE_STREAM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "workers/pause.h"

#define KERNEL_WAITS (1u << WAIT_BLOCK | 1u << WAIT_POLL)

/* True if the call is to be made again; with wait poll that is after every EAGAIN, as long as it takes: the
 * other end's death ends it, because it closes the descriptor. */
static inline bool byte_stream_again(int error)
{
    if (error == EAGAIN)
        cpu_pause();
    return error == EAGAIN || error == EINTR;
}

/* In pieces of at most piece_bytes. */
static inline ssize_t byte_stream_write(int fd, const void *message, size_t bytes, size_t piece_bytes,
                                        uint64_t *system_calls)
{
    const char *from = message;
    size_t left = bytes;
    while (left > 0) {
        ssize_t written = write(fd, from, left < piece_bytes ? left : piece_bytes);
        (*system_calls)++;
        if (written >= 0) {
            from += written;
            left -= (size_t)written;
        } else if (!byte_stream_again(errno)) {
            return -errno;
        }
    }
    return (ssize_t)bytes;
}

static inline ssize_t byte_stream_read(int fd, void *message, size_t bytes, uint64_t *system_calls)
{
    char *to = message;
    size_t left = bytes;
    while (left > 0) {
        ssize_t got = read(fd, to, left);
        (*system_calls)++;
        if (got > 0) {
            to += got;
            left -= (size_t)got;
        } else if (got == 0) {
            return left == bytes ? 0 : -EPIPE;
        } else if (!byte_stream_again(errno)) {
            return -errno;
        }
    }
    return (ssize_t)bytes;
}

#endif
