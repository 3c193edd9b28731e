#include "workers/mechanisms/unix_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"

int unix_socket_open(struct channel *channel, const char *kind, struct err *err)
{
    snprintf(channel->address, sizeof channel->address, "%s/%s.%d", channel->directory, kind,
             channel->number);
    struct sockaddr_un longest;
    return unix_socket_address(channel, channel->receivers - 1, &longest, err);
}

void unix_socket_close(const struct channel *channel)
{
    struct sockaddr_un address;
    for (int i = 0; i < channel->receivers + channel->senders && channel->address[0] != '\0'; i++)
        if (unix_socket_address(channel, i, &address, NULL) == 0)
            unlink(address.sun_path);
}

int unix_socket_address(const struct channel *channel, int receiver, struct sockaddr_un *address,
                        struct err *err)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length = snprintf(address->sun_path, sizeof address->sun_path, "%s.%d", channel->address, receiver);
    if ((size_t)length >= sizeof address->sun_path)
        return err_set(err, ENAMETOOLONG, "%s.%d: a socket's path has at most %zu bytes", channel->address,
                       receiver, sizeof address->sun_path - 1);
    return 0;
}

int unix_socket_set_buffers(int fd, int type, const struct channel *channel, int64_t otherwise,
                            struct err *err)
{
    int64_t asked = channel->buffer_bytes;
    if (type != SOCK_STREAM && asked > 0 && asked < channel->message_bytes)
        asked = channel->message_bytes;
    return stream_socket_set_buffers(fd, asked, otherwise, err);
}

int unix_socket_bind(int type, const struct channel *channel, int receiver, int64_t buffer_bytes,
                     struct err *err)
{
    struct sockaddr_un address;
    int result = unix_socket_address(channel, receiver, &address, err);
    if (result < 0)
        return result;
    AUTO_CLOSE int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(err, errno, "socket");
    result = unix_socket_set_buffers(fd, type, channel, buffer_bytes, err);
    if (result < 0)
        return result;
    /* bind creates the path and fails with EADDRINUSE if it exists: a path outlives the socket that made it.
     */
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return err_errno(err, errno, "bind %s", address.sun_path);
    return take_fd(&fd);
}

static int serve(struct stream_socket *connections, int type, const struct channel *channel, int receiver,
                 int64_t buffer_bytes, struct err *err)
{
    AUTO_CLOSE int listener = unix_socket_bind(type, channel, receiver, buffer_bytes, err);
    if (listener < 0)
        return listener;
    /* Until listen, whoever connects is refused. */
    if (listen(listener, channel->senders) != 0)
        return err_errno(err, errno, "listen at %s", channel->address);
    int result = stream_socket_accept(connections, listener, channel, err);
    for (int i = 0; i < connections->count && result == 0; i++)
        result = unix_socket_set_buffers(connections->fds[i], type, channel, buffer_bytes, err);
    if (result == 0)
        stream_socket_note_buffers(connections);
    return result;
}

static int call(struct stream_socket *connections, int type, const struct channel *channel, int receiver,
                int64_t buffer_bytes, struct err *err)
{
    struct sockaddr_un address;
    int result = unix_socket_address(channel, receiver, &address, err);
    if (result < 0)
        return result;
    AUTO_CLOSE int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(err, errno, "socket");
    result = unix_socket_set_buffers(fd, type, channel, buffer_bytes, err);
    if (result < 0)
        return result;
    return stream_socket_connect(connections, take_fd(&fd), (const struct sockaddr *)&address, sizeof address,
                                 channel, err);
}

int unix_socket_meet(struct stream_socket *connections, int type, const struct channel *channel,
                     struct seat seat, int64_t buffer_bytes, struct err *err)
{
    stream_socket_init(connections);
    if (seat.side == SEAT_RECEIVER)
        return serve(connections, type, channel, seat.index, buffer_bytes, err);
    int result = 0;
    for (int i = 0; i < channel->receivers && result == 0; i++)
        result = call(connections, type, channel, i, buffer_bytes, err);
    return result;
}

static bool passes(const int fds[2], const char *packet, size_t bytes)
{
    char rest;
    return send(fds[0], packet, bytes, MSG_NOSIGNAL) >= 0 && recv(fds[1], &rest, sizeof rest, 0) >= 0;
}

/* Between a size that passes and one that does not. */
static size_t search(const int fds[2], const char *packet, size_t passing, size_t failing)
{
    while (failing - passing > 1) {
        size_t middle = passing + (failing - passing) / 2;
        if (passes(fds, packet, middle))
            passing = middle;
        else
            failing = middle;
    }
    return passing;
}

int64_t unix_socket_packet_limit(int type)
{
    /* A packet has to fit the sender's buffer whole, which net.core.wmem_max bounds, and the kernel has to
     * find memory for it in one piece, which no setting tells. */
    int fds[2], most = MESSAGE_BYTES_MAX;
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
        return 0;
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
    AUTO_FREE char *packet = calloc(1, MESSAGE_BYTES_MAX);
    size_t bytes = 0;
    if (packet != NULL)
        bytes = passes(fds, packet, MESSAGE_BYTES_MAX) ? MESSAGE_BYTES_MAX
                                                       : search(fds, packet, 0, MESSAGE_BYTES_MAX);
    close(fds[0]);
    close(fds[1]);
    return (int64_t)bytes;
}
