/* raw_kernel: a connected pair of ends for each of the kernel's mechanisms, with the calls that move a
 * message. Owns what open made until raw_pair_close. Both ends belong to the process that opened them and to
 * the one it forks. */
#ifndef IPCLAB_TESTS_PERF_PROBE_RAW_KERNEL_H
#define IPCLAB_TESTS_PERF_PROBE_RAW_KERNEL_H

#include <stddef.h>
#include <sys/types.h>

#include "tests/perf/probe/raw.h"

struct raw_end {
    int out, in;              /* descriptors or queues; -1 none */
    bool polls;               /* every call is non-blocking and is tried again at once */
    size_t piece_bytes;       /* the most one write takes */
    pid_t peer;               /* whom a signal goes to */
    unsigned char *put, *get; /* where the payload lies when only its arrival is announced */
};

struct raw_pair {
    struct raw_end ends[2]; /* of the one that asks or sends, and of the other */
    void *shared;
};

struct raw_kind {
    const char *name;
    int (*open)(struct raw_pair *pair, const struct raw_case *one); /* 0 or -errno */
    int (*send)(struct raw_end *end, unsigned char *message, size_t bytes);
    int (*receive)(struct raw_end *end, unsigned char *message, size_t bytes);
    void (*close)(struct raw_pair *pair); /* NULL: its ends are descriptors */
};

/* The table ends with a kind without a name. */
extern const struct raw_kind raw_kinds[];

#endif
