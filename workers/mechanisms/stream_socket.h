/* stream_socket: what unix_stream and tcp have in common once their addresses are settled: socket(7).
 *
 * The receiver is the server: it binds, listens and accepts. The sender is the client: it connects. One
 * connection carries both directions. */
#ifndef IPCLAB_WORKERS_MECHANISMS_STREAM_SOCKET_H
#define IPCLAB_WORKERS_MECHANISMS_STREAM_SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>

#include "workers/mechanisms/mechanism.h"

/* A connection. Begins with struct endpoint. */
struct stream_socket {
    struct endpoint endpoint;
    int fd; /* -1: none */
};

/* Client: connects, again and again while nobody listens there yet, for a bounded time. */
int stream_socket_connect(struct stream_socket *connection, const struct sockaddr *address, socklen_t length,
                          const struct channel *channel, struct err *err);
/* Server: takes the one connection this listener gets, within a bounded time, and closes the listener. */
int stream_socket_accept(struct stream_socket *connection, int listener, const struct channel *channel,
                         struct err *err);
/* Before listen and before connect: a connection's buffers are those of the socket it comes from. */
void stream_socket_set_buffers(int fd, int64_t bytes);
ssize_t stream_socket_send(void *connection, const void *message, size_t bytes);
ssize_t stream_socket_receive(void *connection, void *message, size_t bytes);
void stream_socket_detach(void *connection);

#endif
