/* submit: from a valid experiment to a queued run in the archive. */
#ifndef IPCLAB_SERVER_SUBMIT_H
#define IPCLAB_SERVER_SUBMIT_H

#include "common/experiment.h"
#include "db/store.h"

struct app;

/* Stores the run with its cases and the idempotency key. -EEXIST: the key is known. */
int submit_run(const struct app *app, const struct experiment_request *request,
               const struct store_idempotency *idempotency, int64_t *run_id, struct err *err);

#endif
