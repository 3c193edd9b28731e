/* trial_merge: from the workers' results to the one trial that is archived. Pure.
 *
 * Who measures: of a round trip the initiator (worker 0), of a stream the receiver (worker `senders`). Costs
 * and faults are summed over all workers; what disturbed the trial becomes flags, and nothing is dropped. */
#ifndef IPCLAB_SERVER_TRIAL_MERGE_H
#define IPCLAB_SERVER_TRIAL_MERGE_H

#include "common/case.h"
#include "common/frame.h"
#include "db/store.h"

/* Index of the worker whose clock makes the figures. */
int trial_merge_measuring_worker(const struct ipc_case *one);

/* Adds what one worker reported: call once per worker, in any order, on a trial whose case and slot are
 * filled in. Appends the histogram and the series as blobs. */
void trial_merge_result(struct store_trial *trial, const struct ipc_case *one, int worker,
                        const struct frame_result *result);
/* Once all are in: distance label and flags. */
void trial_merge_finish(struct store_trial *trial, const struct ipc_case *one);

/* S, C or X by the one-way time of a cache line. */
enum distance trial_merge_distance_of(double one_way_ns);

#endif
