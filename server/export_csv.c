/* One line a trial, each with its whole case (RFC 4180). Numbers are plain, what there is none of is empty,
 * and so is a percentile that too few samples support.
 *
 * A spreadsheet takes a cell that begins with = + - @ for a formula; in a text such a cell gets a ' in front
 * (https://owasp.org/www-community/attacks/CSV_Injection). */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/analysis/statistic.h"
#include "server/export.h"

struct csv {
    struct text *out;
    const struct export_run *from;
    struct err *err;
    bool line_begun;
};

static void separate(struct csv *csv)
{
    if (csv->line_begun)
        text_append_char(csv->out, ',');
    csv->line_begun = true;
}

static void end_line(struct csv *csv)
{
    text_append(csv->out, "\r\n");
    csv->line_begun = false;
}

static void write_text(struct csv *csv, const char *value)
{
    separate(csv);
    bool is_formula = value[0] != '\0' && strchr("=+-@\t\r", value[0]) != NULL;
    bool is_quoted = value[strcspn(value, ",\"\r\n")] != '\0';
    if (is_quoted)
        text_append_char(csv->out, '"');
    if (is_formula)
        text_append_char(csv->out, '\'');
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"')
            text_append_char(csv->out, '"');
        text_append_char(csv->out, *c);
    }
    if (is_quoted)
        text_append_char(csv->out, '"');
}

static void write_integer(struct csv *csv, int64_t value)
{
    separate(csv);
    text_printf(csv->out, "%" PRId64, value);
}

static void write_unsigned(struct csv *csv, uint64_t value)
{
    separate(csv);
    text_printf(csv->out, "%" PRIu64, value);
}

static void write_number(struct csv *csv, double value)
{
    char digits[40] = "";
    separate(csv);
    for (int precision = 15; isfinite(value) && precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    text_append(csv->out, digits);
}

static void write_optional(struct csv *csv, double value)
{
    write_number(csv, value > 0 ? value : (double)NAN);
}

#define RUN_COLUMNS(COLUMN)                                                                                  \
    COLUMN(text, run, run->uid)                                                                              \
    COLUMN(text, name, run->name)                                                                            \
    COLUMN(text, machine, run->machine_comparable)                                                           \
    COLUMN(text, experiment, run->experiment_hash)
#define CASE_COLUMNS(COLUMN)                                                                                 \
    COLUMN(integer, case, one->number)                                                                       \
    COLUMN(text, mechanism, one->key.mechanism)                                                              \
    COLUMN(text, pattern, pattern_names[one->key.pattern])                                                   \
    COLUMN(integer, message_bytes, one->key.message_bytes)                                                   \
    COLUMN(text, wait, wait_names[one->key.wait])                                                            \
    COLUMN(text, placement, placement_names[one->key.placement])                                             \
    COLUMN(text, relation, relation_names[one->key.relation])                                                \
    COLUMN(integer, senders, one->key.senders)                                                               \
    COLUMN(integer, receivers, one->key.receivers)                                                           \
    COLUMN(optional, rate_hz, one->key.rate_hz)
#define TRIAL_COLUMNS(COLUMN)                                                                                \
    COLUMN(integer, sequence, trial->sequence)                                                               \
    COLUMN(integer, attempt, trial->attempt)                                                                 \
    COLUMN(text, state, trial->done ? "done" : "failed")                                                     \
    COLUMN(text, cause, trial->cause)                                                                        \
    COLUMN(integer, started_ms, trial->started_ms)                                                           \
    COLUMN(integer, duration_ns, trial->duration_ns)                                                         \
    COLUMN(unsigned, messages, trial->messages)                                                              \
    COLUMN(unsigned, batch, trial->batch)                                                                    \
    COLUMN(unsigned, samples, trial->samples)                                                                \
    COLUMN(number, latency_min_ns, trial->latency_min_ns)                                                    \
    COLUMN(number, latency_p50_ns, trial->latency_p50_ns)                                                    \
    COLUMN(number, latency_p90_ns, statistic_of_trial(trial, STATISTIC_P90))                                 \
    COLUMN(number, latency_p99_ns, statistic_of_trial(trial, STATISTIC_P99))                                 \
    COLUMN(number, latency_p999_ns, statistic_of_trial(trial, STATISTIC_P999))                               \
    COLUMN(number, latency_max_ns, trial->latency_max_ns)                                                    \
    COLUMN(number, messages_per_s, trial->messages_per_s)                                                    \
    COLUMN(number, bytes_per_s, trial->bytes_per_s)                                                          \
    COLUMN(number, achieved_hz, trial->achieved_hz)                                                          \
    COLUMN(integer, buffer_bytes, trial->buffer_bytes)                                                       \
    COLUMN(integer, cpu_user_ns, trial->cpu_user_ns)                                                         \
    COLUMN(integer, cpu_system_ns, trial->cpu_system_ns)                                                     \
    COLUMN(unsigned, system_calls, trial->system_calls)                                                      \
    COLUMN(integer, voluntary_switches, trial->voluntary_switches)                                           \
    COLUMN(integer, involuntary_switches, trial->involuntary_switches)                                       \
    COLUMN(integer, minor_faults, trial->minor_faults)                                                       \
    COLUMN(integer, major_faults, trial->major_faults)                                                       \
    COLUMN(integer, run_delay_ns, trial->run_delay_ns)                                                       \
    COLUMN(integer, gap_ns_max, trial->gap_ns_max)                                                           \
    COLUMN(integer, steal_ns, trial->steal_ns)                                                               \
    COLUMN(number, load, trial->load)                                                                        \
    COLUMN(number, frequency_hz, trial->frequency_hz)                                                        \
    COLUMN(number, autocorrelation, trial->autocorrelation)                                                  \
    COLUMN(number, drift_ratio, trial->drift_ratio)                                                          \
    COLUMN(text, distance, trial->distance < 0 ? "" : distance_names[trial->distance])                       \
    COLUMN(unsigned, lost, trial->lost)                                                                      \
    COLUMN(unsigned, torn, trial->torn)                                                                      \
    COLUMN(unsigned, duplicated, trial->duplicated)                                                          \
    COLUMN(unsigned, reordered, trial->reordered)                                                            \
    COLUMN(text, flags, trial->flags)

#define NAME_COLUMN(kind, name, value) write_text(csv, #name);
#define WRITE_COLUMN(kind, name, value) write_##kind(csv, value);

static void write_heading(struct csv *csv)
{
    RUN_COLUMNS(NAME_COLUMN)
    CASE_COLUMNS(NAME_COLUMN)
    TRIAL_COLUMNS(NAME_COLUMN)
    end_line(csv);
}

static int write_trial(void *context, const struct store_trial *trial)
{
    struct csv *csv = context;
    if (trial->case_number < 0 || (size_t)trial->case_number >= csv->from->case_count)
        return 0;
    const struct store_run *run = &csv->from->run;
    const struct store_case *one = &csv->from->cases[trial->case_number];
    RUN_COLUMNS(WRITE_COLUMN)
    CASE_COLUMNS(WRITE_COLUMN)
    TRIAL_COLUMNS(WRITE_COLUMN)
    end_line(csv);
    return export_made_progress(csv->from, csv->err);
}

int export_csv_write(const struct export_run *from, struct text *out, struct err *err)
{
    struct csv csv = {.out = out, .from = from, .err = err};
    write_heading(&csv);
    return store_trial_each(from->store, from->run.id, 0, 0, STORE_TRIAL_SUMMARY, write_trial, &csv, err);
}
