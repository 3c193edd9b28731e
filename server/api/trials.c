/* trials: what was archived of each, page by page in the order they were taken. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/analysis/results.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/problem.h"

/* A trial with its histogram is some 10 KB of JSON, so a page of those is shorter; next_cursor goes on. */
enum { TRIALS_LIMIT = 50, TRIALS_LIMIT_MAX = 200, TRIALS_LIMIT_MAX_INCLUDING = 50 };

struct page {
    struct json_writer writer;
    unsigned include;
    int64_t limit, count, last_id;
    bool has_more;
};

static int write_trial(void *context, const struct store_trial *trial)
{
    struct page *page = context;
    if (page->count == page->limit) {
        page->has_more = true;
        return 0;
    }
    results_write_trial(&page->writer, trial, page->include);
    page->count++;
    page->last_id = trial->id;
    return 0;
}

static unsigned read_include(const struct request *request, struct faults *faults)
{
    const char *list = request_parameter(request, "include");
    unsigned include = STORE_TRIAL_SUMMARY;
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ",");
        if (length == 9 && memcmp(list, "histogram", length) == 0)
            include |= STORE_TRIAL_HISTOGRAM;
        else if (length == 6 && memcmp(list, "series", length) == 0)
            include |= STORE_TRIAL_SERIES;
        else {
            faults_add(faults, "?include", "must be a list of: histogram, series");
            return include;
        }
        list += length;
        list += *list == ',';
    }
    return include;
}

void api_list_trials(struct app *app, const struct request *request, struct answer *answer)
{
    struct faults faults = {.count = 0};
    int64_t limit = TRIALS_LIMIT;
    int64_t after_id = 0;
    unsigned include = read_include(request, &faults);
    request_read_integer(request, "limit", 1, TRIALS_LIMIT_MAX, &limit, &faults);
    request_read_integer(request, "cursor", 0, JSON_INTEGER_MAX, &after_id, &faults);
    if (faults.count > 0) {
        problem_answer_faults(answer, &faults);
        return;
    }
    if (include != STORE_TRIAL_SUMMARY && limit > TRIALS_LIMIT_MAX_INCLUDING)
        limit = TRIALS_LIMIT_MAX_INCLUDING;
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    if (!api_find_run(app, request, &run, answer))
        return;

    answer_begin_json(answer, 200);
    struct page page = {.writer = json_writer_on(&answer->body), .include = include, .limit = limit};
    json_begin_object(&page.writer, NULL);
    json_begin_array(&page.writer, "trials");
    struct err err;
    int status = store_trial_each(app->store, run.id, after_id, limit + 1, include, write_trial, &page, &err);
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    json_end_array(&page.writer);
    char cursor[24];
    snprintf(cursor, sizeof cursor, "%" PRId64, page.last_id);
    json_write_string(&page.writer, "next_cursor", page.has_more ? cursor : NULL);
    json_end_object(&page.writer);
}
