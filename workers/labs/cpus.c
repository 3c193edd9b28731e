#include "workers/labs/cpus.h"

#include "common/cpus.h"
#include "workers/placement.h"

int cpus_usable(void)
{
    struct cpus cpus;
    return cpus_read(&cpus) == 0 ? cpus_count(&cpus) : 1;
}

void cpus_pin(int number)
{
    struct cpus cpus;
    if (cpus_read(&cpus) == 0)
        cpus_pin_to(placement_choose(&cpus, number, placement_core_of));
}
