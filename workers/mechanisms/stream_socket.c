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

void stream_socket_init(struct stream_socket *connections)
{
    *connections = (struct stream_socket){.fd = -1, .epoll = -1};
}

/* ---- buffers ---- */

static int buffer_of(int fd, int option)
{
    int granted = 0;
    socklen_t length = sizeof granted;
    getsockopt(fd, SOL_SOCKET, option, &granted, &length);
    return granted;
}

static int set_buffer(int fd, int option, int64_t bytes, struct err *err)
{
    /* The kernel doubles what it is asked for, to pay for its own bookkeeping, and cuts it off without a word
     * at a limit that only root may pass. */
    int wanted = (int)bytes;
    if (setsockopt(fd, SOL_SOCKET, option, &wanted, sizeof wanted) != 0)
        return err_errno(err, errno, "set a socket's buffer");
    if (buffer_of(fd, option) >= 2 * bytes)
        return 0;
    return err_set(err, ENOBUFS, "a buffer of %lld bytes was asked for and %d granted: raise %s",
                   (long long)bytes, buffer_of(fd, option) / 2,
                   option == SO_SNDBUF ? "net.core.wmem_max" : "net.core.rmem_max");
}

int stream_socket_set_buffers(int fd, int64_t asked, int64_t otherwise, struct err *err)
{
    int64_t bytes = asked > 0 ? asked : otherwise;
    if (bytes <= 0)
        return 0;
    if (bytes > INT32_MAX / 2)
        return err_set(err, ENOBUFS, "a socket's buffer has at most %d bytes", INT32_MAX / 2);
    int result = set_buffer(fd, SO_SNDBUF, bytes, err);
    if (result == 0 || asked == 0)
        result = set_buffer(fd, SO_RCVBUF, bytes, err);
    return asked > 0 ? result : 0;
}

/* ---- connections ---- */

void stream_socket_note_buffers(struct stream_socket *connections)
{
    connections->endpoint.buffer_bytes = buffer_of(connections->fd, SO_SNDBUF);
}

/* Level-triggered: what one look leaves behind shows at the next. */
static int watch(struct stream_socket *connections, int fd, int index, struct err *err)
{
    if (connections->epoll < 0)
        connections->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)index};
    if (connections->epoll < 0 || epoll_ctl(connections->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return err_errno(err, errno, "watch a connection");
    return 0;
}

int stream_socket_add(struct stream_socket *connections, int fd, const struct channel *channel,
                      struct err *err)
{
    int index = connections->count++;
    connections->fds[index] = fd;
    connections->left++;
    if (index == 0)
        connections->fd = fd;
    stream_socket_note_buffers(connections);
    int flags = fcntl(fd, F_GETFL);
    flags = channel->wait == WAIT_POLL ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (fcntl(fd, F_SETFL, flags) != 0)
        return err_errno(err, errno, "set the wait of a socket");
    if (channel->wait == WAIT_POLL || (channel->senders == 1 && channel->receivers == 1))
        return 0;
    return watch(connections, fd, index, err);
}

int stream_socket_connect(struct stream_socket *connections, int fd, const struct sockaddr *address,
                          socklen_t length, const struct channel *channel, struct err *err)
{
    AUTO_CLOSE int owned = fd;
    int64_t deadline = clock_now_ns() + MEET_MS_MAX * NS_PER_MS;
    /* ENOENT: the path is not bound yet. ECONNREFUSED: bound, but nobody listens. */
    while (connect(owned, address, length) != 0) {
        if ((errno != ENOENT && errno != ECONNREFUSED && errno != EINTR) || clock_now_ns() > deadline)
            return err_errno(err, errno, "connect to %s", channel->address);
        nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
    }
    return stream_socket_add(connections, take_fd(&owned), channel, err);
}

static int accept_one(struct stream_socket *connections, int listener, const struct channel *channel,
                      struct err *err)
{
    struct pollfd pending = {.fd = listener, .events = POLLIN};
    int ready;
    do
        ready = poll(&pending, 1, MEET_MS_MAX);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return err_set(err, ETIMEDOUT, "nobody connected to %s within %d ms", channel->address, MEET_MS_MAX);
    /* accept returns a new socket for this one conversation; the listener can take more. */
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "accept at %s", channel->address);
    return stream_socket_add(connections, fd, channel, err);
}

int stream_socket_accept(struct stream_socket *connections, int listener, const struct channel *channel,
                         struct err *err)
{
    int result = 0;
    for (int i = 0; i < channel->senders && result == 0; i++)
        result = accept_one(connections, listener, channel, err);
    return result;
}

static void end_connection(struct stream_socket *connections, int index)
{
    close(connections->fds[index]); /* which also takes it out of the epoll */
    connections->fds[index] = -1;
    connections->left--;
}

void stream_socket_detach(void *state)
{
    struct stream_socket *connections = state;
    for (int i = 0; i < connections->count; i++)
        if (connections->fds[i] >= 0)
            end_connection(connections, i);
    if (connections->epoll >= 0)
        close(connections->epoll);
    stream_socket_init(connections);
}

/* ---- several connections ---- */

/* The next one that has something, or may have; -EINTR when there was none. */
static int next_in(struct stream_socket *connections)
{
    if (connections->epoll < 0) {
        int index = connections->turn;
        connections->turn = index + 1 == connections->count ? 0 : index + 1;
        return connections->fds[index] >= 0 ? index : -EINTR;
    }
    if (connections->ready_turn == connections->ready_count) {
        connections->ready_turn = 0;
        connections->ready_count = epoll_wait(connections->epoll, connections->ready, CREW_SIDE_MAX, -1);
        connections->endpoint.system_calls++;
        if (connections->ready_count <= 0) {
            int error = connections->ready_count < 0 ? errno : EINTR;
            connections->ready_count = 0;
            return -error;
        }
    }
    return (int)connections->ready[connections->ready_turn++].data.u32;
}

ssize_t stream_socket_receive_any(struct stream_socket *connections, void *message, size_t bytes,
                                  stream_socket_try *try_one)
{
    while (connections->left > 0) {
        int index = next_in(connections);
        if (index == -EINTR)
            continue;
        if (index < 0)
            return index;
        ssize_t got = try_one(connections, connections->fds[index], message, bytes);
        if (got > 0 || (got < 0 && got != -EAGAIN))
            return got;
        if (got == 0)
            end_connection(connections, index);
        else if (connections->turn == 0)
            cpu_pause();
    }
    return 0;
}

/* ---- streams ---- */

ssize_t stream_socket_send(void *state, const void *message, size_t bytes)
{
    struct stream_socket *connections = state;
    int fd = stream_socket_next_out(connections);
    const char *from = message;
    size_t left = bytes;
    while (left > 0) {
        ssize_t sent = send(fd, from, left, MSG_NOSIGNAL);
        connections->endpoint.system_calls++;
        if (sent >= 0) {
            from += sent;
            left -= (size_t)sent;
        } else if (!byte_stream_again(errno)) {
            return -errno;
        }
    }
    return (ssize_t)bytes;
}

/* MSG_WAITALL: one call and one wake for the whole message, where the socket blocks. */
static ssize_t receive_whole(struct stream_socket *connections, int fd, void *message, size_t bytes)
{
    char *to = message;
    size_t left = bytes;
    while (left > 0) {
        ssize_t got = recv(fd, to, left, MSG_WAITALL);
        connections->endpoint.system_calls++;
        if (got > 0) {
            to += got;
            left -= (size_t)got;
        } else if (got == 0 || errno == ECONNRESET) {
            /* A peer that went with data of ours unread resets the connection instead of ending it. */
            return left == bytes ? 0 : -EPIPE;
        } else if (errno == EAGAIN && left == bytes) {
            return -EAGAIN;
        } else if (!byte_stream_again(errno)) {
            return -errno;
        }
    }
    return (ssize_t)bytes;
}

ssize_t stream_socket_receive(void *state, void *message, size_t bytes)
{
    struct stream_socket *connections = state;
    if (__builtin_expect(connections->count > 1, 0))
        return stream_socket_receive_any(connections, message, bytes, receive_whole);
    for (;;) {
        ssize_t got = receive_whole(connections, connections->fd, message, bytes);
        if (__builtin_expect(got != -EAGAIN, 1))
            return got;
        cpu_pause();
    }
}
