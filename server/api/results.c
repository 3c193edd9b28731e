/* results: a run's cases with their statistics, while it runs too. */
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "server/analysis/results.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/document_cache.h"
#include "server/problem.h"

void api_get_results(struct app *app, const struct request *request, struct answer *answer)
{
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    if (!api_find_run(app, request, &run, answer))
        return;
    /* Every archived trial makes a new revision, so a running run's results are computed once a trial,
     * however many watch. */
    char key[DOCUMENT_KEY_BYTES];
    snprintf(key, sizeof key, "results %" PRId64 " %" PRId64, run.id, run.rev);
    if (api_answer_cached(request, key, answer))
        return;
    AUTO(text_fini) struct text body = TEXT_EMPTY;
    struct err err;
    int status = results_write(app->store, run.id, &body, &err);
    if (status < 0)
        problem_answer_err(answer, status, &err);
    else
        api_answer_and_cache(request, key, &body, answer);
}
