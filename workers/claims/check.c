#include "workers/claims/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool check_is_sabotaged(const struct check *check, const char *sabotage)
{
    return strcmp(check->sabotage, sabotage) == 0;
}

/* ---- evidence ---- */

void check_integer(struct check *check, const char *name, int64_t value)
{
    json_write_integer(&check->evidence, name, value);
}

/* Four digits: more is noise in a short measurement, and nobody wants to read it. */
void check_number(struct check *check, const char *name, double value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.4g", value);
    json_write_number(&check->evidence, name, strtod(digits, NULL));
}

void check_boolean(struct check *check, const char *name, bool value)
{
    json_write_boolean(&check->evidence, name, value);
}

void check_string(struct check *check, const char *name, const char *value)
{
    json_write_string_bytes(&check->evidence, name, value, text_utf8_valid_prefix(value, strlen(value)));
}

void check_errno(struct check *check, const char *name, int error)
{
    json_write_string(&check->evidence, name, error == 0 ? NULL : strerrorname_np(error));
}

void check_signal(struct check *check, const char *name, int number)
{
    char text[16];
    const char *abbreviation = sigabbrev_np(number);
    snprintf(text, sizeof text, "SIG%s", abbreviation != NULL ? abbreviation : "?");
    json_write_string(&check->evidence, name, number == 0 ? NULL : text);
}

void check_address(struct check *check, const char *name, const void *address)
{
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIxPTR, (uintptr_t)address);
    json_write_string(&check->evidence, name, text);
}

/* ---- verdict ---- */

static void decide(struct check *check, enum check_verdict verdict, const char *why)
{
    check->verdict = verdict;
    check->why = why;
}

int check_conclude(struct check *check, bool shown, bool limited)
{
    enum check_verdict verdict = !shown    ? VERDICT_DOES_NOT_HOLD
                                 : limited ? VERDICT_CONDITIONAL
                                           : VERDICT_HOLDS;
    decide(check, verdict, verdict_names[verdict]);
    return 0;
}

int check_leave_open(struct check *check, const char *why)
{
    decide(check, VERDICT_INCONCLUSIVE, why);
    return 0;
}

void check_note_skip(struct check *check, const char *call, int error, const char *what)
{
    decide(check, VERDICT_SKIPPED, NULL);
    check->skipped.call = call;
    check->skipped.what = what;
    check->skipped.error = error;
}

void check_write(const struct check *check, struct text *line)
{
    struct json_writer writer = json_writer_on(line);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "type", "check");
    json_write_integer(&writer, "claim", check->claim->number);
    json_write_string(&writer, "verdict", verdict_names[check->verdict]);
    json_begin_object(&writer, "evidence");
    text_append(line, text_string(&check->text));
    json_end_object(&writer);
    json_write_string(&writer, "why", check->why);
    json_write_integer(&writer, "repeats", check->repeats);
    if (check->verdict == VERDICT_SKIPPED) {
        json_begin_object(&writer, "skipped");
        json_write_string(&writer, "call", check->skipped.call);
        json_write_string(&writer, "errno", strerrorname_np(check->skipped.error));
        json_write_string(&writer, "what", check->skipped.what);
        json_end_object(&writer);
    } else {
        json_write_null(&writer, "skipped");
    }
    json_end_object(&writer);
    text_append_char(line, '\n');
}
