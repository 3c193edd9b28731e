/* trace: an attempt's timeline in the Trace Event Format that chrome://tracing and https://ui.perfetto.dev
 * open. Source of the format: "Trace Event Format", Chromium project (docs.google.com, "Trace Event Format").
 * Pure. */
#ifndef IPCLAB_SERVER_TRACE_H
#define IPCLAB_SERVER_TRACE_H

#include "common/json.h"

/* record: an attempt_record's object, or null. title: what the trace is called. */
void trace_write(struct json_writer *writer, const struct json_node *record, const char *title);

#endif
