/* events: what happened, for whoever watches. One ring; a subscriber is only a cursor into it.
 *
 * The runner and the API publish; sse.c reads. Publishing never waits and never fails: a subscriber that lags
 * behind the ring is told that there is a gap and fetches again. An event's topics: "runs" or "run:17". Its
 * id counts up from the server's start time, so that the id of another life of the server is recognised as a
 * gap. Threads: the loop's. */
#ifndef IPCLAB_SERVER_EVENTS_H
#define IPCLAB_SERVER_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct events;

enum { EVENTS_RING_COUNT = 1024, EVENTS_NAME_BYTES = 24 };

int events_new(struct events **events, struct err *err);
void events_free(struct events *events);

/* run_id: the run it is about, 0 = none. everyone: it also belongs to the topic "runs". json is copied. */
void events_publish(struct events *events, const char *name, int64_t run_id, bool everyone, const char *json);

#endif
