/* Socket pair: socketpair, fork, close, send, recv (socketpair(2), unix(7)).
 *
 * Two Unix stream sockets that are connected to each other from birth: no path, no listener, no accept. What
 * a pipe is to a FIFO, it is to a Unix stream socket: whoever is to use it must be given one of its ends,
 * mostly by fork. Unlike a pipe each end both sends and receives. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/stream_socket.h"

enum { STREAM_BUFFER_BYTES = 1024 * 1024 };

struct socketpair {
    struct stream_socket connection; /* first: its send and receive take the state */
    int ends[2];                     /* of the sender and of the receiver; -1: closed */
};

static int socketpair_open(void *state, struct channel *channel, struct err *err)
{
    struct socketpair *pair = state;
    stream_socket_init(&pair->connection);
    pair->ends[0] = pair->ends[1] = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->ends) != 0)
        return err_errno(err, errno, "socketpair");
    int64_t buffer_bytes = channel->pattern == PATTERN_STREAM ? STREAM_BUFFER_BYTES : 0;
    int result = stream_socket_set_buffers(pair->ends[0], channel->buffer_bytes, buffer_bytes, err);
    return result < 0 ? result
                      : stream_socket_set_buffers(pair->ends[1], channel->buffer_bytes, buffer_bytes, err);
}

static void close_end(struct socketpair *pair, enum seat_side which)
{
    if (pair->ends[which] >= 0)
        close(pair->ends[which]);
    pair->ends[which] = -1;
}

static int socketpair_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct socketpair *pair = state;
    /* The end of the stream comes when every copy of the other end is closed, ours included. */
    close_end(pair, seat.side == SEAT_SENDER ? SEAT_RECEIVER : SEAT_SENDER);
    int fd = pair->ends[seat.side];
    pair->ends[seat.side] = -1; /* the connection's now */
    return stream_socket_add(&pair->connection, fd, channel, err);
}

static void socketpair_close(void *state, const struct channel *channel)
{
    (void)channel;
    close_end(state, SEAT_SENDER);
    close_end(state, SEAT_RECEIVER);
}

static int socketpair_probe(struct err *err)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return err_errno(err, errno, "socketpair");
    close(fds[0]);
    close(fds[1]);
    return 0;
}

const struct mechanism socketpair_mechanism = {
    .name = "socketpair",
    .title = "Socket pair",
    .family = "socket",
    .traits = TRAIT_RELATED_ONLY | TRAIT_DUPLEX | TRAIT_SYNCHRONISES,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct socketpair),
    .probe = socketpair_probe,
    .open = socketpair_open,
    .attach = socketpair_attach,
    .send = stream_socket_send,
    .receive = stream_socket_receive,
    .detach = stream_socket_detach,
    .close = socketpair_close,
};
