#include "server/http_answer.h"

#include <microhttpd.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "server/http_document.h"
#include "server/report_child.h"
#include "server/sse.h"

static struct MHD_Response *of_stream(struct answer *answer, struct MHD_Connection *connection)
{
    struct MHD_Response *response = sse_stream_take_response(answer->stream, connection);
    if (response != NULL)
        answer->stream = NULL;
    return response;
}

/* The body lies in a file. */
static struct MHD_Response *of_file(struct report_child *child)
{
    AUTO_CLOSE int fd = report_child_take_body(child);
    if (fd < 0)
        return NULL;
    struct MHD_Response *response = MHD_create_response_from_fd64(report_child_body_bytes(child), fd);
    if (response != NULL)
        take_fd(&fd); /* the response closes it */
    return response;
}

static struct MHD_Response *of_body(struct text *body)
{
    size_t length = body->length;
    char *bytes = text_take(body);
    if (bytes == NULL)
        return NULL;
    struct MHD_Response *response = MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(bytes);
    return response;
}

static void add_headers(struct MHD_Response *response, const struct answer *answer)
{
    http_add_security_headers(response);
    if (answer->content_type != NULL)
        MHD_add_response_header(response, "Content-Type", answer->content_type);
    if (answer->etag[0] != '\0')
        MHD_add_response_header(response, "ETag", answer->etag);
    MHD_add_response_header(response, "Cache-Control", answer->etag[0] != '\0' ? "no-cache" : "no-store");
    for (size_t i = 0; i < answer->header_count; i++)
        MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
    if (answer->close)
        MHD_add_response_header(response, "Connection", "close");
}

struct MHD_Response *http_answer_response(struct answer *answer, struct report_child *child,
                                          struct MHD_Connection *connection)
{
    struct MHD_Response *response;
    if (answer->stream != NULL)
        response = of_stream(answer, connection);
    else if (child != NULL && answer->body.bytes == NULL) /* it left no problem instead */
        response = of_file(child);
    else
        response = of_body(&answer->body);
    if (response != NULL)
        add_headers(response, answer);
    return response;
}
