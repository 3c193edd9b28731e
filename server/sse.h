/* sse: event streams over HTTP (WHATWG HTML §9.2), between the ring of events and libmicrohttpd.
 *
 * A stream whose client has seen everything is suspended and costs nothing; an event resumes it. Every
 * SSE_HEARTBEAT_MS a comment goes out, since libmicrohttpd does not notice that a suspended client has left;
 * for a client that leaves in good order the loop watches besides. The heartbeat's timer is armed only while
 * there are streams.
 *
 * Owns the streams; a stream lives until its connection ends. Threads: the loop's. */
#ifndef IPCLAB_SERVER_SSE_H
#define IPCLAB_SERVER_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "server/events.h"
#include "server/loop.h"

enum { SSE_STREAMS_MAX = 500, SSE_HEARTBEAT_MS = 15000, SSE_RETRY_MS = 1000 };

struct MHD_Connection;
struct MHD_Response;
struct sse;
struct sse_stream;

int sse_new(struct loop *loop, struct events *events, struct sse **sse, struct err *err);
/* After the daemon has stopped: every stream is gone by then. */
void sse_free(struct sse *sse);

/* -EAGAIN: there are SSE_STREAMS_MAX already. last_event_id 0 = none. */
int sse_stream_new(struct sse *sse, const struct events_filter *filter, uint64_t last_event_id,
                   struct sse_stream **stream, struct err *err);
/* Only for a stream that never got its response. */
void sse_stream_free(struct sse_stream *stream);

/* For http.c: the response that carries the stream over this connection, and owns it from now on. NULL if
 * memory runs out; then the stream is still the caller's. */
struct MHD_Response *sse_stream_take_response(struct sse_stream *stream, struct MHD_Connection *connection);
/* Was a stream resumed since the last call? MHD_get_timeout does not know of it until MHD_run has run. */
bool sse_take_resumed(struct sse *sse);
/* Lets every stream end; the daemon has to run on for it. */
void sse_end_all(struct sse *sse);
size_t sse_stream_count(const struct sse *sse);

#endif
