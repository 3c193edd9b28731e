/* distance: how far apart two workers' CPUs are, in nanoseconds a cache line takes one way.
 *
 * On a virtual machine the hypervisor moves CPUs about, and the distance between two of them decides what
 * shared memory can do, by a factor of ten. So it is measured, about 3 ms before, between and after the
 * blocks of a trial, and stored with it. */
#ifndef IPCLAB_WORKERS_DISTANCE_H
#define IPCLAB_WORKERS_DISTANCE_H

#include <stdint.h>

#include "workers/control.h"

/* All workers call it together, right after a barrier. The answerer, the first receiver, answers, and the
 * worker before it, the last sender, asks: a pair between which messages go, and neighbours, so that they are
 * on different CPUs however few there are for many workers. number counts the probes of the trial from 1, the
 * same in all. Bounded. The outcome is in control->distance_ns after the next barrier: 0 if the two share a
 * CPU, NAN if there is none. */
void distance_probe(struct control *control, int worker, int answerer, uint32_t number);

#endif
