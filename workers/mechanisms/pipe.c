/* Pipe: pipe2, fork, close, read, write (pipe(7)).
 *
 * A pipe is a buffer in the kernel with two descriptors and no name: bytes written to the write end come out
 * of the read end in order, once. Whoever is to use it must have a descriptor, and the usual way to get one
 * is to be born with it: fork copies the table. It synchronises by itself: a reader of an empty pipe and a
 * writer of a full one sleep in the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/pipe_ends.h"

struct pipe_state {
    struct pipe_end end; /* first: pipe_end_send and pipe_end_receive take the state */
    int fds[2];          /* as pipe2 gives them, [0] reads and [1] writes; -1: closed */
};

static int pipe_open(void *state, struct channel *channel, struct err *err)
{
    struct pipe_state *pipe = state;
    pipe->end.fd = pipe->fds[0] = pipe->fds[1] = -1;
    if (pipe2(pipe->fds, O_CLOEXEC) != 0)
        return err_errno(err, errno, "pipe2");
    return pipe_set_up(pipe->fds[1], channel, err);
}

static void close_end(struct pipe_state *pipe, int which)
{
    if (pipe->fds[which] >= 0)
        close(pipe->fds[which]);
    pipe->fds[which] = -1;
}

static int pipe_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct pipe_state *pipe = state;
    int mine = seat.side == SEAT_SENDER ? 1 : 0;
    /* Each worker closes the end it does not use. A reader sees the end of the stream only when every
     * descriptor of the write end is closed, in every process; one that is forgotten, its own included, and
     * it waits for ever. */
    close_end(pipe, 1 - mine);
    int result = pipe_end_attach(&pipe->end, pipe->fds[mine], channel, err);
    if (result == 0)
        pipe->fds[mine] = -1; /* the end's now */
    return result;
}

static void pipe_close(void *state, const struct channel *channel)
{
    struct pipe_state *pipe = state;
    (void)channel;
    close_end(pipe, 0);
    close_end(pipe, 1);
}

static int pipe_probe(struct err *err)
{
    (void)err;
    return 0;
}

const struct mechanism pipe_mechanism = {
    .name = "pipe",
    .title = "Pipe",
    .family = "byte_stream",
    .traits = TRAIT_RELATED_ONLY | TRAIT_SYNCHRONISES | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct pipe_state),
    .probe = pipe_probe,
    .open = pipe_open,
    .attach = pipe_attach,
    .send = pipe_end_send,
    .receive = pipe_end_receive,
    .detach = pipe_end_detach,
    .close = pipe_close,
};
