/* trends: one experiment over its runs on one machine, and which experiments there are several runs of. */
#include <stdio.h>
#include <string.h>

#include "server/analysis/statistic.h"
#include "server/analysis/trends.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/problem.h"

/* More trials take longer than the loop may be held up: one is read in 2 us. */
enum { TRIALS_ON_LOOP_MAX = 2000, RUNS_LIMIT = 200, EXPERIMENTS_LIMIT = 50 };

static void read_hash(const struct request *request, const char *name, const char *parameter,
                      const char **value, struct faults *faults)
{
    *value = request_parameter(request, name);
    if (*value == NULL)
        faults_add(faults, parameter, "is missing: experiment and machine go together");
    else
        api_check_hash(name, *value, faults);
}

static void read_question(const struct request *request, struct trends_request *question,
                          struct faults *faults)
{
    int64_t limit = RUNS_LIMIT;
    *question = (struct trends_request){.statistic = -1, .pattern = -1};
    read_hash(request, "experiment", "?experiment", &question->series.experiment, faults);
    read_hash(request, "machine", "?machine", &question->series.machine, faults);
    request_read_integer(request, "limit", 1, TRENDS_RUNS_MAX, &limit, faults);
    request_read_integer(request, "cursor", 1, JSON_INTEGER_MAX, &question->series.before_id, faults);
    request_read_word(request, "statistic", statistic_names, STATISTIC_COMPARED_COUNT, &question->statistic,
                      faults);
    request_read_word(request, "pattern", pattern_names, PATTERN_COUNT, &question->pattern, faults);
    request_read_integer(request, "message_bytes", 1, JSON_INTEGER_MAX, &question->message_bytes, faults);
    question->mechanism = request_parameter(request, "mechanism");
    question->series.limit = (size_t)limit;
}

static void finish(int result, const struct err *err, struct answer *answer)
{
    if (result < 0)
        problem_answer_err(answer, result, err);
    else
        etag_write(NULL, text_string(&answer->body), answer->body.length, answer->etag);
}

static void answer_trend(struct app *app, const struct request *request, struct answer *answer)
{
    struct trends_request question;
    struct faults faults = {.count = 0};
    struct err err;
    int64_t trials = 0;
    read_question(request, &question, &faults);
    if (faults.count > 0) {
        problem_answer_faults(answer, &faults);
        return;
    }
    int result = trends_count_trials(app->store, &question, &trials, &err);
    if (result == 0 && trials > TRIALS_ON_LOOP_MAX && api_answer_in_child(app, answer))
        return;
    answer_begin_json(answer, 200);
    if (result == 0)
        result = trends_write(app->store, &question, &answer->body, &err);
    finish(result, &err, answer);
}

static void answer_experiments(struct app *app, const struct request *request, struct answer *answer)
{
    static const char *const of_one[] = {"statistic", "mechanism", "pattern", "message_bytes"};
    int64_t limit = EXPERIMENTS_LIMIT, before_id = 0;
    struct faults faults = {.count = 0};
    struct err err;
    for (size_t i = 0; i < sizeof of_one / sizeof *of_one; i++) {
        char pointer[FAULT_POINTER_BYTES];
        snprintf(pointer, sizeof pointer, "?%s", of_one[i]);
        if (request_parameter(request, of_one[i]) != NULL)
            faults_add(&faults, pointer, "is asked of one series: experiment and machine are missing");
    }
    request_read_integer(request, "limit", 1, TRENDS_EXPERIMENTS_MAX, &limit, &faults);
    request_read_integer(request, "cursor", 1, JSON_INTEGER_MAX, &before_id, &faults);
    if (faults.count > 0) {
        problem_answer_faults(answer, &faults);
        return;
    }
    answer_begin_json(answer, 200);
    int result = trends_write_experiments(app->store, before_id, (size_t)limit, &answer->body, &err);
    finish(result, &err, answer);
}

void api_get_trends(struct app *app, const struct request *request, struct answer *answer)
{
    bool of_one =
        request_parameter(request, "experiment") != NULL || request_parameter(request, "machine") != NULL;
    if (of_one)
        answer_trend(app, request, answer);
    else
        answer_experiments(app, request, answer);
}
