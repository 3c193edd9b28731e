/* results_parts: what cases and trials have in common on their way to JSON. Nobody else's. */
#ifndef IPCLAB_SERVER_ANALYSIS_RESULTS_PARTS_H
#define IPCLAB_SERVER_ANALYSIS_RESULTS_PARTS_H

#include "common/json.h"
#include "db/store.h"

/* Words separated by spaces, as an array. */
void results_write_words(struct json_writer *writer, const char *name, const char *words);
void results_write_integrity(struct json_writer *writer, uint64_t lost, uint64_t torn, uint64_t duplicated,
                             uint64_t reordered);

#endif
