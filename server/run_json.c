#include "server/run_json.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "server/app.h"
#include "server/events.h"
#include "server/runner.h"

static void write_live(struct json_writer *writer, const struct app *app, const struct store_run *run)
{
    struct runner_live live = {.has_current = false};
    bool is_live = run->state == RUN_RUNNING && runner_live_of(app->runner, run->id, &live);
    if (is_live)
        json_write_integer(writer, "eta_ms", live.eta_ms);
    else
        json_write_null(writer, "eta_ms");
    if (!live.has_current) {
        json_write_null(writer, "current");
        return;
    }
    json_begin_object(writer, "current");
    json_write_integer(writer, "sequence", live.sequence);
    json_write_string(writer, "mechanism", live.current.mechanism);
    json_write_string(writer, "pattern", pattern_names[live.current.pattern]);
    json_write_integer(writer, "message_bytes", live.current.message_bytes);
    json_end_object(writer);
}

static void write_machine(struct json_writer *writer, const struct store_run *run)
{
    if (run->machine_id == 0) {
        json_write_null(writer, "machine");
        return;
    }
    json_begin_object(writer, "machine");
    json_write_string(writer, "comparable", run->machine_comparable);
    json_write_string(writer, "full", run->machine_full);
    json_end_object(writer);
}

void run_json_write(struct json_writer *writer, const char *name, const struct app *app,
                    const struct store_run *run)
{
    json_begin_object(writer, name);
    json_write_integer(writer, "id", run->id);
    json_write_string(writer, "uid", run->uid);
    json_write_string(writer, "state", run_state_names[run->state]);
    json_write_string(writer, "name", run->name);
    json_write_integer(writer, "created_ms", run->created_ms);
    json_write_positive(writer, "started_ms", run->started_ms);
    json_write_positive(writer, "finished_ms", run->finished_ms);
    json_write_integer(writer, "trials_total", run->trials_total);
    json_write_integer(writer, "trials_done", run->trials_done);
    json_write_integer(writer, "trials_failed", run->trials_failed);
    write_live(writer, app, run);
    json_write_string(writer, "message", run->message[0] != '\0' ? run->message : NULL);
    json_write_raw(writer, "experiment", run->experiment);
    json_write_string(writer, "experiment_hash", run->experiment_hash);
    write_machine(writer, run);
    json_write_raw(writer, "isolation", run->isolation);
    json_write_raw(writer, "overhead", run->overhead);
    json_write_raw(writer, "skipped", run->skipped);
    json_write_raw(writer, "tags", run->tags);
    json_write_string(writer, "note", run->note);
    json_write_boolean(writer, "pinned", run->pinned);
    json_write_positive(writer, "imported_ms", run->imported_ms);
    json_write_positive(writer, "series_dropped_ms", run->series_dropped_ms);
    json_write_positive(writer, "histograms_dropped_ms", run->histograms_dropped_ms);
    json_write_boolean(writer, "deleted", run->deleted_ms != 0);
    json_write_integer(writer, "rev", run->rev);
    json_end_object(writer);
}

void run_json_publish(const struct app *app, int64_t run_id)
{
    struct err err;
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    if (store_run_get(app->store, run_id, &run, &err) < 0) {
        log_write(LOG_WARNING, "could not publish a run", "run=%lld %s", (long long)run_id, err.text);
        return;
    }
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    run_json_write(&writer, NULL, app, &run);
    if (text_ok(&text))
        events_publish(app->events, "run", (struct events_topic){SUBJECT_RUN, run_id}, true,
                       text_string(&text));
}
