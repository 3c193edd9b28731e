/* raw: the limits that the mechanisms are held against.
 *
 * A raw loop is the least a program can do to move a message the same way: the calls, a copy where the
 * message has to be copied, and nothing else. No header, no check, no way to stop early; the other process is
 * killed when the time is over. What a mechanism needs beyond its raw loop is its overhead.
 *
 * Round trips are timed as the product's are: one clock read for each, or for each batch where the loop spins
 * in memory; the figure is the median. A stream's figure is what the receiver counted over its whole time. */
#ifndef IPCLAB_TESTS_PERF_PROBE_RAW_H
#define IPCLAB_TESTS_PERF_PROBE_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/words.h"

enum { RAW_BATCH = 100, RAW_LINE_BYTES = 128 };

struct raw_case {
    const char *loop;
    enum pattern pattern;
    enum wait wait; /* spin, futex, block or poll */
    size_t bytes;
    int cpus[2]; /* of the one that asks or sends, and of the one that answers or receives */
    int64_t warmup_ns, duration_ns;
    const char *directory; /* for names in the file system */
};

struct raw_figures {
    double round_trip_p50_ns; /* 0 for a stream */
    double messages_per_s;
};

struct raw_loop {
    const char *name;
    unsigned patterns, waits; /* a bit for each that it knows */
    size_t bytes_max;
    int (*run)(const struct raw_case *one, struct raw_figures *figures); /* 0 or -errno */
};

/* The table ends with a loop without a name. */
extern const struct raw_loop raw_memory_loops[], raw_kernel_loops[];

int raw_pin(int cpu);
/* Starts the process at the other end, pinned and bound to die with this one. Like fork, -errno on failure.
 */
int raw_fork(int cpu);
void raw_reap(int pid);

/* The clock side of both patterns; step does one message, or one round trip, and returns 0 or -errno. */
int raw_time_round_trips(const struct raw_case *one, uint64_t batch, int (*step)(void *), void *context,
                         struct raw_figures *figures);
int raw_time_stream(const struct raw_case *one, int (*step)(void *), void *context,
                    struct raw_figures *figures);

#endif
