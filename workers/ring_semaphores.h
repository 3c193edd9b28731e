/* ring_semaphores: the set of System V semaphores that wait sem_sysv sleeps on, as names knows it. */
#ifndef IPCLAB_WORKERS_RING_SEMAPHORES_H
#define IPCLAB_WORKERS_RING_SEMAPHORES_H

#include "common/err.h"

#define SEM_SYSV_RECORDER "sem_sysv"

/* As a mechanism's remove_name. */
int sem_sysv_remove_name(const char *name, struct err *err);

#endif
