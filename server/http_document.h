/* http_document: a 200 prepared once and sent often. Bytes and header fields are shared by all its answers;
 * an answer that is under way keeps what it needs, whatever happens to the document. Threads: the loop's. */
#ifndef IPCLAB_SERVER_HTTP_DOCUMENT_H
#define IPCLAB_SERVER_HTTP_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Response;
struct http_document;

struct http_document_content {
    const void *bytes; /* copied, unless is_static */
    size_t length;
    bool is_static;
    const char *content_type;
    const char *etag;             /* quoted */
    const char *content_encoding; /* NULL = identity */
    bool varies;                  /* by Accept-Encoding */
};
/* NULL if memory runs out. */
struct http_document *http_document_new(const struct http_document_content *content);
void http_document_free(struct http_document *document);
size_t http_document_bytes(const struct http_document *document);
const char *http_document_etag(const struct http_document *document);

/* For http.c: borrowed. */
struct MHD_Response *http_document_response(const struct http_document *document);
/* The header fields that every answer carries. */
void http_add_security_headers(struct MHD_Response *response);

#endif
