/* metrics: a worker's or leader's end of the metrics socket (common/frame.h). */
#ifndef IPCLAB_WORKERS_METRICS_H
#define IPCLAB_WORKERS_METRICS_H

#include <stdint.h>

#include "common/err.h"
#include "common/trial_spec.h"

/* Connects and says hello. The socket is close-on-exec and gives up a send after a few seconds. */
int metrics_connect(const struct trial_spec *spec, int worker, struct err *err);
/* Waits for the server's go: 0, or -errno when it hung up or the monotonic deadline passed. */
int metrics_await_go(int metrics, int64_t deadline_ns, struct err *err);

#endif
