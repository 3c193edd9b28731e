/* unix_socket: sockets that are found by a path, unix(7): one path for each receiver of a channel.
 *
 * channel->address is what the paths have in common; the receiver's index is added to it. */
#ifndef IPCLAB_WORKERS_MECHANISMS_UNIX_SOCKET_H
#define IPCLAB_WORKERS_MECHANISMS_UNIX_SOCKET_H

#include <sys/un.h>

#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/stream_socket.h"

/* Leader: settles the paths; the workers that receive bind them, related or not. */
int unix_socket_open(struct channel *channel, const char *kind, struct err *err);
/* Leader: removes the paths, which outlive the sockets that made them. */
void unix_socket_close(const struct channel *channel);
int unix_socket_address(const struct channel *channel, int receiver, struct sockaddr_un *address,
                        struct err *err);
/* What is set for each socket of this type: what the channel asks for, or else so much. A packet has to fit
 * whole, whatever was asked for. */
int unix_socket_set_buffers(int fd, int type, const struct channel *channel, int64_t otherwise,
                            struct err *err);
/* A socket bound to the receiver's path. */
int unix_socket_bind(int type, const struct channel *channel, int receiver, int64_t buffer_bytes,
                     struct err *err);
/* Worker: the connections of its seat, of this type. */
int unix_socket_meet(struct stream_socket *connections, int type, const struct channel *channel,
                     struct seat seat, int64_t buffer_bytes, struct err *err);

/* The largest packet that a socket of this type takes on this machine, found by sending one. */
int64_t unix_socket_packet_limit(int type);

#endif
