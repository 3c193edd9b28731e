/* claims/imports: what was found on another machine. The body is longer than others, so it is an upload. */
#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/ledger.h"
#include "server/problem.h"

enum { LEDGER_BYTES_MAX = 1024 * 1024, STRETCH_MS = 20000 };

static void *open_text(struct app *app)
{
    (void)app;
    return calloc(1, sizeof(struct text));
}

static void take_text(void *upload, const char *bytes, size_t length)
{
    text_append_bytes(upload, bytes, length);
}

static void close_text(void *upload)
{
    text_fini(upload);
    free(upload);
}

const struct upload_kind api_ledger_upload = {
    .bytes_max = LEDGER_BYTES_MAX,
    .too_large = "The checks of another machine are at most 1048576 bytes.",
    .stretch_ms = STRETCH_MS,
    .open = open_text,
    .take = take_text,
    .close = close_text,
};

static void import_ledger(struct app *app, const struct ledger *ledger, struct answer *answer)
{
    struct err err;
    int64_t imported = 0;
    int status =
        store_check_import(app->store, &ledger->machine, ledger->checks, ledger->count, &imported, &err);
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    answer_begin_json(answer, 200);
    struct json_writer writer = json_writer_on(&answer->body);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "machine", ledger->machine.full);
    json_write_integer(&writer, "imported", imported);
    json_write_integer(&writer, "known", (int64_t)ledger->count - imported);
    json_end_object(&writer);
}

void api_import_checks(struct app *app, const struct request *request, struct answer *answer)
{
    struct err err;
    struct faults faults = {.count = 0};
    AUTO(ledger_fini) struct ledger ledger = {.count = 0};
    const struct text *body = request->upload;
    AUTO(json_cleanup) struct json_node *document = json_parse(text_string(body), body->length, &err);
    if (document == NULL) {
        problem_answer(answer, 400, err.text);
        return;
    }
    int status = ledger_read(document, &ledger, &faults, &err);
    if (faults.count > 0)
        problem_answer_faults(answer, &faults);
    else if (status < 0)
        problem_answer_err(answer, status, &err);
    else
        import_ledger(app, &ledger, answer);
}
