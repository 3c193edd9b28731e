/* run_events: what listeners are told while a run's trials are taken: samples of the one under way, each
 * trial that was archived, and what its case comes to with it. The run itself: run_json.h.
 *
 * Threads: the loop's. What cannot be told for want of memory is left out; the archive has it. */
#ifndef IPCLAB_SERVER_RUN_EVENTS_H
#define IPCLAB_SERVER_RUN_EVENTS_H

#include "common/case.h"
#include "common/frame.h"
#include "db/store.h"

struct app;

/* trial: the one being taken. */
void run_events_publish_sample(const struct app *app, const struct store_trial *trial,
                               const struct ipc_case *one, const struct frame_sample *sample);
/* After it was archived, for its case is summed up from the archive. */
void run_events_publish_trial(const struct app *app, const struct store_trial *trial);

#endif
