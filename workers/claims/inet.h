/* inet: the sockets most experiments begin with. Every port is chosen by the kernel. */
#ifndef IPCLAB_WORKERS_CLAIMS_INET_H
#define IPCLAB_WORKERS_CLAIMS_INET_H

#include <netinet/in.h>
#include <sys/un.h>

#include "workers/claims/check.h"

/* A socket of the loopback interface, bound; its address in *address. type is SOCK_STREAM or SOCK_DGRAM, with
 * flags. A descriptor, or what check_skip returned. */
int inet_bind(struct check *check, int type, struct sockaddr_in *address);
/* The same, listening. */
int inet_listen(struct check *check, int backlog, struct sockaddr_in *address);
/* connect to it: a descriptor, or -errno. flags: 0 or SOCK_NONBLOCK, with which -EINPROGRESS does not occur:
 * the connection may still be on its way. */
int inet_connect(const struct sockaddr_in *address, int flags);
/* listen and accept over with: both ends of a TCP connection, [0] who connected. 0 or what check_skip
 * returned. */
int inet_pair(struct check *check, int fds[2]);

/* The address of a Unix socket in the experiment's directory. */
struct sockaddr_un unix_address(const struct check *check, const char *name);
int unix_bind(struct check *check, int type, const struct sockaddr_un *address);

#endif
