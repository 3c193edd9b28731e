/* run_json: a run as the API shows it, for answers and events alike. */
#ifndef IPCLAB_SERVER_RUN_JSON_H
#define IPCLAB_SERVER_RUN_JSON_H

#include "common/json.h"
#include "db/store.h"

struct app;

void run_json_write(struct json_writer *writer, const char *name, const struct app *app,
                    const struct store_run *run);
/* Reads the run again and publishes it as event "run". */
void run_json_publish(const struct app *app, int64_t run_id);

#endif
