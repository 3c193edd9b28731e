#include "workers/mechanisms/stream_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "workers/mechanisms/byte_stream.h"

enum { MEET_MS_MAX = 5000, RETRY_NS = 500000 };

void stream_socket_set_buffers(int fd, int64_t bytes)
{
    if (bytes <= 0 || bytes > INT32_MAX)
        return;
    /* The kernel doubles what it is asked for, to pay for its own bookkeeping, and caps it at
     * net.core.wmem_max and rmem_max; what it granted shows in the endpoint's buffer_bytes. */
    int wanted = (int)bytes;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
}

static int settle(struct stream_socket *connection, const struct channel *channel, struct err *err)
{
    int granted = 0;
    socklen_t length = sizeof granted;
    getsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &granted, &length);
    connection->endpoint.buffer_bytes = granted;
    connection->endpoint.system_calls = 0;
    int flags = fcntl(connection->fd, F_GETFL);
    flags = channel->wait == WAIT_POLL ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (fcntl(connection->fd, F_SETFL, flags) != 0)
        return err_errno(err, errno, "set the wait of a socket");
    return 0;
}

int stream_socket_connect(struct stream_socket *connection, const struct sockaddr *address, socklen_t length,
                          const struct channel *channel, struct err *err)
{
    int64_t deadline = clock_now_ns() + MEET_MS_MAX * NS_PER_MS;
    /* ENOENT: the path is not bound yet. ECONNREFUSED: bound, but nobody listens. */
    while (connect(connection->fd, address, length) != 0) {
        if ((errno != ENOENT && errno != ECONNREFUSED && errno != EINTR) || clock_now_ns() > deadline)
            return err_errno(err, errno, "connect to %s", channel->address);
        nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
    }
    return settle(connection, channel, err);
}

int stream_socket_accept(struct stream_socket *connection, int listener, const struct channel *channel,
                         struct err *err)
{
    struct pollfd pending = {.fd = listener, .events = POLLIN};
    int ready;
    do
        ready = poll(&pending, 1, MEET_MS_MAX);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return err_set(err, ETIMEDOUT, "nobody connected to %s within %d ms", channel->address, MEET_MS_MAX);
    /* accept returns a new socket for this one conversation; the listener could take more. */
    connection->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection->fd < 0)
        return err_errno(err, errno, "accept at %s", channel->address);
    return settle(connection, channel, err);
}

ssize_t stream_socket_send(void *state, const void *message, size_t bytes)
{
    struct stream_socket *connection = state;
    const char *from = message;
    size_t left = bytes;
    while (left > 0) {
        ssize_t sent = send(connection->fd, from, left, MSG_NOSIGNAL);
        connection->endpoint.system_calls++;
        if (sent >= 0) {
            from += sent;
            left -= (size_t)sent;
        } else if (!byte_stream_again(errno)) {
            return -errno;
        }
    }
    return (ssize_t)bytes;
}

ssize_t stream_socket_receive(void *state, void *message, size_t bytes)
{
    struct stream_socket *connection = state;
    char *to = message;
    size_t left = bytes;
    while (left > 0) {
        /* MSG_WAITALL: one call and one wake for the whole message, where the socket blocks. */
        ssize_t got = recv(connection->fd, to, left, MSG_WAITALL);
        connection->endpoint.system_calls++;
        if (got > 0) {
            to += got;
            left -= (size_t)got;
        } else if (got == 0 || errno == ECONNRESET) {
            /* A peer that went with data of ours unread resets the connection instead of ending it. */
            return left == bytes ? 0 : -EPIPE;
        } else if (!byte_stream_again(errno)) {
            return -errno;
        }
    }
    return (ssize_t)bytes;
}

void stream_socket_detach(void *state)
{
    struct stream_socket *connection = state;
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
}
