/* placement: which CPU a worker runs on.
 *
 * Chosen from the CPUs the leader may use, which its workers inherit. same_cpu: all on the first. two_cpus:
 * in turn over all of them, so that two workers are on two CPUs, and more on as many as there are; first one
 * CPU of each core, as far as /sys/devices/system/cpu/cpuN/topology tells cores, because two threads of one
 * core also share what computes, and on many machines they have neighbouring numbers. free: none is
 * pinned. */
#ifndef IPCLAB_WORKERS_PLACEMENT_H
#define IPCLAB_WORKERS_PLACEMENT_H

#include <stdbool.h>

#include "common/cpus.h"
#include "common/err.h"
#include "common/words.h"

/* 0, or -EINVAL when there are not enough CPUs. */
int placement_check(enum placement placement, struct err *err);
/* Do several of so many workers have to share a CPU? Then none of them may spin. Asks for the calling
 * process, which is not to be pinned yet. */
bool placement_is_crowded(enum placement placement, int workers);
/* The CPU of the set for worker `number` of two_cpus, counted from 0 and round again. core_of names a CPU's
 * core by a number below CPUS_MAX. */
int placement_choose(const struct cpus *cpus, int number, int (*core_of)(int cpu));
/* The lowest of the CPUs on its core; the CPU itself where the kernel does not tell. */
int placement_core_of(int cpu);
/* Pins the calling process, worker number `worker`, and leaves the CPU in *cpu, -1 when free. */
int placement_pin(enum placement placement, int worker, int *cpu, struct err *err);

#endif
