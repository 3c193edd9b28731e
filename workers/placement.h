/* placement: which CPU a worker runs on.
 *
 * Chosen from the CPUs the leader may use, which its workers inherit: the first two, or the first one. */
#ifndef IPCLAB_WORKERS_PLACEMENT_H
#define IPCLAB_WORKERS_PLACEMENT_H

#include "common/err.h"
#include "common/words.h"
#include "workers/mechanisms/mechanism.h"

/* 0, or -EINVAL when there are not enough CPUs. */
int placement_check(enum placement placement, struct err *err);
/* Pins the calling process by its side and leaves the CPU in *cpu, -1 when free. */
int placement_pin(enum placement placement, enum seat_side side, int *cpu, struct err *err);

#endif
