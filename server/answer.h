/* answer: what a handler gives back; http.c turns it into bytes.
 *
 * Owns its body and its header values (answer_fini). The document is borrowed until the answer has been
 * queued, the stream is handed over. Handlers are (app, request) → answer: they neither see a connection nor
 * libmicrohttpd. */
#ifndef IPCLAB_SERVER_ANSWER_H
#define IPCLAB_SERVER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/text.h"
#include "server/etag.h"

enum { ANSWER_HEADERS_MAX = 6 };

struct http_document;
struct sse_stream;

struct answer {
    int status;
    const char *content_type; /* static; NULL = no body */
    struct text body;
    const int *spill;      /* a file for a body too long for memory, in a child; NULL: there is none */
    uint64_t spilled;      /* bytes of the body that stand there, before what stands in body */
    char etag[ETAG_BYTES]; /* quoted; "" = none. A GET that answers 200 becomes 304 by itself when it matches.
                            */
    const struct http_document *document; /* instead of body: its headers and ETag count */
    struct sse_stream *stream;            /* instead of body */
    size_t header_count;
    struct answer_header {
        const char *name; /* static */
        char *value;
    } headers[ANSWER_HEADERS_MAX];
    bool close;    /* the connection ends after it */
    bool in_child; /* instead of all of these: too much work for the loop, a child answers (report_child.h) */
};

#define CONTENT_TYPE_JSON "application/json"
#define CONTENT_TYPE_PROBLEM "application/problem+json"

void answer_fini(struct answer *answer);
/* For whoever writes a body piece by piece: when much of it stands in memory and there is a file, it goes
 * there and the body goes on empty. */
int answer_spill(struct answer *answer, struct err *err);
/* Writes all bytes there. */
int answer_write_at(int fd, uint64_t offset, const char *bytes, size_t length, struct err *err);
/* Drops what is there; status without a body. */
void answer_set_status(struct answer *answer, int status);
/* Drops what is there; the caller then writes JSON to answer->body. */
void answer_begin_json(struct answer *answer, int status);
/* name is static. Memory running out loses the field, as it does the body, and is seen there. */
__attribute__((format(printf, 3, 4))) void answer_add_header(struct answer *answer, const char *name,
                                                             const char *format, ...);

#endif
