#include "server/check_json.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "server/activity_json.h"
#include "server/app.h"
#include "server/events.h"
#include "server/messages.h"

static void write_result(struct json_writer *writer, const struct messages_language *language,
                         const struct store_check *check)
{
    struct err ignored;
    char claim[16];
    snprintf(claim, sizeof claim, "%d", check->claim);
    const struct activity_texts texts = {.language = language, .family = "claims", .one = claim};
    AUTO(json_cleanup) struct json_node *result = json_parse(check->result, strlen(check->result), &ignored);
    const char *why = json_string_or(json_member(result, "why"), NULL);
    activity_json_write_evidence(writer, result);
    activity_json_write_reason(writer, "why", &texts, "why", result, why);
    json_write_string(writer, "why_key", why);
    json_write_integer(writer, "repeats", json_integer_or(json_member(result, "repeats"), 0));
    activity_json_write_skipped(writer, &texts, result);
}

void check_json_write(struct json_writer *writer, const char *name, const struct app *app,
                      const struct messages_language *language, const struct store_check *check)
{
    json_begin_object(writer, name);
    json_write_integer(writer, "id", check->id);
    json_write_string(writer, "uid", check->uid);
    json_write_integer(writer, "claim", check->claim);
    json_write_string(writer, "state", activity_state_names[check->state]);
    activity_json_write_waiting(writer, app, STORE_CHECKS, check->state);
    activity_json_write_text(writer, "message", check->cause);
    json_write_integer(writer, "created_ms", check->created_ms);
    json_write_positive(writer, "started_ms", check->started_ms);
    json_write_positive(writer, "finished_ms", check->finished_ms);
    json_write_string(writer, "verdict", check->verdict >= 0 ? verdict_names[check->verdict] : NULL);
    write_result(writer, language, check);
    activity_json_write_machine(writer, check->machine_comparable, check->machine_full, check->kernel);
    json_end_object(writer);
}

void check_json_publish(const struct app *app, int64_t id)
{
    struct err err;
    AUTO(store_check_fini) struct store_check check = {.id = 0};
    if (store_check_get(app->store, id, &check, &err) < 0) {
        log_write(LOG_WARNING, "could not publish a check", "check=%lld %s", (long long)id, err.text);
        return;
    }
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    check_json_write(&writer, NULL, app, messages_choose(app->messages, NULL), &check);
    if (text_ok(&text))
        events_publish(app->events, "check", (struct events_topic){SUBJECT_CHECK, id}, true,
                       text_string(&text));
}
