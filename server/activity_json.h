/* activity_json: what attempts and checks have in common as the API shows them. Each writes members of an
 * object that is open. */
#ifndef IPCLAB_SERVER_ACTIVITY_JSON_H
#define IPCLAB_SERVER_ACTIVITY_JSON_H

#include "common/json.h"
#include "db/store_activities.h"

struct app;
struct messages_language;

/* "" is null. */
void activity_json_write_text(struct json_writer *writer, const char *name, const char *text);
/* machine and kernel; "" before the start. */
void activity_json_write_machine(struct json_writer *writer, const char *comparable, const char *full,
                                 const char *kernel);
void activity_json_write_waiting(struct json_writer *writer, const struct app *app, enum store_activity kind,
                                 enum activity_state state);
/* Evidence as an object, {} without a result; with what was skipped in it. */
void activity_json_write_evidence(struct json_writer *writer, const struct json_node *result);
/* Whose texts: those of one lab or claim, and those that all of its family may need, which stand under "any".
 */
struct activity_texts {
    const struct messages_language *language;
    const char *family; /* "labs" or "claims" */
    const char *one;
};
/* What was skipped, its "what" as a text of the kind "skips"; null if nothing was. */
void activity_json_write_skipped(struct json_writer *writer, const struct activity_texts *texts,
                                 const struct json_node *result);
/* The text of that kind under the key, filled in from the evidence; null without a key. */
void activity_json_write_reason(struct json_writer *writer, const char *name,
                                const struct activity_texts *texts, const char *kind,
                                const struct json_node *result, const char *key);

#endif
