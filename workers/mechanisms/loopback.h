/* loopback: ports of the loopback interface that are settled before anybody listens at them.
 *
 * The worker that receives will bind its port, but the others must know it before. The leader binds a free
 * one and holds it without reading from it: nobody else is given it, and SO_REUSEPORT lets a process of the
 * same user bind it too. It is given up once all have attached, before the first message. */
#ifndef IPCLAB_WORKERS_MECHANISMS_LOOPBACK_H
#define IPCLAB_WORKERS_MECHANISMS_LOOPBACK_H

#include <netinet/in.h>
#include <stdint.h>

#include "common/case.h"
#include "workers/mechanisms/mechanism.h"

enum { LOOPBACK_PORTS_MAX = 2 * CREW_SIDE_MAX };

/* Part of a state. Zeroed: none. */
struct loopback {
    int count;
    int fds[LOOPBACK_PORTS_MAX];
};

struct sockaddr_in loopback_address(uint16_t port);
/* A socket bound to the port; port 0 takes a free one. */
int loopback_bind(int type, uint16_t port, struct err *err);
/* Leader: reserves so many ports and writes them into channel->address. */
int loopback_reserve(struct loopback *loopback, int type, int count, struct channel *channel,
                     struct err *err);
void loopback_release(struct loopback *loopback);
/* The ports that were reserved. */
int loopback_ports(const struct channel *channel, int count, uint16_t *ports, struct err *err);

#endif
