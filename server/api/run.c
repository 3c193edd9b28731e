/* runs/ID: one run, what may be changed about it, and the ways to end it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/experiment.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/events.h"
#include "server/problem.h"
#include "server/run_json.h"
#include "server/runner.h"

void api_get_run(struct app *app, const struct request *request, struct answer *answer)
{
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    if (api_find_run(app, request, &run, answer))
        api_answer_run(app, &run, 200, answer);
}

/* ---- change ---- */

struct change {
    char name[EXPERIMENT_NAME_BYTES_MAX + 1];
    char note[EXPERIMENT_NOTE_BYTES_MAX + 1];
    struct text tags;
    struct store_run_patch patch; /* points to the above */
};

static void read_tags(const struct json_node *document, struct change *change, struct faults *faults)
{
    char tags[EXPERIMENT_TAGS_MAX][EXPERIMENT_TAG_BYTES_MAX + 1];
    size_t count = 0;
    experiment_read_tags(document, &count, tags, faults);
    struct json_writer writer = json_writer_on(&change->tags);
    json_begin_array(&writer, NULL);
    for (size_t i = 0; i < count; i++)
        json_write_string(&writer, NULL, tags[i]);
    json_end_array(&writer);
    change->patch.tags = text_string(&change->tags);
}

static void read_change(const struct json_node *document, struct change *change, struct faults *faults)
{
    static const char *const fields[] = {"name", "note", "tags", "pinned"};
    bool pinned;
    json_read_only_known(document, fields, sizeof fields / sizeof fields[0], faults);
    change->patch.pinned = -1;
    if (json_read_string(document, "name", EXPERIMENT_NAME_BYTES_MAX, change->name, faults))
        change->patch.name = change->name;
    if (json_read_string(document, "note", EXPERIMENT_NOTE_BYTES_MAX, change->note, faults))
        change->patch.note = change->note;
    if (json_read_boolean(document, "pinned", &pinned, faults))
        change->patch.pinned = pinned;
    if (json_member(document, "tags") != NULL)
        read_tags(document, change, faults);
}

static bool is_edition(const char *list, const struct store_run *run)
{
    char edition[ETAG_HASH_BYTES];
    api_write_edition(run, edition);
    return etag_list_has_edition(list, edition);
}

static bool check_precondition(const struct request *request, const struct store_run *run, bool required,
                               struct answer *answer)
{
    const char *list = request_header(request, HEADER_IF_MATCH);
    if (list == NULL && !required)
        return true;
    if (list == NULL)
        problem_answer(answer, 428, "Send If-Match with the ETag of the run as you know it.");
    else if (request->headers[HEADER_IF_MATCH].count > 1 || !etag_list_is_valid(list))
        problem_answer(answer, 400, "If-Match is one field: * or a list of quoted entity tags.");
    else if (!is_edition(list, run))
        problem_answer_format(answer, 412, "Run %" PRId64 " was edited in the meantime; read it again.",
                              run->id);
    else
        return true;
    return false;
}

static void change_run(struct app *app, const struct store_run *run, const struct json_node *document,
                       struct answer *answer)
{
    struct change change = {.tags = TEXT_EMPTY};
    struct faults faults = {.count = 0};
    struct err err;
    read_change(document, &change, &faults);
    int status = faults.count == 0 ? store_run_patch(app->store, run->id, run->rev, &change.patch, &err) : 0;
    text_fini(&change.tags);
    if (faults.count > 0) {
        problem_answer_faults(answer, &faults);
        return;
    }
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    run_json_publish(app, run->id);
    api_answer_run_id(app, run->id, 200, answer);
}

void api_change_run(struct app *app, const struct request *request, struct answer *answer)
{
    AUTO(json_cleanup) struct json_node *document = api_read_body(request, answer);
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    if (document == NULL || !api_find_run(app, request, &run, answer) ||
        !check_precondition(request, &run, true, answer))
        return;
    change_run(app, &run, document, answer);
}

/* ---- delete and restore ---- */

static bool will_go_on(enum run_state state)
{
    return state == RUN_QUEUED || state == RUN_RUNNING || state == RUN_INTERRUPTED;
}

/* With the revision that did it: whoever is told may still get an older one from another connection, and a
 * newer one after it was restored. */
static void publish_deleted(const struct app *app, const struct store_run *run)
{
    char json[64];
    snprintf(json, sizeof json, "{\"id\":%" PRId64 ",\"rev\":%" PRId64 "}", run->id, run->rev + 1);
    events_publish(app->events, "run_deleted", (struct events_topic){SUBJECT_RUN, run->id}, true, json);
}

void api_delete_run(struct app *app, const struct request *request, struct answer *answer)
{
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    if (!api_has_no_fields(request, answer) || !api_find_run(app, request, &run, answer) ||
        !check_precondition(request, &run, false, answer))
        return;
    if (will_go_on(run.state)) {
        problem_answer_format(answer, 409, "Run %" PRId64 " is %s; cancel it first.", run.id,
                              run_state_names[run.state]);
        return;
    }
    struct err err;
    int status = store_run_set_deleted(app->store, run.id, clock_wall_ms(), &err);
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    publish_deleted(app, &run);
    answer_set_status(answer, 204);
}

/* Restoring what is not deleted changes nothing, so that an undo may be repeated. */
void api_restore_run(struct app *app, const struct request *request, struct answer *answer)
{
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    struct err err;
    if (!api_has_no_fields(request, answer))
        return;
    int status = store_run_get(app->store, request->id, &run, &err);
    bool was_deleted = status == 0 && run.deleted_ms != 0;
    if (was_deleted)
        status = store_run_set_deleted(app->store, run.id, 0, &err);
    if (status == -ENOENT) {
        problem_answer_format(answer, 404, "There is no run %" PRId64 ".", request->id);
        return;
    }
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    if (was_deleted)
        run_json_publish(app, run.id);
    api_answer_run_id(app, run.id, 200, answer);
}

/* ---- cancel ---- */

void api_cancel_run(struct app *app, const struct request *request, struct answer *answer)
{
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    if (!api_has_no_fields(request, answer) || !api_find_run(app, request, &run, answer))
        return;
    struct err err;
    int status = runner_cancel(app->runner, run.id, &err);
    if (status == -EINVAL)
        problem_answer(answer, 409, err.text);
    else if (status < 0)
        problem_answer_err(answer, status, &err);
    else
        api_answer_run_id(app, run.id, 202, answer);
}
