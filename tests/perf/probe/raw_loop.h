/* raw_loop: the limit a round trip through shared memory is held against.
 *
 * Two processes, two flags and two payloads of 64 bytes in one shared mapping, each on lines of its own: copy
 * the payload in, raise the flag, watch for the other flag, copy the payload out. No ring, no header, no
 * histogram, no way to stop early. What a mechanism needs beyond this is its overhead. */
#ifndef IPCLAB_TESTS_PERF_RAW_LOOP_H
#define IPCLAB_TESTS_PERF_RAW_LOOP_H

#include <stdint.h>

enum { RAW_PAYLOAD_BYTES = 64 };

/* Median time of a round trip in ns, of batches of `batch`, for about duration_ns, between the two CPUs; or
 * -1 when the processes could not be started or pinned. */
double raw_loop_p50_ns(int cpu_a, int cpu_b, int64_t duration_ns, int batch);

#endif
