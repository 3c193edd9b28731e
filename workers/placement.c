#include "workers/placement.h"

#include <errno.h>
#include <sched.h>

/* The first two of the affinity mask, -1 where there is none. */
static int first_cpus(int cpus[2], struct err *err)
{
    cpu_set_t set;
    cpus[0] = cpus[1] = -1;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return err_errno(err, errno, "sched_getaffinity");
    for (int cpu = 0, found = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
        if (CPU_ISSET((size_t)cpu, &set))
            cpus[found++] = cpu;
    return 0;
}

int placement_check(enum placement placement, struct err *err)
{
    int cpus[2];
    int result = first_cpus(cpus, err);
    if (result == 0 && placement == PLACEMENT_TWO_CPUS && cpus[1] < 0)
        return err_set(err, EINVAL, "placement two_cpus: only CPU %d may be used", cpus[0]);
    return result;
}

int placement_pin(enum placement placement, enum seat_side side, int *cpu, struct err *err)
{
    *cpu = -1;
    if (placement == PLACEMENT_FREE)
        return 0;
    int cpus[2];
    int result = first_cpus(cpus, err);
    if (result < 0)
        return result;
    int chosen = placement == PLACEMENT_TWO_CPUS && side == SEAT_RECEIVER ? cpus[1] : cpus[0];
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)chosen, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        return err_errno(err, errno, "pin to CPU %d", chosen);
    *cpu = chosen;
    return 0;
}
