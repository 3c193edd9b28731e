/* retention: drops what is no longer kept, in portions between which the loop serves others.
 *
 * At the start, once a day, and when woken: first what was given up on its way in, then time series and
 * histograms of old runs, then runs that were deleted long ago, then the timelines of old attempts, old
 * attempts, and old checks of claims. Never the summaries of trials, never a pinned run, never the check that
 * a claim's verdict comes from. Whatever is dropped is published. While a run is being measured it waits. How
 * long what is kept: config.h.
 *
 * Threads: the loop's. */
#ifndef IPCLAB_SERVER_RETENTION_H
#define IPCLAB_SERVER_RETENTION_H

#include "common/err.h"

struct app;
struct retention;

/* After app's runner. */
int retention_new(struct app *app, struct retention **retention, struct err *err);
void retention_free(struct retention *retention);
/* There may be something to drop. NULL is fine. */
void retention_wake(struct retention *retention);

#endif
