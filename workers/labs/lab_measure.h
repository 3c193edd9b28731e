/* lab_measure: a short measurement of one mechanism inside a lab, through the interface that all mechanisms
 * have (workers/mechanisms/mechanism.h). It ranks; a figure to rely on comes from a trial (workers/trial.h),
 * with warm-up, repetition, integrity and the distance of the CPUs. */
#ifndef IPCLAB_WORKERS_LABS_LAB_MEASURE_H
#define IPCLAB_WORKERS_LABS_LAB_MEASURE_H

#include "workers/labs/lab.h"
#include "workers/mechanisms/mechanism.h"

/* In memory that both sides share. */
struct lab_measure {
    const struct mechanism *mechanism;
    enum wait wait;
    int64_t message_bytes;
    int cpus; /* 1: both sides on the same one */
    int gate; /* of its own */
    /* What came out. */
    bool is_done;
    int64_t round_trips;
    double p50_ns, p99_ns, bytes_per_s;
};

/* By a worker: opens the channels, starts one process that asks and one that answers, and closes the channels
 * when both have attached. The two measure round trips and then a stream, and leave the figures in
 * *measure. */
void lab_measure_run(struct lab *lab, struct lab_measure *measure);

#endif
