/* datagrams: what sockets without connections have in common once their addresses are settled.
 *
 * A receiver has one socket, where datagrams of all senders queue up. A sender has one socket for each
 * receiver, bound to that receiver's address with connect, which for datagrams only sets the destination, and
 * takes them in turn. Between one sender and one receiver both sockets have the other as destination, so that
 * answers find their way. Nobody is told when the other side has gone: hence the presence. */
#ifndef IPCLAB_WORKERS_MECHANISMS_DATAGRAMS_H
#define IPCLAB_WORKERS_MECHANISMS_DATAGRAMS_H

#include "common/case.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/presence.h"

/* Begins with struct endpoint. */
struct datagrams {
    struct endpoint endpoint;
    struct presence presence;
    int count; /* of fds */
    int turn;
    int fds[CREW_SIDE_MAX];
    bool may_lose; /* then a receive gives up after a while */
};

/* First of all in attach. */
void datagrams_init(struct datagrams *datagrams);
/* Adds a socket and owns it from here on; `option` tells which buffer is the endpoint's. */
int datagrams_add(struct datagrams *datagrams, int fd, int option, const struct channel *channel,
                  struct err *err);
ssize_t datagrams_send(void *datagrams, const void *message, size_t bytes);
ssize_t datagrams_receive(void *datagrams, void *message, size_t bytes);
void datagrams_detach(void *datagrams);

#endif
