/* listener: the TCP socket the server listens on. */
#ifndef IPCLAB_SERVER_LISTENER_H
#define IPCLAB_SERVER_LISTENER_H

#include <stdint.h>

#include "common/err.h"

enum { LISTENER_BACKLOG = 511 };

/* address is a numeric IPv4 or IPv6 address or "localhost"; port 0 takes a free one. Answers the descriptor
 * (non-blocking, CLOEXEC; the caller closes it) and the port bound. -EADDRINUSE: the text names the process
 * that has the port, if it may be seen. */
int listener_open(const char *address, uint16_t port, uint16_t *bound_port, struct err *err);

#endif
