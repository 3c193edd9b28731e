/* request: what a client sent, and whether it may be taken at its word.
 *
 * Everything here is pure: http.c fills a struct request from libmicrohttpd, the guards judge it, handlers
 * read it. libmicrohttpd's own decoding is not used: it would cut a path at %00, and it passes on requests
 * with both Content-Length and Transfer-Encoding (RFC 9112 §6.1 leaves the refusal to the server).
 *
 * Strings are borrowed and live as long as the request. Threads: the loop's. */
#ifndef IPCLAB_SERVER_REQUEST_H
#define IPCLAB_SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/faults.h"
#include "common/text.h"
#include "common/words.h"

enum {
    REQUEST_TARGET_BYTES_MAX = 4096,
    REQUEST_PARAMETERS_MAX = 24,
    REQUEST_HEADER_BYTES_MAX = 32 * 1024, /* all fields together */
    REQUEST_BODY_BYTES_MAX = 64 * 1024,
    REQUEST_NAME_BYTES = 64,
};
#define REQUEST_BODY_TOO_LARGE "A request body is at most 65536 bytes."

#define METHOD_WORDS(WORD)                                                                                   \
    WORD(METHOD_GET, "GET") /* HEAD as well: request.head */                                                 \
    WORD(METHOD_POST, "POST")                                                                                \
    WORD(METHOD_PATCH, "PATCH")                                                                              \
    WORD(METHOD_DELETE, "DELETE")
enum method { METHOD_WORDS(WORDS_ENUM) METHOD_COUNT, METHOD_OTHER = METHOD_COUNT };
extern const char *const method_names[METHOD_COUNT];

/* The header fields somebody here looks at. */
#define HEADER_WORDS(WORD)                                                                                   \
    WORD(HEADER_HOST, "Host")                                                                                \
    WORD(HEADER_ORIGIN, "Origin")                                                                            \
    WORD(HEADER_CONTENT_TYPE, "Content-Type")                                                                \
    WORD(HEADER_CONTENT_LENGTH, "Content-Length")                                                            \
    WORD(HEADER_TRANSFER_ENCODING, "Transfer-Encoding")                                                      \
    WORD(HEADER_CONTENT_ENCODING, "Content-Encoding")                                                        \
    WORD(HEADER_ACCEPT, "Accept")                                                                            \
    WORD(HEADER_ACCEPT_ENCODING, "Accept-Encoding")                                                          \
    WORD(HEADER_ACCEPT_LANGUAGE, "Accept-Language")                                                          \
    WORD(HEADER_IF_MATCH, "If-Match")                                                                        \
    WORD(HEADER_IF_NONE_MATCH, "If-None-Match")                                                              \
    WORD(HEADER_IDEMPOTENCY_KEY, "Idempotency-Key")                                                          \
    WORD(HEADER_LAST_EVENT_ID, "Last-Event-ID")
enum header { HEADER_WORDS(WORDS_ENUM) HEADER_COUNT };

struct header_value {
    const char *value; /* of the first one, NULL = absent */
    unsigned count;
};

/* The request target of the first line, split and decoded. */
struct target {
    const char *authority; /* of a whole address, "localhost:8080"; NULL = it began with the path */
    const char *path;
    const char *raw_query; /* as sent, without '?', "" = none */
    size_t parameter_count;
    struct parameter {
        const char *name, *value;
    } parameters[REQUEST_PARAMETERS_MAX];
};

struct http;
struct request {
    struct http *http; /* where it came in; NULL in unit tests */
    enum method method;
    bool head;
    struct target target;
    int64_t id;                    /* {id} of the route's pattern */
    char name[REQUEST_NAME_BYTES]; /* {name} of it */
    struct header_value headers[HEADER_COUNT];
    bool header_name_is_bad; /* some field name is no token */
    size_t header_bytes;     /* as they came, about */
    struct text body;        /* owned by http.c */
    void *upload;            /* instead of body, where the route takes its body piece by piece (upload.h) */
};

/* Splits and decodes a target, the path alone or a whole http address (RFC 9112 §3.2.1, §3.2.2). Answers 0 or
 * the status to refuse it with: 404 for a path that can be nobody's (encoded slash, control character, bad
 * escape, not UTF-8), 400 for such a query, 414 if it is too long. buffer needs target_buffer_bytes(raw); the
 * target's strings live in it. */
size_t target_buffer_bytes(const char *raw);
int target_parse(const char *raw, char *buffer, struct target *target);

/* The method's word; sets *head. METHOD_OTHER for what nobody serves. */
enum method request_method_of(const char *word, bool *head);
/* Counts one header field in. */
void request_add_header(struct request *request, const char *name, size_t name_length, const char *value,
                        size_t value_length);
const char *request_header(const struct request *request, enum header header);

/* What a refusal says. status 0 = the request may pass. */
struct refusal {
    int status;
    const char *detail;
    bool close; /* framing cannot be trusted: nothing more is read from this connection */
};

/* Framing, Host, Origin: judged for every request, before it is known what it is for. address and port are
 * those listened on. */
struct refusal request_check_envelope(const struct request *request, const char *address, uint16_t port);
/* Content-Type and declared length, for a route that exists; too_large is said of more than bytes_max. */
struct refusal request_check_content(const struct request *request, uint64_t bytes_max,
                                     const char *too_large);

/* NULL = not given. */
const char *request_parameter(const struct request *request, const char *name);
/* A fault for every parameter that is not in the NULL-terminated table, and for every one given twice. */
void request_check_parameters(const struct request *request, const char *const *known, struct faults *faults);
/* As json_read_integer and json_read_word, for a parameter. */
bool request_read_integer(const struct request *request, const char *name, int64_t min, int64_t max,
                          int64_t *value, struct faults *faults);
bool request_read_word(const struct request *request, const char *name, const char *const *table,
                       size_t count, int *value, struct faults *faults);

/* Does Accept-Encoding take gzip? */
bool request_accepts_gzip(const struct request *request);
/* Does Accept name text/html, as browsers do of a page? Programs that take anything do not name it. */
bool request_accepts_html(const struct request *request);

#endif
