/* experiment_reading: between experiment_read.c, which takes the fields one by one, and experiment_check.c,
 * which knows what they mean for each other. Nobody else's. */
#ifndef IPCLAB_COMMON_EXPERIMENT_READING_H
#define IPCLAB_COMMON_EXPERIMENT_READING_H

#include "common/experiment.h"

struct reading {
    const struct experiment_context *context;
    struct experiment *experiment;
    struct experiment_request *request;
    struct faults *faults;
    bool names_mechanisms; /* the user's own list: what is unavailable in it is a fault, not a skip */
    bool names_placement;
    bool names_rate;
    bool names_wait_memory;
    bool wait_is_word; /* one word for all, which then has to fit some of them */
};

/* Once every field by itself is well: settles the defaults that depend on others, and adds a fault for
 * everything that does not go together. */
void experiment_check(struct reading *reading);

#endif
