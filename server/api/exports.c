/* exports: one run as a file to keep (server/export.h). */
#include "server/export.h"

#include <inttypes.h>

#include "common/cleanup.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/problem.h"

static bool is_over(const struct store_run *run)
{
    return run->state == RUN_DONE || run->state == RUN_FAILED || run->state == RUN_CANCELLED;
}

/* Tells every file of a run that is over from what it will be after a change: trials do not change, and
 * what does is counted. */
static void write_etag(const struct store_run *run, int format, struct answer *answer)
{
    AUTO(text_fini) struct text source = TEXT_EMPTY;
    text_printf(&source, "%" PRId64 " %" PRId64 " %s %s", run->id, run->rev, export_names[format],
                IPCLAB_VERSION);
    if (is_over(run) && text_ok(&source))
        etag_write(NULL, source.bytes, source.length, answer->etag);
}

static void begin_file(const struct store_run *run, int format, struct answer *answer)
{
    answer_set_status(answer, 200);
    answer->content_type = export_content_types[format];
    answer_add_header(answer, "Content-Disposition", "attachment; filename=\"ipclab-%s.%s\"", run->uid,
                      export_names[format]);
    write_etag(run, format, answer);
}

static int spill(void *answer, struct err *err)
{
    return answer_spill(answer, err);
}

void api_export_run(struct app *app, const struct request *request, struct answer *answer)
{
    struct faults faults = {.count = 0};
    int format = EXPORT_JSON;
    request_read_word(request, "format", export_names, EXPORT_COUNT, &format, &faults);
    if (faults.count > 0) {
        problem_answer_faults(answer, &faults);
        return;
    }
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    if (!api_find_run(app, request, &run, answer))
        return;
    /* Imported elsewhere, what is not over would be taken up there. */
    if (format == EXPORT_JSON && !is_over(&run)) {
        problem_answer_format(answer, 409, "Run %" PRId64 " is %s: it can be exported when it is over.",
                              run.id, run_state_names[run.state]);
        return;
    }
    begin_file(&run, format, answer);
    const char *known = request_header(request, HEADER_IF_NONE_MATCH);
    if (known != NULL && answer->etag[0] != '\0' && etag_list_has(known, answer->etag, true))
        return; /* becomes 304, and nothing had to be made */
    if (api_answer_in_child(app, answer))
        return;
    struct err err;
    const struct export_progress progress = {.written = spill, .context = answer};
    int status = export_write(app->store, run.id, (enum export_format)format, &progress, &answer->body, &err);
    if (status < 0)
        problem_answer_err(answer, status, &err);
}
