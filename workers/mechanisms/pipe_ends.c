#include "workers/mechanisms/pipe_ends.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>

#include "workers/mechanisms/byte_stream.h"

enum {
    STREAM_CAPACITY_BYTES = 1024 * 1024, /* the most an ordinary user is granted by default */
    STREAM_PIECE_BYTES = 8 * 1024,
};

/* Refused beyond fs.pipe-max-size for an ordinary user. When nobody asked for it by number the capacity then
 * stays as it is, and shows in buffer_bytes. */
static int set_capacity(int fd, const struct channel *channel, struct err *err)
{
    int64_t wanted = channel->buffer_bytes;
    if (wanted == 0 && channel->pattern == PATTERN_STREAM)
        wanted = STREAM_CAPACITY_BYTES;
    if (wanted == 0 || (wanted <= INT32_MAX && fcntl(fd, F_SETPIPE_SZ, (int)wanted) >= 0))
        return 0;
    if (channel->buffer_bytes == 0)
        return 0;
    return err_errno(err, errno,
                     "a pipe of %lld bytes was asked for and %d granted: raise fs.pipe-max-size, or "
                     "fs.pipe-user-pages-soft",
                     (long long)wanted, fcntl(fd, F_GETPIPE_SZ));
}

int pipe_set_up(int fd, const struct channel *channel, struct err *err)
{
    /* Only up to PIPE_BUF bytes does a write go in as one piece, with nothing of another writer's in between,
     * and a read of as many takes just that piece. */
    bool shared = channel->senders > 1 || channel->receivers > 1;
    if (shared && channel->message_bytes > PIPE_BUF)
        return err_set(err, EMSGSIZE,
                       "messages of several senders or receivers have at most %d bytes (PIPE_BUF): larger "
                       "ones mix in the pipe",
                       PIPE_BUF);
    return set_capacity(fd, channel, err);
}

int pipe_end_attach(struct pipe_end *end, int fd, const struct channel *channel, struct err *err)
{
    end->fd = fd;
    end->endpoint.system_calls = 0;
    end->endpoint.buffer_bytes = fcntl(fd, F_GETPIPE_SZ);
    /* A large write wakes the reader only when the pipe is full or the write is done, so that writer and
     * reader take turns; small pieces let the reader copy one while the writer fills the next, and both find
     * it in the cache. Measured here, messages of 64 KiB and 1 MiB move about twice as fast in pieces of
     * 8 KiB as in pieces of 16 KiB or whole. A round trip takes turns in any case. */
    end->piece_bytes = channel->pattern == PATTERN_STREAM ? STREAM_PIECE_BYTES : SIZE_MAX;
    /* O_NONBLOCK belongs to the open file description, which a forked worker shares with the leader; the two
     * ends of a pipe are two descriptions. Only poll sets it, and nobody else reads or writes here. */
    int flags = fcntl(fd, F_GETFL);
    flags = channel->wait == WAIT_POLL ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (fcntl(fd, F_SETFL, flags) != 0)
        return err_errno(err, errno, "set the wait of a pipe");
    return 0;
}

ssize_t pipe_end_send(void *state, const void *message, size_t bytes)
{
    struct pipe_end *end = state;
    return byte_stream_write(end->fd, message, bytes, end->piece_bytes, &end->endpoint.system_calls);
}

ssize_t pipe_end_receive(void *state, void *message, size_t bytes)
{
    struct pipe_end *end = state;
    return byte_stream_read(end->fd, message, bytes, &end->endpoint.system_calls);
}

void pipe_end_detach(void *state)
{
    struct pipe_end *end = state;
    if (end->fd >= 0)
        close(end->fd);
    end->fd = -1;
}
