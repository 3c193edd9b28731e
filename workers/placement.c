#include "workers/placement.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "common/text.h"
#include "workers/parse.h"

static int read_cpus(struct cpus *cpus, struct err *err)
{
    int result = cpus_read(cpus);
    return result < 0 ? err_errno(err, -result, "sched_getaffinity") : 0;
}

/* A round takes one more CPU of each core. */
int placement_choose(const struct cpus *cpus, int number, int (*core_of)(int cpu))
{
    number %= cpus_count(cpus);
    for (int round = 0;; round++) {
        uint16_t seen[CPUS_MAX] = {0}; /* CPUs of each core */
        for (int cpu = 0; cpu < CPUS_MAX; cpu++)
            if (cpus_has(cpus, cpu) && seen[core_of(cpu)]++ == round && number-- == 0)
                return cpu;
    }
}

/* A list like "0-1" or "0,64" begins with the lowest. The second name is that of kernels before 5.3. */
int placement_core_of(int cpu)
{
    static const char *const names[] = {"core_cpus_list", "thread_siblings_list"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[96], list[64];
        int64_t first;
        const char *rest;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, names[i]);
        if (text_read_line(path, list, sizeof list) == 0 &&
            parse_integer(list, 10, 0, CPUS_MAX - 1, &first, &rest) == 0)
            return (int)first;
    }
    return cpu;
}

int placement_check(enum placement placement, struct err *err)
{
    struct cpus cpus;
    int result = read_cpus(&cpus, err);
    if (result == 0 && placement == PLACEMENT_TWO_CPUS && cpus_count(&cpus) < 2)
        return err_set(err, EINVAL, "placement two_cpus: only CPU %d may be used",
                       placement_choose(&cpus, 0, placement_core_of));
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
    int chosen = placement_choose(&cpus, placement == PLACEMENT_TWO_CPUS ? worker : 0, placement_core_of);
    result = cpus_pin_to(chosen);
    if (result < 0)
        return err_errno(err, -result, "pin to CPU %d", chosen);
    *cpu = chosen;
    return 0;
}
