#include "workers/placement.h"

#include <errno.h>

#include "common/cpus.h"

static int read_cpus(struct cpus *cpus, struct err *err)
{
    int result = cpus_read(cpus);
    return result < 0 ? err_errno(err, -result, "sched_getaffinity") : 0;
}

/* The number-th CPU of the set, counted from 0 and round again. */
static int cpu_of(const struct cpus *cpus, int number)
{
    number %= cpus_count(cpus);
    int cpu = 0;
    while (!cpus_has(cpus, cpu) || number-- > 0)
        cpu++;
    return cpu;
}

int placement_check(enum placement placement, struct err *err)
{
    struct cpus cpus;
    int result = read_cpus(&cpus, err);
    if (result == 0 && placement == PLACEMENT_TWO_CPUS && cpus_count(&cpus) < 2)
        return err_set(err, EINVAL, "placement two_cpus: only CPU %d may be used", cpu_of(&cpus, 0));
    return result;
}

bool placement_is_crowded(enum placement placement, int workers)
{
    struct cpus cpus;
    if (placement == PLACEMENT_SAME_CPU || read_cpus(&cpus, NULL) < 0)
        return true;
    return workers > cpus_count(&cpus);
}

int placement_pin(enum placement placement, int worker, int *cpu, struct err *err)
{
    *cpu = -1;
    if (placement == PLACEMENT_FREE)
        return 0;
    struct cpus cpus;
    int result = read_cpus(&cpus, err);
    if (result < 0)
        return result;
    int chosen = cpu_of(&cpus, placement == PLACEMENT_TWO_CPUS ? worker : 0);
    result = cpus_pin_to(chosen);
    if (result < 0)
        return err_errno(err, -result, "pin to CPU %d", chosen);
    *cpu = chosen;
    return 0;
}
