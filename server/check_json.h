/* check_json: a check of a claim as the API shows it, for answers and events alike. */
#ifndef IPCLAB_SERVER_CHECK_JSON_H
#define IPCLAB_SERVER_CHECK_JSON_H

#include "common/json.h"
#include "db/store_activities.h"

struct app;
struct messages_language;

void check_json_write(struct json_writer *writer, const char *name, const struct app *app,
                      const struct messages_language *language, const struct store_check *check);
/* Reads the check again and publishes it as event "check", in English. */
void check_json_publish(const struct app *app, int64_t id);

#endif
