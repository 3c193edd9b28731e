/* http: the web server. With sse.c and the files that are named after it the only door to libmicrohttpd.
 *
 * libmicrohttpd runs in external mode: its epoll descriptor is a source of our loop, and the loop's
 * before-wait hook lets it work. What main has to do, in this order:
 *
 *     http_open(&app, address, port, &http, &err)    after every field of app is filled
 *     http_port(http)                                for the line on standard output
 *     loop_run(app.loop, &err)                       until loop_quit
 *     http_close(http)                               before events and loop are freed
 *
 * http_close stops listening, ends the event streams, lets answers in flight finish and drops what is left:
 * it returns within HTTP_CLOSE_MS.
 *
 * Deadlines, because libmicrohttpd only times inactivity and one byte now and then defeats that: a request
 * has HTTP_REQUEST_MS from its first line, an answer HTTP_ANSWER_MS to be taken, a long one as much more as
 * that takes at HTTP_SLOWEST_BYTES_PER_MS; an upload (upload.h) has to go on; and a connection may wait for a
 * request for HTTP_IDLE_MS, also for the first one: browsers open some ahead of need, and show an error when
 * one of these ends as they use it. Event streams have none of these.
 *
 * Threads: the loop's. */
#ifndef IPCLAB_SERVER_HTTP_H
#define IPCLAB_SERVER_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "server/answer.h"
#include "server/request.h"

enum {
    HTTP_CONNECTIONS_MAX = 1000,
    /* libmicrohttpd's for one connection, which it clears for every request. What does not fit it refuses by
     * itself, without a problem document: so there is room for more than we refuse. */
    HTTP_POOL_BYTES = 64 * 1024,
    HTTP_SWALLOWED_BYTES_MAX = 1024 * 1024, /* of a body that is refused, read so that the refusal arrives */
    HTTP_REQUEST_MS = 5000,
    HTTP_IDLE_MS = 15000,
    HTTP_ANSWER_MS = 30000,
    HTTP_SLOWEST_BYTES_PER_MS = 64,
    HTTP_CLOSE_MS = 1500,
    HTTP_STATUS_CLASSES = 5,
};

struct app;
struct http;
struct document_cache;
struct sse;
struct static_files;

/* Raises RLIMIT_NOFILE's soft limit as far as HTTP_CONNECTIONS_MAX needs. -EADDRINUSE names who has the port.
 */
int http_open(struct app *app, const char *address, uint16_t port, struct http **http, struct err *err);
uint16_t http_port(const struct http *http);
void http_close(struct http *http);

/* For handlers, through request->http. */
struct document_cache *http_cache(const struct http *http);
struct sse *http_sse(const struct http *http);
const struct static_files *http_files(const struct http *http);

struct http_counts {
    size_t connections, streams;
    uint64_t answers_by_class[HTTP_STATUS_CLASSES]; /* 1xx … 5xx */
    uint64_t deadlines_missed;
    uint64_t answers_by_child;
};
struct http_counts http_counts(const struct http *http);

#endif
