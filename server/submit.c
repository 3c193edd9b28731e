#include "server/submit.h"

#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/ulid.h"
#include "server/app.h"

static void write_skips(struct text *out, const struct experiment_request *request)
{
    struct json_writer writer = json_writer_on(out);
    json_begin_array(&writer, NULL);
    for (size_t i = 0; i < request->skip_count; i++) {
        json_begin_object(&writer, NULL);
        json_write_string(&writer, "mechanism", request->skips[i].mechanism);
        json_write_string(&writer, "reason", request->skips[i].reason);
        json_end_object(&writer);
    }
    json_end_array(&writer);
}

static void write_tags(struct text *out, const struct experiment *experiment)
{
    struct json_writer writer = json_writer_on(out);
    json_begin_array(&writer, NULL);
    for (size_t i = 0; i < experiment->tag_count; i++)
        json_write_string(&writer, NULL, experiment->tags[i]);
    json_end_array(&writer);
}

int submit_run(const struct app *app, const struct experiment_request *request,
               const struct store_idempotency *idempotency, int64_t *run_id, struct err *err)
{
    const struct experiment *experiment = &request->experiment;
    const struct catalogue *catalogue = &app->catalogue;
    size_t count = experiment_case_count(experiment);
    AUTO_FREE struct ipc_case *keys = calloc(count, sizeof *keys);
    AUTO_FREE struct store_case *cases = calloc(count, sizeof *cases);
    if (keys == NULL || cases == NULL)
        return err_set(err, ENOMEM, "out of memory for %zu cases", count);
    experiment_cases(experiment, catalogue, keys, count);
    for (size_t i = 0; i < count; i++)
        cases[i] = (struct store_case){.number = (int)i, .key = keys[i]};

    AUTO(text_fini) struct text document = TEXT_EMPTY;
    AUTO(text_fini) struct text skipped = TEXT_EMPTY;
    AUTO(text_fini) struct text tags = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&document);
    experiment_write(&writer, NULL, experiment);
    write_skips(&skipped, request);
    write_tags(&tags, experiment);
    if (!text_ok(&document) || !text_ok(&skipped) || !text_ok(&tags))
        return err_set(err, ENOMEM, "out of memory for a run");
    char no_isolation[] = "{}", no_message[] = "";
    struct store_run run = {
        .state = RUN_QUEUED,
        .created_ms = clock_wall_ms(),
        .trials_total = (int64_t)count * experiment->trials,
        .name = (char *)experiment->name,
        .note = (char *)experiment->note,
        .tags = tags.bytes,
        .experiment = document.bytes,
        .isolation = no_isolation,
        .skipped = skipped.bytes,
        .message = no_message,
    };
    ulid_make(run.created_ms, run.uid);
    experiment_hash(experiment, run.experiment_hash);
    int result = store_run_insert(app->store, &run, cases, count, idempotency, err);
    *run_id = run.id;
    return result;
}
