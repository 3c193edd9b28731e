/* usage: what the kernel says a worker used, read before and after each block: getrusage(2), and the time it
 * was runnable but not running from /proc/self/schedstat. And what the kernel says of its CPU, read before
 * the first block and after the last: the time the hypervisor gave to others, from /proc/stat (proc_stat(5)),
 * how often a control group's quota was used up (common/cgroup.h), and the clock rate. */
#ifndef IPCLAB_WORKERS_USAGE_H
#define IPCLAB_WORKERS_USAGE_H

#include <stdint.h>

#include "common/frame.h"

/* Of a CPU, for everybody. */
struct usage_cpu {
    int64_t steal_ns;     /* since the start; in steps of 10 ms, as /proc/stat counts */
    int64_t throttled;    /* periods in which the worker's control groups had used up their CPU time */
    int64_t frequency_hz; /* now; 0 where the kernel does not say */
};

struct usage {
    int64_t cpu_user_ns, cpu_system_ns;
    int64_t voluntary_switches, involuntary_switches;
    int64_t minor_faults, major_faults;
    int64_t run_delay_ns;
    uint64_t system_calls; /* the caller's: of the channels' endpoints */
};

/* Descriptor of /proc/self/schedstat for usage_read, or -1 where there is none; then the delay reads 0. */
int usage_open_schedstat(void);
struct usage usage_read(int schedstat);
/* Of one CPU, or with -1 the mean of those this process may use: it may have been on any of them. */
struct usage_cpu usage_read_cpu(int cpu);
/* Adds after - before to the result's totals. */
void usage_add(struct frame_result *result, const struct usage *before, const struct usage *after);

#endif
