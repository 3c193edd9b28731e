/* descriptor: how a stranger comes by an object that has no name, only a descriptor of the leader's.
 *
 * The usual way is to send it through a Unix socket (SCM_RIGHTS, unix(7)), which needs both sides to meet
 * there. pidfd_getfd(2) takes it out of a process that is known by its pid, with the rights of a debugger:
 * the same user, and where the Yama module restricts debugging to ancestors, the leader's consent. */
#ifndef IPCLAB_WORKERS_DESCRIPTOR_H
#define IPCLAB_WORKERS_DESCRIPTOR_H

#include <sys/types.h>

#include "common/err.h"

/* Leader: lets any process of the same user take its descriptors. */
void descriptor_allow(void);
/* A copy of another process's descriptor, close-on-exec; or -errno. */
int descriptor_take(pid_t pid, int fd, struct err *err);

#endif
