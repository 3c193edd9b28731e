/* sysv: what labs with System V objects share: a note of what they make, and a look at what is there. */
#ifndef IPCLAB_WORKERS_LABS_SYSV_H
#define IPCLAB_WORKERS_LABS_SYSV_H

#include <sys/types.h>

#include "workers/labs/lab.h"

/* Before a worker makes its first segment: so that a killed lab leaves none, also without namespaces. */
void sysv_record(struct lab *lab);
/* A key for all processes of the lab: one that is easy to read where the IPC namespace is the lab's own. */
key_t sysv_pick_key(const struct lab *lab);
/* A new semaphore, 0. Its id. */
int sysv_make_semaphore(struct lab *lab);
/* The segments of this IPC namespace: as many as ipcs -m lists. */
int sysv_count_segments(void);

#endif
