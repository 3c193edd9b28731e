/* Unix stream socket: socket, bind, listen, accept, connect, send, recv (unix(7)).
 *
 * The interface of the network without a network: a connection between two processes of one host, found by a
 * path in the file system, which only marks the spot: no byte goes through the file. A send copies into
 * buffers that are linked straight into the receiver's queue. Like a pipe it is a stream of bytes that
 * synchronises by itself; unlike a pipe each connection has two directions and strangers can make it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/stream_socket.h"

enum { STREAM_BUFFER_BYTES = 1024 * 1024 };

struct unix_stream {
    struct stream_socket connection; /* first: its send and receive take the state */
};

static int address_of(const struct channel *channel, struct sockaddr_un *address, struct err *err)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!text_copy(address->sun_path, sizeof address->sun_path, channel->address))
        return err_set(err, ENAMETOOLONG, "%s: a socket's path has at most %zu bytes", channel->address,
                       sizeof address->sun_path - 1);
    return 0;
}

/* The leader only settles the path: the worker that receives binds it, related or not. */
static int unix_stream_open(void *state, struct channel *channel, struct err *err)
{
    struct unix_stream *socket = state;
    socket->connection.fd = -1;
    snprintf(channel->address, sizeof channel->address, "%s/stream.%d", channel->directory, channel->number);
    struct sockaddr_un address;
    return address_of(channel, &address, err);
}

static int serve(struct unix_stream *state, const struct sockaddr_un *address, int64_t buffer_bytes,
                 const struct channel *channel, struct err *err)
{
    AUTO_CLOSE int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return err_errno(err, errno, "socket");
    stream_socket_set_buffers(listener, buffer_bytes);
    /* bind creates the path and fails with EADDRINUSE if it exists: a path outlives the socket that made it.
     * Until listen, whoever connects is refused. */
    if (bind(listener, (const struct sockaddr *)address, sizeof *address) != 0)
        return err_errno(err, errno, "bind %s", channel->address);
    if (listen(listener, 1) != 0)
        return err_errno(err, errno, "listen at %s", channel->address);
    return stream_socket_accept(&state->connection, listener, channel, err);
}

static int unix_stream_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct unix_stream *stream = state;
    stream->connection.fd = -1;
    struct sockaddr_un address;
    int result = address_of(channel, &address, err);
    if (result < 0)
        return result;
    int64_t buffer_bytes = channel->buffer_bytes;
    if (buffer_bytes == 0 && channel->pattern == PATTERN_STREAM)
        buffer_bytes = STREAM_BUFFER_BYTES;
    if (seat.side == SEAT_RECEIVER)
        return serve(stream, &address, buffer_bytes, channel, err);
    stream->connection.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (stream->connection.fd < 0)
        return err_errno(err, errno, "socket");
    stream_socket_set_buffers(stream->connection.fd, buffer_bytes);
    return stream_socket_connect(&stream->connection, (const struct sockaddr *)&address, sizeof address,
                                 channel, err);
}

static void unix_stream_close(void *state, const struct channel *channel)
{
    (void)state;
    if (channel->address[0] != '\0')
        unlink(channel->address);
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
    .traits = TRAIT_DUPLEX | TRAIT_SYNCHRONISES,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct unix_stream),
    .probe = unix_stream_probe,
    .open = unix_stream_open,
    .attach = unix_stream_attach,
    .send = stream_socket_send,
    .receive = stream_socket_receive,
    .detach = stream_socket_detach,
    .close = unix_stream_close,
};
