#include "server/attempt_json.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "server/activity_json.h"
#include "server/app.h"
#include "server/events.h"
#include "server/messages.h"

static void write_agrees(struct json_writer *writer, int agrees)
{
    if (agrees < 0)
        json_write_null(writer, "agrees");
    else
        json_write_boolean(writer, "agrees", agrees == 1);
}

static void write_result(struct json_writer *writer, const struct messages_language *language,
                         const struct store_attempt *attempt)
{
    struct err ignored;
    const struct activity_texts texts = {.language = language, .family = "labs", .one = attempt->lab};
    AUTO(json_cleanup)
    struct json_node *result = json_parse(attempt->result, strlen(attempt->result), &ignored);
    const char *explanation = json_string_or(json_member(result, "explanation"), NULL);
    const struct json_node *claims = json_member(result, "claims");
    activity_json_write_evidence(writer, result);
    activity_json_write_reason(writer, "explanation", &texts, "explanations", result, explanation);
    json_write_string(writer, "explanation_key", explanation);
    if (json_is(claims, JSON_ARRAY))
        json_write_node(writer, "claims", claims);
    else
        json_write_raw(writer, "claims", "[]");
    activity_json_write_skipped(writer, &texts, result);
    json_write_integer(writer, "dropped_calls", json_integer_or(json_member(result, "dropped_calls"), 0));
}

void attempt_json_write(struct json_writer *writer, const struct app *app,
                        const struct messages_language *language, const struct store_attempt *attempt,
                        const char *record)
{
    json_begin_object(writer, NULL);
    json_write_integer(writer, "id", attempt->id);
    json_write_string(writer, "uid", attempt->uid);
    json_write_string(writer, "lab", attempt->lab);
    json_write_string(writer, "state", activity_state_names[attempt->state]);
    activity_json_write_waiting(writer, app, STORE_ATTEMPTS, attempt->state);
    activity_json_write_text(writer, "message", attempt->cause);
    json_write_integer(writer, "created_ms", attempt->created_ms);
    json_write_positive(writer, "started_ms", attempt->started_ms);
    json_write_positive(writer, "finished_ms", attempt->finished_ms);
    json_write_positive(writer, "record_dropped_ms", attempt->record_dropped_ms);
    activity_json_write_text(writer, "student", attempt->student);
    activity_json_write_text(writer, "group", attempt->class);
    json_write_raw(writer, "parameters", attempt->parameters);
    json_write_raw(writer, "prediction", attempt->prediction);
    json_write_raw(writer, "outcome", attempt->outcome);
    write_agrees(writer, attempt->agrees);
    write_result(writer, language, attempt);
    activity_json_write_machine(writer, attempt->machine_comparable, attempt->machine_full, attempt->kernel);
    if (record != NULL) {
        text_append_char(writer->out, ',');
        text_append(writer->out, record);
    }
    json_end_object(writer);
}

void attempt_json_publish(const struct app *app, int64_t id)
{
    struct err err;
    AUTO(store_attempt_fini) struct store_attempt attempt = {.id = 0};
    if (store_attempt_get(app->store, id, &attempt, &err) < 0) {
        log_write(LOG_WARNING, "could not publish an attempt", "attempt=%lld %s", (long long)id, err.text);
        return;
    }
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    attempt_json_write(&writer, app, messages_choose(app->messages, NULL), &attempt, NULL);
    if (text_ok(&text))
        events_publish(app->events, "attempt", (struct events_topic){SUBJECT_ATTEMPT, id}, true,
                       text_string(&text));
}
