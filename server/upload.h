/* upload: a request body that is taken piece by piece while it comes in, because it may be longer than
 * REQUEST_BODY_BYTES_MAX. http.c opens one when the head has been judged, feeds it, and closes it with the
 * request; the route's handler, run when the body is complete, finds it in request->upload.
 *
 * An upload whose bytes are refused goes on swallowing what follows, so that the refusal arrives.
 * Threads: the loop's. */
#ifndef IPCLAB_SERVER_UPLOAD_H
#define IPCLAB_SERVER_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

enum { UPLOAD_STRETCH_BYTES = 1024 * 1024 };

struct app;

struct upload_kind {
    uint64_t bytes_max;
    const char *too_large;          /* what is said of more */
    int stretch_ms;                 /* for every UPLOAD_STRETCH_BYTES, and for the rest */
    void *(*open)(struct app *app); /* NULL: no memory */
    void (*take)(void *upload, const char *bytes, size_t length);
    void (*close)(void *upload);
};

#endif
