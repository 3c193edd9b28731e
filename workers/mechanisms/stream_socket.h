/* stream_socket: what sockets with connections have in common once their addresses are settled: socket(7).
 *
 * The receiver is the server: it binds, listens and accepts. The sender is the client: it connects. One
 * connection carries both directions. Several senders are several connections to one listener, several
 * receivers several listeners: a sender takes its connections in turn, a receiver those that have something.
 */
#ifndef IPCLAB_WORKERS_MECHANISMS_STREAM_SOCKET_H
#define IPCLAB_WORKERS_MECHANISMS_STREAM_SOCKET_H

#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/case.h"
#include "workers/mechanisms/mechanism.h"

/* One worker's connections. Begins with struct endpoint. */
struct stream_socket {
    struct endpoint endpoint;
    int fd;    /* the connection when there is one; -1: none */
    int count; /* of fds; those that ended are -1 there */
    int turn;
    int left; /* connections that have not ended */
    int fds[CREW_SIDE_MAX];
    int epoll; /* several connections and wait block; else -1 */
    int ready_count, ready_turn;
    struct epoll_event ready[CREW_SIDE_MAX];
};

/* No connection yet: to be called first, by open and by attach. */
void stream_socket_init(struct stream_socket *connections);
/* Client: adds a connection, trying again and again while nobody listens there yet, for a bounded time. It
 * owns fd from here on, whatever the result. */
int stream_socket_connect(struct stream_socket *connections, int fd, const struct sockaddr *address,
                          socklen_t length, const struct channel *channel, struct err *err);
/* Server: takes one connection for each sender, within a bounded time. */
int stream_socket_accept(struct stream_socket *connections, int listener, const struct channel *channel,
                         struct err *err);
/* A connection that is there already. It owns fd from here on. */
int stream_socket_add(struct stream_socket *connections, int fd, const struct channel *channel,
                      struct err *err);
/* Before listen and before connect; an accepted TCP socket has its listener's buffers, a Unix one the
 * kernel's. What was asked for has to be granted; if that is 0, `otherwise` is the mechanism's own choice, as
 * far as it is granted; if that is 0 too, the kernel's. */
int stream_socket_set_buffers(int fd, int64_t asked, int64_t otherwise, struct err *err);

/* After a change of the connections' buffers: what the endpoint says. */
void stream_socket_note_buffers(struct stream_socket *connections);

ssize_t stream_socket_send(void *connections, const void *message, size_t bytes);
ssize_t stream_socket_receive(void *connections, void *message, size_t bytes);
void stream_socket_detach(void *connections);

/* For mechanisms with a send and receive of their own. */
static inline int stream_socket_next_out(struct stream_socket *connections)
{
    if (__builtin_expect(connections->count == 1, 1))
        return connections->fd;
    int fd = connections->fds[connections->turn];
    connections->turn = connections->turn + 1 == connections->count ? 0 : connections->turn + 1;
    return fd;
}
/* One try: bytes, 0 at the connection's end, -EAGAIN if nothing is there (wait poll), or -errno. */
typedef ssize_t stream_socket_try(struct stream_socket *connections, int fd, void *message, size_t bytes);
/* Until one of the connections gave a message or all have ended. */
ssize_t stream_socket_receive_any(struct stream_socket *connections, void *message, size_t bytes,
                                  stream_socket_try *try_one);

#endif
