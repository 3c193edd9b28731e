#include "server/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "server/api/routes.h"
#include "server/app.h"
#include "server/config.h"
#include "server/document_cache.h"
#include "server/http_connection.h"
#include "server/http_exchange.h"
#include "server/listener.h"
#include "server/loop.h"
#include "server/report_child.h"
#include "server/sse.h"
#include "server/static_files.h"

enum {
    ADDRESS_BYTES = 64,
    CACHE_BYTES_MAX = 16 * 1024 * 1024,
};

struct http {
    struct loop_source source; /* libmicrohttpd's epoll descriptor */
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct sse *sse;
    struct static_files *files;
    struct document_cache *cache;
    struct report_children *reports;
    char address[ADDRESS_BYTES];
    uint16_t port;
    struct http_connections connections;
    struct http_exchanges exchanges;
};

/* We decode targets ourselves; the library is to leave its copy alone. */
static size_t leave_escaped(void *context, struct MHD_Connection *handle, char *text)
{
    (void)context;
    (void)handle;
    return strlen(text);
}

static void notify_connection(void *context, struct MHD_Connection *handle, void **slot,
                              enum MHD_ConnectionNotificationCode code)
{
    struct http *http = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        http_connection_free(*slot);
        *slot = NULL;
        return;
    }
    int fd = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct http_connection *connection = http_connection_new(&http->connections, fd);
    if (connection != NULL)
        http_connection_set_deadline(connection, HTTP_IDLE_MS);
    *slot = connection;
}

/* ---- the daemon ---- */

/* Always run it, whatever woke the loop: a resumed connection or an edge already consumed shows nowhere else.
 */
static int64_t run_daemon(void *context)
{
    struct http *http = context;
    sse_take_resumed(http->sse);
    MHD_run(http->daemon);
    if (sse_take_resumed(http->sse)) /* by a handler that published: its stream waits for the next MHD_run */
        return 0;
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES)
        return -1;
    return (int64_t)timeout_ms * NS_PER_MS;
}

static void daemon_ready(struct loop_source *source, uint32_t events)
{
    (void)source;
    (void)events; /* run_daemon follows before the next wait */
}

static int start_daemon(struct http *http, struct err *err)
{
    unsigned connections_max = http_connections_raise_limit(HTTP_CONNECTIONS_MAX);
    AUTO_CLOSE int listener = listener_open(http->address, http->port, &http->port, err);
    if (listener < 0)
        return listener;
    /* STRICT_FOR_CLIENT stays off: with a bad Content-Length it sends the head of its 400 twice. */
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, http_exchange_handle, &http->exchanges,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, connections_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_POOL_BYTES, MHD_OPTION_URI_LOG_CALLBACK,
        http_exchange_begin, &http->exchanges, MHD_OPTION_NOTIFY_COMPLETED, http_exchange_end,
        &http->exchanges, MHD_OPTION_NOTIFY_CONNECTION, notify_connection, http, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_escaped, http, MHD_OPTION_END);
    if (http->daemon == NULL)
        return err_errno(err, errno, "start the web server on %s port %u", http->address, http->port);
    take_fd(&listener); /* the daemon's now */
    http->source.fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    http->source.ready = daemon_ready;
    return loop_add(http->loop, &http->source, EPOLLIN, err);
}

int http_open(struct app *app, const char *address, uint16_t port, struct http **http, struct err *err)
{
    struct http *new = calloc(1, sizeof *new);
    if (new == NULL)
        return err_set(err, ENOMEM, "out of memory for the web server");
    new->loop = app->loop;
    new->port = port;
    text_copy(new->address, sizeof new->address, address);
    int status = static_files_new(&new->files, err);
    if (status == 0)
        status = document_cache_new(CACHE_BYTES_MAX, &new->cache, err);
    if (status == 0)
        status = report_children_new(app->loop, app->config->data, &new->reports, err);
    if (status == 0)
        status = sse_new(app->loop, app->events, &new->sse, err);
    if (status == 0)
        status = http_connections_init(&new->connections, app->loop, err);
    if (status == 0)
        status = start_daemon(new, err);
    if (status < 0) {
        http_close(new);
        return status;
    }
    new->exchanges.http = new;
    new->exchanges.reports = new->reports;
    new->exchanges.dispatch = (struct dispatch){
        .app = app, .routes = &api_routes, .files = new->files, .address = new->address, .port = new->port};
    loop_set_before_wait(app->loop, run_daemon, new);
    *http = new;
    return 0;
}

static void finish_exchanges(struct http *http)
{
    int listener = MHD_quiesce_daemon(http->daemon);
    if (listener >= 0)
        close(listener);
    sse_end_all(http->sse);
    report_children_end(http->reports);
    int64_t deadline_ns = clock_now_ns() + HTTP_CLOSE_MS * NS_PER_MS;
    for (;;) {
        int64_t wait_ns = run_daemon(http);
        int64_t left_ns = deadline_ns - clock_now_ns();
        if (http->exchanges.count == 0 || left_ns <= 0)
            return;
        if (wait_ns < 0 || wait_ns > left_ns)
            wait_ns = left_ns;
        struct pollfd daemon_fd = {.fd = http->source.fd, .events = POLLIN};
        poll(&daemon_fd, 1, (int)((wait_ns + NS_PER_MS - 1) / NS_PER_MS));
    }
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    if (http->daemon != NULL) {
        loop_set_before_wait(http->loop, NULL, NULL);
        loop_remove(http->loop, &http->source);
        finish_exchanges(http);
        MHD_stop_daemon(http->daemon);
    }
    http_connections_fini(&http->connections);
    report_children_free(http->reports);
    sse_free(http->sse);
    document_cache_free(http->cache);
    static_files_free(http->files);
    free(http);
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}

struct document_cache *http_cache(const struct http *http)
{
    return http->cache;
}

struct sse *http_sse(const struct http *http)
{
    return http->sse;
}

const struct static_files *http_files(const struct http *http)
{
    return http->files;
}

struct http_counts http_counts(const struct http *http)
{
    struct http_counts counts = {
        .connections = http->connections.count,
        .streams = sse_stream_count(http->sse),
        .deadlines_missed = http->connections.deadlines_missed,
        .answers_by_child = report_children_started(http->reports),
    };
    memcpy(counts.answers_by_class, http->exchanges.answers_by_class, sizeof counts.answers_by_class);
    return counts;
}
