/* clock: the two clocks ipclab reads.
 *
 * Durations and order come from CLOCK_MONOTONIC, which no administrator can set back; wall time is for
 * people. On machines whose TSC is used both are read in the vDSO, without a system call (about 20 ns). */
#ifndef IPCLAB_COMMON_CLOCK_H
#define IPCLAB_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define MS_PER_S INT64_C(1000)

static inline int64_t clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* CPU time of this process, all threads. */
static inline int64_t clock_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Milliseconds since 1970, for display and for the archive's dates only. */
static inline int64_t clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* The nearest millisecond, for people: 499.6 ms is 500 wherever it is shown. Not for deadlines. */
static inline int64_t clock_nearest_ms(int64_t span_ns)
{
    int64_t half_ns = span_ns < 0 ? -NS_PER_MS / 2 : NS_PER_MS / 2;
    return (span_ns + half_ns) / NS_PER_MS;
}

#endif
