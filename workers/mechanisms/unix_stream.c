/* Unix stream socket: socket, bind, listen, accept, connect, send, recv (unix(7)).
 *
 * The interface of the network without a network: a connection between two processes of one host, found by a
 * path in the file system, which only marks the spot: no byte goes through the file. A send copies into
 * buffers that are linked straight into the receiver's queue. Like a pipe it is a stream of bytes that
 * synchronises by itself; unlike a pipe each connection has two directions, strangers can make it, and each
 * client has one of its own. */
#include <errno.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/unix_socket.h"

enum { STREAM_BUFFER_BYTES = 1024 * 1024 };

static int unix_stream_open(void *state, struct channel *channel, struct err *err)
{
    stream_socket_init(state);
    return unix_socket_open(channel, "stream", err);
}

static int unix_stream_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    int64_t buffer_bytes = channel->pattern == PATTERN_STREAM ? STREAM_BUFFER_BYTES : 0;
    return unix_socket_meet(state, SOCK_STREAM, channel, seat, buffer_bytes, err);
}

static void unix_stream_close(void *state, const struct channel *channel)
{
    (void)state;
    unix_socket_close(channel);
}

static int unix_stream_probe(struct err *err)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? err_errno(err, errno, "socket(AF_UNIX)") : 0;
}

const struct mechanism unix_stream_mechanism = {
    .name = "unix_stream",
    .title = "Unix stream",
    .family = "socket",
    .traits = TRAIT_DUPLEX | TRAIT_SYNCHRONISES | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct stream_socket),
    .probe = unix_stream_probe,
    .open = unix_stream_open,
    .attach = unix_stream_attach,
    .send = stream_socket_send,
    .receive = stream_socket_receive,
    .detach = stream_socket_detach,
    .close = unix_stream_close,
};
