/* trial_merge: from the workers' results to the one trial that is archived. Pure.
 *
 * Who measures: of a round trip the initiator (worker 0), of a stream its receivers (workers `senders` on).
 * Several receivers' blocks are laid over each other: a block's messages are the sum, its time runs from the
 * first begin to the last end. Who measures also judges what was lost, torn, repeated or out of order: the
 * initiator of a round trip sees every fault of either way. Costs are summed over all workers; what disturbed
 * the trial becomes flags, and nothing is dropped. */
#ifndef IPCLAB_SERVER_TRIAL_MERGE_H
#define IPCLAB_SERVER_TRIAL_MERGE_H

#include "common/case.h"
#include "common/frame.h"
#include "db/store.h"

/* What is known while results come in. Zeroed before the first; nothing to free. */
struct trial_merge {
    size_t block_count;
    struct frame_block blocks[FRAME_BLOCKS_MAX];
    int64_t ready_ns;   /* the longest any worker was running or ready to */
    int64_t throttled;  /* periods in which the crew had used up its CPU time: of the worker that saw most */
    double drift_ratio; /* as the only receiver, or the initiator, sees it */
    bool backlog_grew;
};

/* Index of the worker that sends samples: the first of those that measure. */
int trial_merge_measuring_worker(const struct ipc_case *one);

/* Adds what one worker reported: call once per worker, in any order, on a trial whose case and slot are
 * filled in. Appends the histogram as a blob. */
void trial_merge_result(struct trial_merge *merge, struct store_trial *trial, const struct ipc_case *one,
                        int worker, const struct frame_result *result);
/* Once all are in: figures, the series as a blob, distance label and flags. */
void trial_merge_finish(const struct trial_merge *merge, struct store_trial *trial,
                        const struct ipc_case *one);

/* S, C or X by the one-way time of a cache line; "same" if it is 0: the two share a CPU. */
enum distance trial_merge_distance_of(double one_way_ns);

#endif
