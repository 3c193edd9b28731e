/* overhead: what measuring costs on this machine, so that it can be shown beside what is measured. */
#ifndef IPCLAB_WORKERS_OVERHEAD_H
#define IPCLAB_WORKERS_OVERHEAD_H

#include "common/err.h"

/* Nanoseconds each. */
struct overhead {
    double clock_ns;               /* one reading */
    double histogram_ns;           /* one latency counted */
    double verify_header_ns;       /* one message written and checked, by its header */
    double verify_full_ns_per_kib; /* one KiB filled and checked */
    double loop_ns;                /* a round trip of the timed loop over a mechanism that does nothing */
};

/* Takes about a tenth of a second. */
int overhead_measure(struct overhead *overhead, struct err *err);
/* The subcommand: prints it as JSON. */
int overhead_main(int argument_count, char **arguments);

#endif
