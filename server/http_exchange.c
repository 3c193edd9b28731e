#include "server/http_exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "server/http_answer.h"
#include "server/http_connection.h"
#include "server/http_document.h"
#include "server/problem.h"
#include "server/report_child.h"
#include "server/sse.h"

/* One request and its answer. */
struct exchange {
    struct http_exchanges *all;
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
    exchange->all->answers_by_class[answer->status / 100 - 1]++;
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
    const struct dispatch *dispatch = &exchange->all->dispatch;
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

/* The child has answered, or will not any more: libmicrohttpd calls http_exchange_handle once again. */
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
    int status = text_ok(&text) ? report_child_start(exchange->all->reports, text.bytes, child_answered,
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

/* ---- what libmicrohttpd calls ---- */

void *http_exchange_begin(void *context, const char *raw_target, struct MHD_Connection *handle)
{
    struct http_exchanges *all = context;
    struct exchange *exchange = calloc(1, sizeof *exchange + target_buffer_bytes(raw_target));
    if (exchange == NULL)
        return NULL;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    exchange->all = all;
    exchange->connection = info->socket_context;
    exchange->request.http = all->http;
    exchange->target_status = target_parse(raw_target, exchange->buffer, &exchange->request.target);
    all->count++;
    if (exchange->connection != NULL)
        http_connection_set_deadline(exchange->connection, HTTP_REQUEST_MS);
    return exchange;
}

/* Once with the head, then for each piece of the body, then once more. */
enum MHD_Result http_exchange_handle(void *context, struct MHD_Connection *handle, const char *url,
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
        exchange->route = dispatch_judge(&exchange->all->dispatch, &exchange->request,
                                         exchange->target_status, &exchange->answer);
        if (exchange->answer.status != 0 && !answer_waits_for_body(exchange))
            return queue_answer(exchange, handle);
        return exchange->answer.status != 0 || begin_upload(exchange) ? MHD_YES : MHD_NO;
    }
    if (*upload_length > 0)
        return take_upload(exchange, upload, upload_length);
    if (exchange->answer.status == 0)
        dispatch_answer(&exchange->all->dispatch, exchange->route, &exchange->request, &exchange->answer);
    if (exchange->answer.in_child)
        return wait_for_child(exchange, handle);
    return queue_answer(exchange, handle);
}

void http_exchange_end(void *context, struct MHD_Connection *handle, void **slot,
                       enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)handle;
    (void)code;
    struct exchange *exchange = *slot;
    if (exchange == NULL)
        return;
    if (exchange->connection != NULL)
        http_connection_set_deadline(exchange->connection, HTTP_IDLE_MS);
    if (exchange->answer.stream != NULL) /* opened, but its response never was */
        sse_stream_free(exchange->answer.stream);
    answer_fini(&exchange->answer);
    report_child_free(exchange->child);
    if (exchange->request.upload != NULL)
        exchange->upload->close(exchange->request.upload);
    text_fini(&exchange->request.body);
    exchange->all->count--;
    free(exchange);
    *slot = NULL;
}
