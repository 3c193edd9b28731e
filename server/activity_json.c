#include "server/activity_json.h"

#include <string.h>

#include "common/cleanup.h"
#include "server/activities.h"
#include "server/app.h"
#include "server/messages.h"

void activity_json_write_text(struct json_writer *writer, const char *name, const char *text)
{
    json_write_string(writer, name, text[0] != '\0' ? text : NULL);
}

void activity_json_write_machine(struct json_writer *writer, const char *comparable, const char *full,
                                 const char *kernel)
{
    if (full[0] == '\0') {
        json_write_null(writer, "machine");
    } else {
        json_begin_object(writer, "machine");
        json_write_string(writer, "comparable", comparable);
        json_write_string(writer, "full", full);
        json_end_object(writer);
    }
    activity_json_write_text(writer, "kernel", kernel);
}

void activity_json_write_waiting(struct json_writer *writer, const struct app *app, enum store_activity kind,
                                 enum activity_state state)
{
    char waiting[ACTIVITIES_WAITING_BYTES];
    json_write_string(writer, "waiting_for",
                      state == ACTIVITY_QUEUED ? activities_waiting_for(app->activities, kind, waiting)
                                               : NULL);
}

void activity_json_write_evidence(struct json_writer *writer, const struct json_node *result)
{
    const struct json_node *skipped = json_member(result, "skipped");
    json_begin_object(writer, "evidence");
    const struct json_node *field = json_first(json_member(result, "evidence"));
    for (; field != NULL; field = json_next(field))
        if (json_name(field) != NULL && strcmp(json_name(field), "skipped") != 0)
            json_write_node(writer, json_name(field), field);
    if (json_is(skipped, JSON_OBJECT))
        json_write_node(writer, "skipped", skipped);
    json_end_object(writer);
}

void activity_json_write_skipped(struct json_writer *writer, const struct activity_texts *texts,
                                 const struct json_node *result)
{
    const struct json_node *skipped = json_member(result, "skipped");
    if (!json_is(skipped, JSON_OBJECT)) {
        json_write_null(writer, "skipped");
        return;
    }
    json_begin_object(writer, "skipped");
    json_write_string(writer, "call", json_string_or(json_member(skipped, "call"), NULL));
    json_write_string(writer, "errno", json_string_or(json_member(skipped, "errno"), NULL));
    const char *what = json_string_or(json_member(skipped, "what"), NULL);
    activity_json_write_reason(writer, "what", texts, "skips", result, what);
    json_write_string(writer, "what_key", what);
    json_end_object(writer);
}

void activity_json_write_reason(struct json_writer *writer, const char *name,
                                const struct activity_texts *texts, const char *kind,
                                const struct json_node *result, const char *key)
{
    if (key == NULL) {
        json_write_null(writer, name);
        return;
    }
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    bool own = messages_find(texts->language, "%s.%s.%s.%s", texts->family, texts->one, kind, key) != NULL;
    messages_append(&text, texts->language, json_member(result, "evidence"), "%s.%s.%s.%s", texts->family,
                    own ? texts->one : "any", kind, key);
    json_write_string(writer, name, text_string(&text));
}
