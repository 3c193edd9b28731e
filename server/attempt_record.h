/* attempt_record: what a lab said, line by line, put together: its processes with their states, its calls
 * with what they returned, what its panels showed, its result.
 *
 * Kept in memory while the attempt goes on, for whoever comes in between, and archived as JSON at its end.
 * Bounded: beyond ATTEMPT_RECORD_BYTES_MAX lines are counted, not kept; a result still is. Pure. */
#ifndef IPCLAB_SERVER_ATTEMPT_RECORD_H
#define IPCLAB_SERVER_ATTEMPT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/json.h"

enum { ATTEMPT_RECORD_BYTES_MAX = 8 * 1024 * 1024 };

struct attempt_record;

/* NULL if memory runs out. */
struct attempt_record *attempt_record_new(void);
void attempt_record_free(struct attempt_record *record);

/* 1 = kept, 0 = one too many; -EPROTO: it is no JSON, or none that a lab says. */
int attempt_record_take(struct attempt_record *record, const char *line, size_t length, struct err *err);
/* Adds lines that never came here. */
void attempt_record_note_cut(struct attempt_record *record, uint64_t count);

/* The line that ended it, of type "result", "refused" or "failed"; NULL as long as none came. */
const struct json_node *attempt_record_result(const struct attempt_record *record);
const struct json_node *attempt_record_refusal(const struct attempt_record *record);
const struct json_node *attempt_record_failure(const struct attempt_record *record);
/* The members workers, panels, timeline and cut_lines of an object that is open. */
void attempt_record_write(struct json_writer *writer, const struct attempt_record *record);

#endif
