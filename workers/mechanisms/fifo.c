/* FIFO: mkfifo, open, read, write, unlink (fifo(7)).
 *
 * A pipe with a name in a file system. The name is only how processes meet: the bytes are in the same kernel
 * buffer as a pipe's, never in the file, whose size stays 0, and what was not read is lost when the last
 * process closes it. Any process that may open the path can use it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/pipe_ends.h"

struct fifo {
    struct pipe_end end; /* first: pipe_end_send and pipe_end_receive take the state */
    int keeper;          /* the leader's; -1 closed, 0 in a stranger's zeroed state */
};

static int fifo_open(void *state, struct channel *channel, struct err *err)
{
    struct fifo *fifo = state;
    fifo->end.fd = fifo->keeper = -1;
    snprintf(channel->address, sizeof channel->address, "%s/fifo.%d", channel->directory, channel->number);
    if (mkfifo(channel->address, 0600) != 0)
        return err_errno(err, errno, "mkfifo %s", channel->address);
    /* Opening one side waits for the other side to be opened: two processes that open two FIFOs in different
     * order wait for each other for ever. Linux lets one descriptor be both sides (O_RDWR), and while the
     * leader keeps it, neither worker's open waits and no reader sees the end before the writer has come. */
    fifo->keeper = open(channel->address, O_RDWR | O_CLOEXEC);
    if (fifo->keeper < 0)
        return err_errno(err, errno, "open %s", channel->address);
    return pipe_set_up(fifo->keeper, channel, err);
}

/* The keeper is also a writer: the end of the stream would never come while anybody has it open. */
static void close_keeper(struct fifo *fifo)
{
    if (fifo->keeper > 0)
        close(fifo->keeper);
    fifo->keeper = -1;
}

static int fifo_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct fifo *fifo = state;
    int fd = open(channel->address, (seat.side == SEAT_SENDER ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
    int error = errno;
    close_keeper(fifo); /* the copy a relative inherited */
    fifo->end.fd = fd;
    if (fd < 0)
        return err_errno(err, error, "open %s", channel->address);
    return pipe_end_attach(&fifo->end, fd, channel, err);
}

static void fifo_close(void *state, const struct channel *channel)
{
    close_keeper(state);
    /* Removes the name; who has it open goes on undisturbed. */
    if (channel->address[0] != '\0')
        unlink(channel->address);
}

static int fifo_probe(struct err *err)
{
    (void)err;
    return 0;
}

const struct mechanism fifo_mechanism = {
    .name = "fifo",
    .title = "FIFO",
    .family = "byte_stream",
    .traits = TRAIT_SYNCHRONISES | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct fifo),
    .probe = fifo_probe,
    .open = fifo_open,
    .attach = fifo_attach,
    .send = pipe_end_send,
    .receive = pipe_end_receive,
    .detach = pipe_end_detach,
    .close = fifo_close,
};
