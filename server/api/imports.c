/* imports: a run that was taken elsewhere, from its bundle. */
#include "server/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/clock.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/problem.h"
#include "server/retention.h"
#include "server/run_json.h"

enum { STRETCH_MS = 30000 };

struct incoming {
    struct app *app;
    struct import *import;
    int result;
    struct err err;
};

static void *open_incoming(struct app *app)
{
    struct incoming *incoming = calloc(1, sizeof *incoming);
    if (incoming == NULL)
        return NULL;
    incoming->app = app;
    incoming->import = import_new(app->store);
    if (incoming->import == NULL) {
        free(incoming);
        return NULL;
    }
    return incoming;
}

static void take_incoming(void *upload, const char *bytes, size_t length)
{
    struct incoming *incoming = upload;
    if (incoming->result == 0)
        incoming->result = import_take(incoming->import, bytes, length, &incoming->err);
}

static void close_incoming(void *upload)
{
    struct incoming *incoming = upload;
    import_free(incoming->import);
    retention_wake(incoming->app->retention); /* something may have been given up */
    free(incoming);
}

const struct upload_kind api_import_upload = {
    .bytes_max = IMPORT_BYTES_MAX,
    .too_large = "An import is at most 11811160064 bytes.",
    .stretch_ms = STRETCH_MS,
    .open = open_incoming,
    .take = take_incoming,
    .close = close_incoming,
};

void api_import_run(struct app *app, const struct request *request, struct answer *answer)
{
    struct incoming *incoming = request->upload;
    int64_t run_id = 0;
    bool was_there = false;
    if (incoming->result == 0)
        incoming->result =
            import_finish(incoming->import, clock_wall_ms(), &run_id, &was_there, &incoming->err);
    if (import_faults(incoming->import)->count > 0) {
        problem_answer_faults_as(answer, 400, import_faults(incoming->import));
        return;
    }
    if (incoming->result < 0) {
        problem_answer_err(answer, incoming->result, &incoming->err);
        return;
    }
    run_json_publish(app, run_id);
    api_answer_run_id(app, run_id, was_there ? 200 : 201, answer);
    answer_add_header(answer, "Location", "/api/v1/runs/%" PRId64, run_id);
}
