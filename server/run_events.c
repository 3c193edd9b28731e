#include "server/run_events.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "server/analysis/results.h"
#include "server/app.h"
#include "server/events.h"

void run_events_publish_sample(const struct app *app, const struct store_trial *trial,
                               const struct ipc_case *one, const struct frame_sample *sample)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_write_integer(&writer, "run", trial->run_id);
    json_write_integer(&writer, "sequence", trial->sequence);
    json_write_integer(&writer, "case", trial->case_number);
    json_write_string(&writer, "mechanism", one->mechanism);
    json_write_string(&writer, "pattern", pattern_names[one->pattern]);
    json_write_integer(&writer, "message_bytes", one->message_bytes);
    json_write_integer(&writer, "elapsed_ms", sample->elapsed_ns / NS_PER_MS);
    json_write_number(&writer, "messages_per_s", sample->messages_per_s);
    json_write_number(&writer, "bytes_per_s", sample->bytes_per_s);
    json_write_number(&writer, "latency_p50_ns", sample->latency_p50_ns);
    json_end_object(&writer);
    if (text_ok(&text))
        events_publish(app->events, "sample", (struct events_topic){SUBJECT_RUN, trial->run_id}, false,
                       text_string(&text));
}

static void publish_taken(const struct app *app, const struct store_trial *trial)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_write_integer(&writer, "run", trial->run_id);
    text_append(&text, ",\"trial\":");
    results_write_trial(&writer, trial, STORE_TRIAL_SUMMARY);
    json_end_object(&writer);
    if (text_ok(&text))
        events_publish(app->events, "trial", (struct events_topic){SUBJECT_RUN, trial->run_id}, false,
                       text_string(&text));
}

/* What its case comes to with it. */
static void publish_case(const struct app *app, const struct store_trial *trial)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct err err;
    text_printf(&text, "{\"run\":%lld,\"case\":", (long long)trial->run_id);
    if (results_write_case(app->store, trial->run_id, trial->case_number, &text, &err) < 0) {
        log_write(LOG_WARNING, "could not sum up a case", "%s", err.text);
        return;
    }
    text_append_char(&text, '}');
    if (text_ok(&text))
        events_publish(app->events, "case", (struct events_topic){SUBJECT_RUN, trial->run_id}, false,
                       text_string(&text));
}

void run_events_publish_trial(const struct app *app, const struct store_trial *trial)
{
    publish_taken(app, trial);
    publish_case(app, trial);
}
