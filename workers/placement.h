/* placement: which CPU a worker runs on.
 *
 * Chosen from the CPUs the leader may use, which its workers inherit. same_cpu: all on the first. two_cpus:
 * in turn over all of them, so that two workers are on two CPUs, and more on as many as there are. free: none
 * is pinned. */
#ifndef IPCLAB_WORKERS_PLACEMENT_H
#define IPCLAB_WORKERS_PLACEMENT_H

#include <stdbool.h>

#include "common/err.h"
#include "common/words.h"

/* 0, or -EINVAL when there are not enough CPUs. */
int placement_check(enum placement placement, struct err *err);
/* Do several of so many workers have to share a CPU? Then none of them may spin. Asks for the calling
 * process, which is not to be pinned yet. */
bool placement_is_crowded(enum placement placement, int workers);
/* Pins the calling process, worker number `worker`, and leaves the CPU in *cpu, -1 when free. */
int placement_pin(enum placement placement, int worker, int *cpu, struct err *err);

#endif
