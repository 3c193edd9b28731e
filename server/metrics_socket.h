/* metrics_socket: where workers report. An AF_UNIX SOCK_SEQPACKET listener and its connections.
 *
 * One datagram is one frame (common/frame.h). A connection is nobody's until its first frame, a hello, is
 * accepted by the client; what comes from another user, or is no hello, is closed. Parts are joined here, so
 * the client sees whole frames only. A frame that cannot be read is the fault of the connection's owner and
 * of nobody else.
 *
 * Owns the descriptors and the socket's name. Threads: the loop's. */
#ifndef IPCLAB_SERVER_METRICS_SOCKET_H
#define IPCLAB_SERVER_METRICS_SOCKET_H

#include "common/err.h"
#include "common/frame.h"
#include "server/loop.h"

struct metrics_socket;
struct metrics_connection;

struct metrics_client {
    void *context;
    /* Whose connection is this? 0 and *owner, or -errno: it is closed. */
    int (*hello)(void *context, struct metrics_connection *connection, const struct frame_hello *hello,
                 void **owner, struct err *err);
    void (*frame)(void *owner, int worker, const struct frame *frame);
    void (*fault)(void *owner, int worker, const char *text);
    void (*closed)(void *owner, int worker);
};

int metrics_socket_open(struct loop *loop, const char *run_directory, const struct metrics_client *client,
                        struct metrics_socket **metrics, struct err *err);
void metrics_socket_close(struct metrics_socket *metrics);
const char *metrics_socket_path(const struct metrics_socket *metrics);

/* Reads whatever has arrived on any connection, new ones included. */
void metrics_socket_drain(struct metrics_socket *metrics);
/* Closes an owner's connections without a word to the client. */
void metrics_socket_drop(struct metrics_socket *metrics, const void *owner);

int metrics_connection_send(struct metrics_connection *connection, const struct frame *frame,
                            struct err *err);

#endif
