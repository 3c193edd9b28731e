/* compare: one run held against up to eight others. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "server/analysis/compare_runs.h"
#include "server/analysis/statistic.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/problem.h"

enum { SLOWER_MAX = 10 }; /* eleven times as slow */

struct question {
    int64_t base;
    int64_t against[COMPARE_AGAINST_MAX];
    size_t against_count;
    int statistic;
    double max_slower;
};

/* "18,19": ids, each once, none of them the base. */
static void read_against(const struct request *request, struct question *question, struct faults *faults)
{
    const char *list = request_parameter(request, "against");
    if (list == NULL) {
        faults_add(faults, "?against",
                   "is missing: the id of a run, or up to %d of them, separated by commas",
                   COMPARE_AGAINST_MAX);
        return;
    }
    while (true) {
        char *end = NULL;
        errno = 0;
        long long id = *list >= '1' && *list <= '9' ? strtoll(list, &end, 10) : 0;
        bool known = id == question->base;
        for (size_t i = 0; i < question->against_count; i++)
            known |= id == question->against[i];
        if (id < 1 || id > JSON_INTEGER_MAX || errno != 0 || known ||
            question->against_count == COMPARE_AGAINST_MAX || (*end != '\0' && *end != ',')) {
            faults_add(faults, "?against",
                       "must be 1 to %d ids of runs, separated by commas, each once and none "
                       "the base",
                       COMPARE_AGAINST_MAX);
            return;
        }
        question->against[question->against_count++] = id;
        if (*end == '\0')
            return;
        list = end + 1;
    }
}

/* "5%" or "0.05". */
static void read_max_slower(const struct request *request, struct question *question, struct faults *faults)
{
    const char *text = request_parameter(request, "max_slower");
    question->max_slower = NAN;
    if (text == NULL)
        return;
    char *end = NULL;
    bool is_decimal = strspn(text, "0123456789.%") == strlen(text); /* strtod knows more */
    double value = strtod(text, &end);
    bool percent = strcmp(end, "%") == 0;
    if (percent)
        value /= 100;
    if (!is_decimal || (!percent && *end != '\0') || !(value > 0 && value <= SLOWER_MAX))
        faults_add(faults, "?max_slower",
                   "must be a share above 0 and up to %d %%, such as 5%% or 0.05, got \"%.40s\"",
                   SLOWER_MAX * 100, text);
    else
        question->max_slower = value;
}

static void read_question(const struct request *request, struct question *question, struct faults *faults)
{
    *question = (struct question){.statistic = -1};
    request_read_integer(request, "base", 1, JSON_INTEGER_MAX, &question->base, faults);
    if (request_parameter(request, "base") == NULL)
        faults_add(faults, "?base", "is missing: the id of the run that the others are held against");
    read_against(request, question, faults);
    request_read_word(request, "statistic", statistic_names, STATISTIC_COMPARED_COUNT, &question->statistic,
                      faults);
    read_max_slower(request, question, faults);
}

static bool read_run(struct app *app, int64_t id, struct store_run *run, struct answer *answer)
{
    struct err err;
    int result = store_run_get(app->store, id, run, &err);
    if (result == 0 && run->deleted_ms == 0)
        return true;
    if (result < 0 && result != -ENOENT)
        problem_answer_err(answer, result, &err);
    else
        problem_answer_format(answer, 404, "There is no run %" PRId64 ".", id);
    return false;
}

enum { ON_LOOP_MS_MAX = 5 };

static void answer_question(struct app *app, const struct question *question, const struct store_run *base,
                            const struct store_run *against, struct answer *answer)
{
    const struct compare_request request = {.base = base,
                                            .against = against,
                                            .against_count = question->against_count,
                                            .statistic = question->statistic,
                                            .max_slower = question->max_slower};
    struct err err;
    int64_t estimate_ns = 0;
    int result = compare_runs_estimate_ns(app->store, &request, &estimate_ns, &err);
    if (result == 0 && estimate_ns > ON_LOOP_MS_MAX * NS_PER_MS && api_answer_in_child(app, answer))
        return;
    answer_begin_json(answer, 200);
    if (result == 0)
        result = compare_runs_write(app->store, &request, &answer->body, &err);
    if (result < 0)
        problem_answer_err(answer, result, &err);
    else
        etag_write(NULL, text_string(&answer->body), answer->body.length, answer->etag);
}

void api_compare_runs(struct app *app, const struct request *request, struct answer *answer)
{
    struct question question;
    struct faults faults = {.count = 0};
    read_question(request, &question, &faults);
    if (faults.count > 0) {
        problem_answer_faults(answer, &faults);
        return;
    }
    AUTO(store_run_fini) struct store_run base = {.id = 0};
    struct store_run against[COMPARE_AGAINST_MAX] = {{.id = 0}};
    bool found = read_run(app, question.base, &base, answer);
    for (size_t i = 0; i < question.against_count && found; i++)
        found = read_run(app, question.against[i], &against[i], answer);
    if (found)
        answer_question(app, &question, &base, against, answer);
    for (size_t i = 0; i < question.against_count; i++)
        store_run_fini(&against[i]);
}
