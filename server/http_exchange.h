/* http_exchange: one request and its answer, as libmicrohttpd tells of them. For http.c.
 *
 * First comes the request's line, then its head, then its body in pieces, and at last the end. Whether and
 * how it is answered dispatch.h decides; here a body is kept, given to an upload or swallowed, a long answer
 * is awaited from a child, and at each step the connection's deadline is set (http.h says to what).
 *
 * The functions are libmicrohttpd's callbacks. Their context is struct http_exchanges, their slot the one
 * exchange. Threads: the loop's. */
#ifndef IPCLAB_SERVER_HTTP_EXCHANGE_H
#define IPCLAB_SERVER_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include <stddef.h>
#include <stdint.h>

#include "server/dispatch.h"
#include "server/http.h"

/* What all have in common. */
struct http_exchanges {
    struct http *http; /* handlers get it as request->http */
    struct dispatch dispatch;
    struct report_children *reports; /* borrowed */
    size_t count;                    /* begun and not completed */
    uint64_t answers_by_class[HTTP_STATUS_CLASSES];
};

/* The first line has been read. What it returns becomes the slot; NULL: memory has run out. */
void *http_exchange_begin(void *context, const char *raw_target, struct MHD_Connection *handle);
/* The head has been read, a piece of the body, or all of it. */
enum MHD_Result http_exchange_handle(void *context, struct MHD_Connection *handle, const char *url,
                                     const char *method, const char *version, const char *upload,
                                     size_t *upload_length, void **slot);
/* The answer has gone out, or the connection is lost. */
void http_exchange_end(void *context, struct MHD_Connection *handle, void **slot,
                       enum MHD_RequestTerminationCode code);

#endif
