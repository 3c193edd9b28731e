/* Pipe with vmsplice: pipe2, fork, vmsplice, read (vmsplice(2)).
 *
 * write copies a message into pages that the kernel allocates for the pipe. vmsplice puts the sender's own
 * pages into the pipe instead: nothing is copied on the way in, only references move, and read copies out of
 * the sender's memory. So the sender must not change a page before it is drained, and the pipe does not say
 * when that is. But it says how many pages it holds at most, each in a slot: when so many others were put in
 * behind a page, it has come out. The messages are therefore laid into a pool of pages that is larger than
 * the pipe by as much as is being laid in, and its pages are used in turn. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/pipe_ends.h"

enum {
    PAGE_BYTES = 4096,
    PIECE_BYTES = 64 * 1024, /* laid in and handed over at once: it is still in the cache when it is read */
};

struct pipe_vmsplice {
    struct pipe_end end; /* first: pipe_end_receive takes the state */
    int fds[2];          /* as pipe2 gives them, [0] reads and [1] writes; -1: closed */
    unsigned flags;
    unsigned char *pool; /* the sender's */
    size_t pool_bytes, at;
};

static int pipe_vmsplice_open(void *state, struct channel *channel, struct err *err)
{
    struct pipe_vmsplice *pipe = state;
    pipe->end.fd = pipe->fds[0] = pipe->fds[1] = -1;
    if (pipe2(pipe->fds, O_CLOEXEC) != 0)
        return err_errno(err, errno, "pipe2");
    return pipe_set_up(pipe->fds[1], channel, err);
}

static void close_end(struct pipe_vmsplice *pipe, int which)
{
    if (pipe->fds[which] >= 0)
        close(pipe->fds[which]);
    pipe->fds[which] = -1;
}

/* The pipe's capacity is its number of slots times the page size, however little of a page a slot holds. */
static int make_pool(struct pipe_vmsplice *pipe, struct err *err)
{
    size_t bytes = (size_t)pipe->end.endpoint.buffer_bytes + PIECE_BYTES;
    void *pool = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (pool == MAP_FAILED)
        return err_errno(err, errno, "mmap of %zu bytes", bytes);
    pipe->pool = pool;
    pipe->pool_bytes = bytes;
    pipe->at = 0;
    return 0;
}

static int pipe_vmsplice_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct pipe_vmsplice *pipe = state;
    int mine = seat.side == SEAT_SENDER ? 1 : 0;
    close_end(pipe, 1 - mine);
    int result = pipe_end_attach(&pipe->end, pipe->fds[mine], channel, err);
    if (result < 0)
        return result;
    pipe->fds[mine] = -1; /* the end's now */
    pipe->flags = channel->wait == WAIT_POLL ? SPLICE_F_NONBLOCK : 0;
    return seat.side == SEAT_SENDER ? make_pool(pipe, err) : 0;
}

static int hand_over(struct pipe_vmsplice *pipe, unsigned char *pages, size_t bytes)
{
    struct iovec piece = {.iov_base = pages, .iov_len = bytes};
    while (piece.iov_len > 0) {
        ssize_t moved = vmsplice(pipe->end.fd, &piece, 1, pipe->flags);
        pipe->end.endpoint.system_calls++;
        if (moved < 0 && !byte_stream_again(errno))
            return -errno;
        if (moved > 0) {
            piece.iov_base = (char *)piece.iov_base + moved;
            piece.iov_len -= (size_t)moved;
        }
    }
    return 0;
}

static ssize_t pipe_vmsplice_send(void *state, const void *message, size_t bytes)
{
    struct pipe_vmsplice *pipe = state;
    const unsigned char *from = message;
    for (size_t left = bytes; left > 0;) {
        size_t to_end = pipe->pool_bytes - pipe->at;
        size_t piece = left < PIECE_BYTES ? left : PIECE_BYTES;
        piece = piece < to_end ? piece : to_end;
        unsigned char *pages = pipe->pool + pipe->at;
        memcpy(pages, from, piece);
        int result = hand_over(pipe, pages, piece);
        if (result < 0)
            return result;
        /* A page that is not full has a slot, and a turn, of its own all the same. */
        pipe->at = (pipe->at + piece + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
        pipe->at = pipe->at == pipe->pool_bytes ? 0 : pipe->at;
        from += piece;
        left -= piece;
    }
    return (ssize_t)bytes;
}

static void pipe_vmsplice_detach(void *state)
{
    struct pipe_vmsplice *pipe = state;
    pipe_end_detach(&pipe->end);
    /* What is still in the pipe keeps its pages: they are counted. */
    if (pipe->pool != NULL)
        munmap(pipe->pool, pipe->pool_bytes);
    pipe->pool = NULL;
}

static void pipe_vmsplice_close(void *state, const struct channel *channel)
{
    (void)channel;
    close_end(state, 0);
    close_end(state, 1);
}

static int pipe_vmsplice_probe(struct err *err)
{
    int fds[2];
    char byte = 0;
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_errno(err, errno, "pipe2");
    int result = 0;
    if (vmsplice(fds[1], &piece, 1, SPLICE_F_NONBLOCK) != 1)
        result = err_errno(err, errno, "vmsplice (see the container's seccomp filter)");
    close(fds[0]);
    close(fds[1]);
    return result;
}

const struct mechanism pipe_vmsplice_mechanism = {
    .name = "pipe_vmsplice",
    .title = "Pipe with vmsplice",
    .family = "technique",
    .traits = TRAIT_RELATED_ONLY | TRAIT_SYNCHRONISES,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct pipe_vmsplice),
    .probe = pipe_vmsplice_probe,
    .open = pipe_vmsplice_open,
    .attach = pipe_vmsplice_attach,
    .send = pipe_vmsplice_send,
    .receive = pipe_end_receive,
    .detach = pipe_vmsplice_detach,
    .close = pipe_vmsplice_close,
};
