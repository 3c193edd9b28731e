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
    if (api_answer_in_child(app, answer))
        return;
    struct err err;
    answer_set_status(answer, 200);
    answer->content_type = export_content_types[format];
    answer_add_header(answer, "Content-Disposition", "attachment; filename=\"ipclab-%s.%s\"", run.uid,
                      export_names[format]);
    int status = export_write(app->store, run.id, (enum export_format)format, &answer->body, &err);
    if (status < 0)
        problem_answer_err(answer, status, &err);
}
