/* distance: how far apart two workers' CPUs are, in nanoseconds a cache line takes one way.
 *
 * On a virtual machine the hypervisor moves CPUs about, and the distance between two of them decides what
 * shared memory can do, by a factor of ten. So it is measured, about 3 ms before, between and after the
 * blocks of a trial, and stored with it. */
#ifndef IPCLAB_WORKERS_DISTANCE_H
#define IPCLAB_WORKERS_DISTANCE_H

#include <stdint.h>

#include "workers/control.h"

/* All workers call it together, right after a barrier. Worker 0, the first sender, asks, and the answerer,
 * the first receiver, answers: a pair between which messages go. number counts the probes of the trial from
 * 1, the same in all. Bounded: where the two share a CPU it gives up. Worker 0 leaves the outcome in
 * control->distance_ns, NAN if there is none; it may be read after the next barrier. */
void distance_probe(struct control *control, int worker, int answerer, uint32_t number);

#endif
