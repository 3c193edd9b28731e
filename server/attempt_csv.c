#include "server/attempt_csv.h"

#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"

enum { COLUMNS_MAX = sizeof((struct attempt_csv *)NULL)->columns / sizeof(char[32]) };

static void append_quoted(struct text *out, const char *value)
{
    if (strpbrk(value, ",\"\r\n") == NULL) {
        text_append(out, value);
        return;
    }
    text_append_char(out, '"');
    for (; *value != '\0'; value++) {
        if (*value == '"')
            text_append_char(out, '"');
        text_append_char(out, *value);
    }
    text_append_char(out, '"');
}

static void append_cell(struct text *out, const char *value)
{
    text_append_char(out, ',');
    append_quoted(out, value);
}

/* What a person typed. */
static void append_typed(struct text *out, const char *value)
{
    AUTO(text_fini) struct text harmless = TEXT_EMPTY;
    if (value[0] != '\0' && strchr("=+-@\t\r", value[0]) != NULL)
        text_append_char(&harmless, '\'');
    text_append(&harmless, value);
    append_cell(out, text_string(&harmless));
}

/* A string as it is, anything else as JSON, null as nothing. */
static void append_value(struct text *out, const struct json_node *value)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    if (json_is(value, JSON_STRING))
        text_append(&text, json_string_or(value, ""));
    else if (value != NULL && !json_is(value, JSON_NULL))
        json_write_node(&writer, NULL, value);
    append_cell(out, text_string(&text));
}

/* ISO 8601, UTC. */
static void append_time(struct text *out, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / MS_PER_S);
    struct tm parts;
    char time[32] = "";
    if (wall_ms > 0 && gmtime_r(&seconds, &parts) != NULL)
        strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &parts);
    append_cell(out, time);
}

static void append_header(struct attempt_csv *csv, const struct json_node *parameters)
{
    const struct json_node *parameter = json_first(parameters);
    for (; parameter != NULL && csv->column_count < COLUMNS_MAX; parameter = json_next(parameter))
        text_copy(csv->columns[csv->column_count++], sizeof csv->columns[0], json_name(parameter));
    csv->has_header = true;
    text_append(&csv->out, "id,lab,state,created,finished,group,student");
    for (size_t i = 0; i < csv->column_count; i++)
        append_cell(&csv->out, csv->columns[i]);
    text_append(&csv->out,
                ",predicted,reason,outcome,agrees,explanation,evidence,message,kernel,machine\r\n");
}

static struct json_node *parse(const char *text)
{
    struct err ignored;
    return json_parse(text, strlen(text), &ignored);
}

void attempt_csv_append(struct attempt_csv *csv, const struct store_attempt *attempt)
{
    static const char *const agreements[] = {"", "no", "yes"};
    AUTO(json_cleanup) struct json_node *parameters = parse(attempt->parameters);
    AUTO(json_cleanup) struct json_node *prediction = parse(attempt->prediction);
    AUTO(json_cleanup) struct json_node *outcome = parse(attempt->outcome);
    AUTO(json_cleanup) struct json_node *result = parse(attempt->result);
    struct text *out = &csv->out;
    if (!csv->has_header)
        append_header(csv, parameters);
    text_printf(out, "%lld,%s,%s", (long long)attempt->id, attempt->lab,
                activity_state_names[attempt->state]);
    append_time(out, attempt->created_ms);
    append_time(out, attempt->finished_ms);
    append_typed(out, attempt->class);
    append_typed(out, attempt->student);
    for (size_t i = 0; i < csv->column_count; i++)
        append_value(out, json_member(parameters, csv->columns[i]));
    append_value(out, json_member(prediction, "answer"));
    append_typed(out, json_string_or(json_member(prediction, "reason"), ""));
    append_value(out, outcome);
    append_cell(out, agreements[attempt->agrees + 1]);
    append_value(out, json_member(result, "explanation"));
    append_value(out, json_member(result, "evidence"));
    append_cell(out, attempt->cause);
    append_cell(out, attempt->kernel);
    append_cell(out, attempt->machine_full);
    text_append(out, "\r\n");
}

void attempt_csv_finish(struct attempt_csv *csv)
{
    if (!csv->has_header)
        append_header(csv, NULL);
}
