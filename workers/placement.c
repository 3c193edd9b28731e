#include "workers/placement.h"

#include <errno.h>

static int read_cpus(cpu_set_t *set, struct err *err)
{
    CPU_ZERO(set);
    return sched_getaffinity(0, sizeof *set, set) != 0 ? err_errno(err, errno, "sched_getaffinity") : 0;
}

/* The number-th CPU of the set, counted from 0 and round again. */
static int cpu_of(const cpu_set_t *set, int number)
{
    number %= CPU_COUNT(set);
    int cpu = 0;
    while (!CPU_ISSET((size_t)cpu, set) || number-- > 0)
        cpu++;
    return cpu;
}

int placement_check(enum placement placement, struct err *err)
{
    cpu_set_t set;
    int result = read_cpus(&set, err);
    if (result == 0 && placement == PLACEMENT_TWO_CPUS && CPU_COUNT(&set) < 2)
        return err_set(err, EINVAL, "placement two_cpus: only CPU %d may be used", cpu_of(&set, 0));
    return result;
}

bool placement_is_crowded(enum placement placement, int workers)
{
    cpu_set_t set;
    if (placement == PLACEMENT_SAME_CPU || read_cpus(&set, NULL) < 0)
        return true;
    return workers > CPU_COUNT(&set);
}

int placement_pin(enum placement placement, int worker, int *cpu, struct err *err)
{
    *cpu = -1;
    if (placement == PLACEMENT_FREE)
        return 0;
    cpu_set_t set;
    int result = read_cpus(&set, err);
    if (result < 0)
        return result;
    int chosen = cpu_of(&set, placement == PLACEMENT_TWO_CPUS ? worker : 0);
    CPU_ZERO(&set);
    CPU_SET((size_t)chosen, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        return err_errno(err, errno, "pin to CPU %d", chosen);
    *cpu = chosen;
    return 0;
}
