/* attempt_json: an attempt at a lab as the API shows it, for answers and events alike. */
#ifndef IPCLAB_SERVER_ATTEMPT_JSON_H
#define IPCLAB_SERVER_ATTEMPT_JSON_H

#include "common/json.h"
#include "db/store_activities.h"

struct app;
struct messages_language;

/* record: the members of an attempt_record's object, without the braces; NULL leaves them out. */
void attempt_json_write(struct json_writer *writer, const struct app *app,
                        const struct messages_language *language, const struct store_attempt *attempt,
                        const char *record);
/* Reads the attempt again and publishes it as event "attempt", in English, without its record. */
void attempt_json_publish(const struct app *app, int64_t id);

#endif
