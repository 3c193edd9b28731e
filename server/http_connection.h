/* http_connection: every open connection and the time by which something has to happen on it.
 *
 * libmicrohttpd only times inactivity, and one byte now and then defeats that. So each connection has a
 * deadline, and one timer, at the nearest of them, cuts off whoever is late. The timer is armed while there
 * are deadlines and not touched for each request: it looks at all connections when it fires, and most have
 * moved on.
 *
 * Threads: the loop's. */
#ifndef IPCLAB_SERVER_HTTP_CONNECTION_H
#define IPCLAB_SERVER_HTTP_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "server/loop.h"

struct http_connections {
    struct loop_timer reaper; /* first, so that its callback finds the rest */
    struct loop *loop;
    int64_t reaper_due_ns; /* INT64_MAX = not armed */
    struct http_connection *first;
    size_t count;
    uint64_t deadlines_missed;
};

struct http_connection {
    struct http_connections *all;
    int fd;              /* libmicrohttpd's */
    int64_t deadline_ns; /* INT64_MAX = none */
    struct http_connection *previous, *next;
};

/* Raises RLIMIT_NOFILE's soft limit as far as that many connections need. How many the descriptors suffice
 * for. */
unsigned http_connections_raise_limit(unsigned wanted);

int http_connections_init(struct http_connections *all, struct loop *loop, struct err *err);
void http_connections_fini(struct http_connections *all);

/* NULL if memory runs out. */
struct http_connection *http_connection_new(struct http_connections *all, int fd);
void http_connection_free(struct http_connection *connection);
/* From now on; replaces. */
void http_connection_set_deadline(struct http_connection *connection, int64_t after_ms);
void http_connection_clear_deadline(struct http_connection *connection);

#endif
