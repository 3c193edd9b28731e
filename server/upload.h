/* upload: a request body that is taken piece by piece while it comes in, because it may be longer than
 * REQUEST_BODY_BYTES_MAX. http.c opens one when the head has been judged, feeds it, and closes it with the
 * request; the route's handler, run when the body is complete, finds it in request->upload.
 *
 * An upload whose bytes are refused goes on swallowing what follows, so that the refusal arrives.
 * Threads: the loop's. */
#ifndef IPCLAB_SERVER_UPLOAD_H
#define IPCLAB_SERVER_UPLOAD_H

#include <stddef.h>

struct app;

struct upload_kind {
    size_t bytes_max;
    const char *too_large;          /* what is said of more */
    int time_ms;                    /* from the head to the last byte */
    void *(*open)(struct app *app); /* NULL: no memory */
    void (*take)(void *upload, const char *bytes, size_t length);
    void (*close)(void *upload);
};

#endif
