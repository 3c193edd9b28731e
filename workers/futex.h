/* futex: futex(2) on a word shared between processes (no FUTEX_PRIVATE_FLAG). */
#ifndef IPCLAB_WORKERS_FUTEX_H
#define IPCLAB_WORKERS_FUTEX_H

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"

/* Sleeps while *word is value, at most timeout_ns. False if the time ran out; true for a wake, a changed word
 * or a signal: the caller looks again in any case. */
static inline bool futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t timeout_ns)
{
    struct timespec timeout = {.tv_sec = timeout_ns / NS_PER_S, .tv_nsec = timeout_ns % NS_PER_S};
    long result = syscall(SYS_futex, word, FUTEX_WAIT, value, &timeout, NULL, 0);
    return result == 0 || errno != ETIMEDOUT;
}

static inline void futex_wake_all(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

#endif
