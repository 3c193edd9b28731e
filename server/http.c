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
#include "server/dispatch.h"
#include "server/document_cache.h"
#include "server/http_answer.h"
#include "server/http_connection.h"
#include "server/http_document.h"
#include "server/listener.h"
#include "server/loop.h"
#include "server/problem.h"
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
    struct dispatch dispatch;
    struct MHD_Daemon *daemon;
    struct sse *sse;
    struct static_files *files;
    struct document_cache *cache;
    struct report_children *reports;
    char address[ADDRESS_BYTES];
    uint16_t port;
    struct http_connections connections;
    size_t exchange_count; /* requests begun and not completed */
    uint64_t answers_by_class[HTTP_STATUS_CLASSES];
};

/* One request and its answer. */
struct exchange {
    struct http *http;
    struct http_connection *connection;
    struct request request;
    int target_status; /* what target_parse said */
    const struct route *route;
    const struct upload_kind *upload; /* of request.upload */
    bool is_judged;
    uint64_t swallowed_bytes;      /* of the body */
    size_t counted_bytes;          /* of an upload, since its deadline was set */
    struct answer answer;          /* status 0 = not known yet */
    struct MHD_Connection *handle; /* suspended while the child is at work */
    struct report_child *child;    /* NULL = the loop answered by itself */
    char buffer[];                 /* of the target */
};

/* ---- answers ---- */

static bool is_not_modified(const struct request *request, const char *etag)
{
    const char *list = request_header(request, HEADER_IF_NONE_MATCH);
    return list != NULL && etag[0] != '\0' && etag_list_has(list, etag, true);
}

/* How long the client may take over it. */
static int64_t answer_ms(const struct exchange *exchange)
{
    uint64_t bytes = exchange->child != NULL ? report_child_body_bytes(exchange->child) : 0;
    return HTTP_ANSWER_MS + (int64_t)(bytes / HTTP_SLOWEST_BYTES_PER_MS);
}

static enum MHD_Result queue_answer(struct exchange *exchange, struct MHD_Connection *handle)
{
    struct http *http = exchange->http;
    struct answer *answer = &exchange->answer;
    const char *etag = answer->document != NULL ? http_document_etag(answer->document) : answer->etag;
    bool is_stream = answer->stream != NULL;
    if (answer->status == 200 && exchange->request.method == METHOD_GET &&
        is_not_modified(&exchange->request, etag))
        answer->status = 304; /* with the 200's response: libmicrohttpd leaves the body out */
    struct MHD_Response *response = answer->document != NULL
                                        ? http_document_response(answer->document)
                                        : http_answer_response(answer, exchange->child, handle);
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result queued = MHD_queue_response(handle, (unsigned)answer->status, response);
    if (answer->document == NULL)
        MHD_destroy_response(response);
    http->answers_by_class[answer->status / 100 - 1]++;
    if (is_stream)
        http_connection_clear_deadline(exchange->connection);
    else
        http_connection_set_deadline(exchange->connection, answer_ms(exchange));
    return queued;
}

/* ---- requests ---- */

static enum MHD_Result visit_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    size_t name_length, const char *value, size_t value_length)
{
    (void)kind;
    request_add_header(context, name, name_length, value, value_length);
    return MHD_YES;
}

/* A refusal waits for a body of bearable length: closing on unread data sends a reset, which can overtake the
 * answer. */
static bool answer_waits_for_body(const struct exchange *exchange)
{
    const char *length = request_header(&exchange->request, HEADER_CONTENT_LENGTH);
    return !exchange->answer.close &&
           (length == NULL || strtoll(length, NULL, 10) <= HTTP_SWALLOWED_BYTES_MAX);
}

static bool begin_upload(struct exchange *exchange)
{
    const struct dispatch *dispatch = &exchange->http->dispatch;
    exchange->upload = exchange->route != NULL ? router_upload(dispatch->routes, exchange->route) : NULL;
    if (exchange->upload == NULL)
        return true;
    exchange->request.upload = exchange->upload->open(dispatch->app);
    http_connection_set_deadline(exchange->connection, exchange->upload->stretch_ms);
    return exchange->request.upload != NULL;
}

/* A refusal that the upload itself has for a piece waits until all have come. */
static void feed_upload(struct exchange *exchange, const char *bytes, size_t length)
{
    exchange->swallowed_bytes += length;
    exchange->counted_bytes += length;
    if (exchange->counted_bytes >= UPLOAD_STRETCH_BYTES) {
        exchange->counted_bytes = 0;
        http_connection_set_deadline(exchange->connection, exchange->upload->stretch_ms);
    }
    if (exchange->answer.status != 0)
        return;
    if (exchange->swallowed_bytes > exchange->upload->bytes_max)
        problem_answer(&exchange->answer, 413, exchange->upload->too_large);
    else
        exchange->upload->take(exchange->request.upload, bytes, length);
}

static enum MHD_Result take_upload(struct exchange *exchange, const char *bytes, size_t *length)
{
    if (exchange->upload != NULL) {
        feed_upload(exchange, bytes, *length);
        *length = 0;
        return exchange->swallowed_bytes <= exchange->upload->bytes_max + HTTP_SWALLOWED_BYTES_MAX ? MHD_YES
                                                                                                   : MHD_NO;
    }
    struct text *body = &exchange->request.body;
    exchange->swallowed_bytes += *length;
    if (exchange->swallowed_bytes > HTTP_SWALLOWED_BYTES_MAX)
        return MHD_NO;
    if (exchange->answer.status == 0) {
        if (exchange->swallowed_bytes > REQUEST_BODY_BYTES_MAX)
            problem_answer(&exchange->answer, 413, REQUEST_BODY_TOO_LARGE);
        else
            text_append_bytes(body, bytes, *length);
    }
    *length = 0;
    return text_ok(body) ? MHD_YES : MHD_NO;
}

/* The child has answered, or will not any more: libmicrohttpd calls handle_request once again. */
static void child_answered(void *context)
{
    struct exchange *exchange = context;
    report_child_answer(exchange->child, &exchange->answer);
    MHD_resume_connection(exchange->handle);
}

/* The handler wants a child to do the work. Path and query are sent on as they came: a route's path needs no
 * encoding. */
static enum MHD_Result wait_for_child(struct exchange *exchange, struct MHD_Connection *handle)
{
    const struct target *target = &exchange->request.target;
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    text_printf(&text, "%s?%s", target->path, target->raw_query);
    struct err err;
    int status = text_ok(&text) ? report_child_start(exchange->http->reports, text.bytes, child_answered,
                                                     exchange, &exchange->child, &err)
                                : err_set(&err, ENOMEM, "out of memory for a long answer");
    if (status < 0) {
        problem_answer(&exchange->answer, 503, err.text);
        return queue_answer(exchange, handle);
    }
    http_connection_clear_deadline(exchange->connection); /* the child has one */
    exchange->handle = handle;
    MHD_suspend_connection(handle);
    return MHD_YES;
}

/* libmicrohttpd calls this once with the head, then for each piece of the body, then once more. */
static enum MHD_Result handle_request(void *context, struct MHD_Connection *handle, const char *url,
                                      const char *method, const char *version, const char *upload,
                                      size_t *upload_length, void **slot)
{
    (void)context;
    (void)url;
    (void)version;
    struct exchange *exchange = *slot;
    if (exchange == NULL || exchange->connection == NULL)
        return MHD_NO; /* memory had run out */
    if (!exchange->is_judged) {
        exchange->is_judged = true;
        exchange->request.method = request_method_of(method, &exchange->request.head);
        MHD_get_connection_values_n(handle, MHD_HEADER_KIND, visit_header, &exchange->request);
        exchange->route = dispatch_judge(&exchange->http->dispatch, &exchange->request,
                                         exchange->target_status, &exchange->answer);
        if (exchange->answer.status != 0 && !answer_waits_for_body(exchange))
            return queue_answer(exchange, handle);
        return exchange->answer.status != 0 || begin_upload(exchange) ? MHD_YES : MHD_NO;
    }
    if (*upload_length > 0)
        return take_upload(exchange, upload, upload_length);
    if (exchange->answer.status == 0)
        dispatch_answer(&exchange->http->dispatch, exchange->route, &exchange->request, &exchange->answer);
    if (exchange->answer.in_child)
        return wait_for_child(exchange, handle);
    return queue_answer(exchange, handle);
}

/* The first line has been read. Its value becomes the slot of this request. */
static void *begin_exchange(void *context, const char *raw_target, struct MHD_Connection *handle)
{
    struct http *http = context;
    struct exchange *exchange = calloc(1, sizeof *exchange + target_buffer_bytes(raw_target));
    if (exchange == NULL)
        return NULL;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    exchange->http = http;
    exchange->connection = info->socket_context;
    exchange->request.http = http;
    exchange->target_status = target_parse(raw_target, exchange->buffer, &exchange->request.target);
    http->exchange_count++;
    /* The first request's time runs from the accept. */
    if (exchange->connection != NULL && exchange->connection->has_served)
        http_connection_set_deadline(exchange->connection, HTTP_REQUEST_MS);
    return exchange;
}

static void end_exchange(void *context, struct MHD_Connection *handle, void **slot,
                         enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)handle;
    (void)code;
    struct exchange *exchange = *slot;
    if (exchange == NULL)
        return;
    if (exchange->connection != NULL) {
        exchange->connection->has_served = true;
        http_connection_set_deadline(exchange->connection, HTTP_IDLE_MS);
    }
    if (exchange->answer.stream != NULL) /* opened, but its response never was */
        sse_stream_free(exchange->answer.stream);
    answer_fini(&exchange->answer);
    report_child_free(exchange->child);
    if (exchange->request.upload != NULL)
        exchange->upload->close(exchange->request.upload);
    text_fini(&exchange->request.body);
    exchange->http->exchange_count--;
    free(exchange);
    *slot = NULL;
}

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
        http_connection_set_deadline(connection, HTTP_REQUEST_MS);
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
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle_request, http,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, connections_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_POOL_BYTES, MHD_OPTION_URI_LOG_CALLBACK,
        begin_exchange, http, MHD_OPTION_NOTIFY_COMPLETED, end_exchange, http, MHD_OPTION_NOTIFY_CONNECTION,
        notify_connection, http, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, http, MHD_OPTION_END);
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
    new->dispatch = (struct dispatch){
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
        if (http->exchange_count == 0 || left_ns <= 0)
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
    memcpy(counts.answers_by_class, http->answers_by_class, sizeof counts.answers_by_class);
    return counts;
}
