/* Any bytes as what a lab says. Holds: whatever is kept of it is written as valid JSON with the four members
 * that the API adds to an attempt, the trace made of that is valid, and the end that is archived is, too. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/activity_lines.h"
#include "server/activity_results.h"
#include "server/attempt_record.h"
#include "server/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE_BYTES_MAX = 1024 };

static void take_line(void *record, const char *line, size_t length)
{
    struct err err;
    attempt_record_take(record, line, length, &err);
}

static struct json_node *must_parse(const char *text)
{
    struct err err;
    struct json_node *node = json_parse(text, strlen(text), &err);
    if (node == NULL)
        abort();
    return node;
}

static void check_end(const struct attempt_record *record)
{
    struct attempt_result result;
    attempt_result_init(&result, NULL, NULL, record, "");
    json_free(must_parse(result.end.outcome));
    json_free(must_parse(result.end.result));
    AUTO(json_cleanup) struct json_node *document = must_parse(result.end.record);
    if (json_count(document) != 4)
        abort();
    AUTO(text_fini) struct text trace = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&trace);
    trace_write(&writer, document, "fuzz");
    json_free(must_parse(text_string(&trace)));
    attempt_result_fini(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct attempt_record *record = attempt_record_new();
    struct activity_lines lines = {.line_bytes_max = LINE_BYTES_MAX};
    activity_lines_take(&lines, (const char *)data, size, take_line, record);
    check_end(record);
    text_fini(&lines.partial);
    attempt_record_free(record);
    return 0;
}
