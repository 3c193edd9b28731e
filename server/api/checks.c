/* checks: deciding claims on this machine, and what was found, here and on other machines. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/activities.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/check_json.h"
#include "server/messages.h"
#include "server/problem.h"

enum { CHECKS_LIMIT = 50 };

/* ---- lists ---- */

static int write_check(void *context, const struct store_check *check)
{
    struct api_page *page = context;
    if (api_page_takes(page, check->id))
        check_json_write(&page->writer, NULL, page->app, page->language, check);
    return 0;
}

void api_list_checks(struct app *app, const struct request *request, struct answer *answer)
{
    struct err err;
    struct faults faults = {.count = 0};
    struct api_page page = {.limit = CHECKS_LIMIT};
    int64_t before_id = 0;
    if (api_find_claim(app, request, answer) == NULL)
        return;
    request_read_integer(request, "limit", 1, STORE_LIST_MAX, &page.limit, &faults);
    request_read_integer(request, "cursor", 1, JSON_INTEGER_MAX, &before_id, &faults);
    if (faults.count > 0) {
        problem_answer_faults(answer, &faults);
        return;
    }
    api_page_begin(&page, app, request, "checks", answer);
    int status =
        store_check_each(app->store, (int)request->id, before_id, page.limit + 1, write_check, &page, &err);
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    api_page_end(&page);
}

static int write_machine(void *context, const struct store_check_machine *machine)
{
    static const char *const names[] = {"kernel", "cpu_model", "cpus_online"};
    struct json_writer *writer = context;
    struct err ignored;
    AUTO(json_cleanup) struct json_node *facts = json_parse(machine->facts, strlen(machine->facts), &ignored);
    json_begin_object(writer, NULL);
    json_write_string(writer, "comparable", machine->comparable);
    json_write_string(writer, "full", machine->full);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_write_node(writer, names[i], json_member(facts, names[i]));
    json_write_node(writer, "facts", facts);
    json_write_integer(writer, "claims", machine->claims);
    json_write_integer(writer, "newest_ms", machine->newest_ms);
    json_end_object(writer);
    return 0;
}

/* The latest of every claim on one machine, which machines there are to be set beside it, and what is on its
 * way. */
void api_list_latest_checks(struct app *app, const struct request *request, struct answer *answer)
{
    struct err err;
    const char *machine = api_read_machine(app, request, answer);
    if (machine == NULL)
        return;
    struct api_page page = {.app = app, .limit = INT64_MAX};
    page.language = api_begin_in_language(app, request, answer);
    page.writer = json_writer_on(&answer->body);
    json_begin_object(&page.writer, NULL);
    json_write_string(&page.writer, "machine", machine);
    json_begin_array(&page.writer, "machines");
    int status = store_check_each_machine(app->store, write_machine, &page.writer, &err);
    json_end_array(&page.writer);
    json_begin_array(&page.writer, "checks");
    if (status == 0)
        status = store_check_each_latest(app->store, machine, 0, write_check, &page, &err);
    json_end_array(&page.writer);
    json_begin_array(&page.writer, "pending");
    if (status == 0)
        status = store_check_each_pending(app->store, write_check, &page, &err);
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    json_end_array(&page.writer);
    json_end_object(&page.writer);
}

/* ---- one ---- */

/* False: there is none, or the archive failed, and the answer says so. */
static bool find_check(struct app *app, int64_t id, struct store_check *check, struct answer *answer)
{
    struct err err;
    int status = store_check_get(app->store, id, check, &err);
    if (status == -ENOENT)
        problem_answer_format(answer, 404, "There is no check %" PRId64 ".", id);
    else if (status < 0)
        problem_answer_err(answer, status, &err);
    return status == 0;
}

static void answer_check(struct app *app, const struct request *request, int64_t id, int status,
                         struct answer *answer)
{
    AUTO(store_check_fini) struct store_check check = {.id = 0};
    if (!find_check(app, id, &check, answer))
        return;
    const struct messages_language *language = api_begin_in_language(app, request, answer);
    answer->status = status;
    struct json_writer writer = json_writer_on(&answer->body);
    check_json_write(&writer, NULL, app, language, &check);
}

void api_get_check(struct app *app, const struct request *request, struct answer *answer)
{
    answer_check(app, request, request->id, 200, answer);
}

void api_cancel_check(struct app *app, const struct request *request, struct answer *answer)
{
    struct err err;
    AUTO(store_check_fini) struct store_check check = {.id = 0};
    if (!api_has_no_fields(request, answer) || !find_check(app, request->id, &check, answer))
        return;
    int status = activities_cancel(app->activities, STORE_CHECKS, check.id, &err);
    if (status == -ESTALE)
        problem_answer_format(answer, 409, "Check %" PRId64 " is %s.", check.id,
                              activity_state_names[check.state]);
    else if (status < 0)
        problem_answer_err(answer, status, &err);
    else
        answer_check(app, request, check.id, 202, answer);
}

/* ---- asking for them ---- */

void api_create_check(struct app *app, const struct request *request, struct answer *answer)
{
    struct err err;
    int64_t id;
    int claim = (int)request->id;
    if (!api_has_no_fields(request, answer) || api_find_claim(app, request, answer) == NULL)
        return;
    int status = activities_add_checks(app->activities, &claim, 1, &id, &err);
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    answer_check(app, request, id, 202, answer);
    if (answer->status == 202)
        answer_add_header(answer, "Location", "/api/v1/checks/%" PRId64, id);
}

static void answer_checks(struct app *app, const struct request *request, const int64_t *ids, size_t count,
                          struct answer *answer)
{
    struct err err;
    const struct messages_language *language = api_begin_in_language(app, request, answer);
    answer->status = 202;
    struct json_writer writer = json_writer_on(&answer->body);
    json_begin_object(&writer, NULL);
    json_begin_array(&writer, "checks");
    for (size_t i = 0; i < count; i++) {
        AUTO(store_check_fini) struct store_check check = {.id = 0};
        int status = store_check_get(app->store, ids[i], &check, &err);
        if (status < 0) {
            problem_answer_err(answer, status, &err);
            return;
        }
        check_json_write(&writer, NULL, app, language, &check);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}

void api_create_checks(struct app *app, const struct request *request, struct answer *answer)
{
    struct err err;
    size_t count = 0;
    if (!api_has_no_fields(request, answer))
        return;
    AUTO_FREE int *claims = calloc(lab_catalogue_claim_count(&app->labs) + 1, sizeof *claims);
    AUTO_FREE int64_t *ids = calloc(lab_catalogue_claim_count(&app->labs) + 1, sizeof *ids);
    if (claims == NULL || ids == NULL) {
        problem_answer(answer, 500, "Out of memory for the checks.");
        return;
    }
    const struct json_node *claim = lab_catalogue_first_claim(&app->labs);
    for (; claim != NULL; claim = json_next(claim))
        claims[count++] = (int)claim_number(claim);
    int status = activities_add_checks(app->activities, claims, count, ids, &err);
    if (status < 0)
        problem_answer_err(answer, status, &err);
    else
        answer_checks(app, request, ids, count, answer);
}
