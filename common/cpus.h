/* cpus: the CPUs the calling process may use: sched_getaffinity(2), which leaves out those that are offline
 * or not in its cpuset.
 *
 * A cpu_set_t has room for 1024, and the kernel refuses with EINVAL a set that is shorter than the CPUs the
 * machine may have. These are as long as any kernel's: CONFIG_NR_CPUS is 8192 at most. */
#ifndef IPCLAB_COMMON_CPUS_H
#define IPCLAB_COMMON_CPUS_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>

enum { CPUS_MAX = 8192 };

struct cpus {
    cpu_set_t sets[CPUS_MAX / CPU_SETSIZE];
};

static inline struct cpus cpus_only(int cpu)
{
    struct cpus cpus;
    CPU_ZERO_S(sizeof cpus.sets, cpus.sets);
    CPU_SET_S((size_t)cpu, sizeof cpus.sets, cpus.sets);
    return cpus;
}

/* 0 or -errno. */
static inline int cpus_read(struct cpus *cpus)
{
    CPU_ZERO_S(sizeof cpus->sets, cpus->sets);
    return sched_getaffinity(0, sizeof cpus->sets, cpus->sets) == 0 ? 0 : -errno;
}

static inline int cpus_pin_to(int cpu)
{
    struct cpus cpus = cpus_only(cpu);
    return sched_setaffinity(0, sizeof cpus.sets, cpus.sets) == 0 ? 0 : -errno;
}

static inline bool cpus_has(const struct cpus *cpus, int cpu)
{
    return cpu >= 0 && CPU_ISSET_S((size_t)cpu, sizeof cpus->sets, cpus->sets);
}

static inline int cpus_count(const struct cpus *cpus)
{
    return CPU_COUNT_S(sizeof cpus->sets, cpus->sets);
}

#endif
