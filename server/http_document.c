#include "server/http_document.h"

#include <microhttpd.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "server/etag.h"

struct http_document {
    struct MHD_Response *response;
    char etag[ETAG_BYTES];
    size_t length;
};

/* The page needs nothing but this server, and no script that is not a file of its own. */
void http_add_security_headers(struct MHD_Response *response)
{
    MHD_add_response_header(response, "Content-Security-Policy",
                            "default-src 'self'; base-uri 'none'; form-action 'none'; "
                            "frame-ancestors 'none'; object-src 'none'");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
}

struct http_document *http_document_new(const struct http_document_content *content)
{
    AUTO_FREE struct http_document *document = calloc(1, sizeof *document);
    if (document == NULL)
        return NULL;
    enum MHD_ResponseMemoryMode mode = content->is_static ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY;
    /* The library takes a void * also for memory it only reads. */
    void *bytes = (void *)(uintptr_t)content->bytes;
    struct MHD_Response *response = MHD_create_response_from_buffer(content->length, bytes, mode);
    if (response == NULL)
        return NULL;
    document->response = response;
    document->length = content->length;
    text_copy(document->etag, sizeof document->etag, content->etag);
    http_add_security_headers(response);
    MHD_add_response_header(response, "Content-Type", content->content_type);
    MHD_add_response_header(response, "ETag", content->etag);
    MHD_add_response_header(response, "Cache-Control", "no-cache");
    if (content->content_encoding != NULL)
        MHD_add_response_header(response, "Content-Encoding", content->content_encoding);
    if (content->varies)
        MHD_add_response_header(response, "Vary", "Accept-Encoding");
    return take_pointer(document);
}

void http_document_free(struct http_document *document)
{
    if (document == NULL)
        return;
    MHD_destroy_response(document->response);
    free(document);
}

size_t http_document_bytes(const struct http_document *document)
{
    return document->length;
}

const char *http_document_etag(const struct http_document *document)
{
    return document->etag;
}

struct MHD_Response *http_document_response(const struct http_document *document)
{
    return document->response;
}
