/* segment: a System V segment of an experiment, which its enclosure takes away. */
#ifndef IPCLAB_WORKERS_CLAIMS_SEGMENT_H
#define IPCLAB_WORKERS_CLAIMS_SEGMENT_H

#include <stddef.h>
#include <sys/types.h>

#include "workers/claims/check.h"

/* A random key, which nobody else has. */
key_t segment_key(void);
/* shmget with mode 0600 and these flags, and, unless memory is NULL, shmat. The id, or what check_skip
 * returned. */
int segment_make(struct check *check, key_t key, size_t bytes, int flags, char **memory);

#endif
