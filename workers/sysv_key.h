/* sysv_key: a System V key of one's own, written down before anything is made under it: svipc(7).
 *
 * A key is a number everybody on the machine shares. A fixed one collides with whoever had the same idea;
 * ftok() derives one from a file and may collide too. Random bits and IPC_EXCL cannot share by accident. */
#ifndef IPCLAB_WORKERS_SYSV_KEY_H
#define IPCLAB_WORKERS_SYSV_KEY_H

#include <sys/ipc.h>
#include <sys/types.h>

#include "common/err.h"

/* A random key, recorded in directory under the recorder's name with this process as its creator. */
int sysv_key_record(const char *directory, const char *recorder, key_t *key, struct err *err);
/* The key and the creator of such a name. */
int sysv_key_parse(const char *name, key_t *key, pid_t *creator, struct err *err);

#endif
