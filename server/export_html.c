/* A run as one file to read, print and send: what was measured on what, figures with their intervals, charts,
 * and how it was measured. No script, nothing from outside, and a policy that forbids both. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/histogram.h"
#include "server/analysis/results.h"
#include "server/analysis/stats.h"
#include "server/export.h"
#include "server/export_page.h"

/* Charts stay readable: of more cases the tables tell. */
enum { ROWS_MAX = 40, LINES_MAX = 24, BRIGHT_LINES_MAX = 5, LABEL_BYTES = 80 };

struct report {
    struct text *out;
    const struct export_run *from;
    const struct json_node *cases; /* of results */
};

/* ---- words ---- */

static const char *word(const struct json_node *object, const char *name)
{
    return json_string_or(json_member(object, name), "");
}

static double number(const struct json_node *object, const char *name)
{
    return json_number_or(json_member(object, name), NAN);
}

static bool is_stream(const struct json_node *one)
{
    return strcmp(word(one, "pattern"), pattern_names[PATTERN_STREAM]) == 0;
}

/* Mechanisms are told apart by shades, in the order in which the run names them. */
static int shade_of(const struct report *report, const char *mechanism)
{
    int shade = 0;
    for (const struct json_node *one = json_first(report->cases); one != NULL; one = json_next(one)) {
        if (strcmp(word(one, "mechanism"), mechanism) == 0)
            break;
        const struct json_node *earlier = json_first(report->cases);
        while (earlier != one && strcmp(word(earlier, "mechanism"), word(one, "mechanism")) != 0)
            earlier = json_next(earlier);
        shade += earlier == one;
    }
    return shade % PAGE_SHADES;
}

static void label_case(const struct json_node *one, char label[LABEL_BYTES])
{
    int64_t bytes = json_integer_or(json_member(one, "message_bytes"), 0);
    double rate_hz = number(one, "rate_hz");
    int length = snprintf(label, LABEL_BYTES, "%s %s %" PRId64 " B %s", word(one, "mechanism"),
                          word(one, "pattern"), bytes, word(one, "wait"));
    if (rate_hz > 0 && length > 0 && length < LABEL_BYTES)
        snprintf(label + length, LABEL_BYTES - (size_t)length, " %.15g Hz", rate_hz);
}

/* ---- head ---- */

static void write_head(struct report *report)
{
    const struct store_run *run = &report->from->run;
    struct text *out = report->out;
    text_append(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "style-src 'unsafe-inline'\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    page_text(out, run->name);
    text_append(out, " \u00b7 ipclab</title>\n<style>\n");
    text_append(out, page_style);
    text_append(out, "</style></head>\n<body>\n<h1>");
    page_text(out, run->name[0] != '\0' ? run->name : "A run of ipclab");
    text_append(out, "</h1>\n<p class=\"quiet\">");
    page_date(out, run->started_ms != 0 ? run->started_ms : run->created_ms);
    text_printf(out, " \u00b7 %s \u00b7 %" PRId64 " of %" PRId64 " trials", run_state_names[run->state],
                run->trials_done, run->trials_total);
    if (run->trials_failed > 0)
        text_printf(out, ", %" PRId64 " of them failed", run->trials_failed);
    text_append(out, " \u00b7 ");
    page_text(out, run->uid);
    text_append(out, "</p>\n");
}

static void write_notes(struct report *report)
{
    const struct store_run *run = &report->from->run;
    struct text *out = report->out;
    AUTO(json_cleanup) struct json_node *tags = json_parse(run->tags, strlen(run->tags), NULL);
    if (json_count(tags) > 0)
        text_append(out, "<p>");
    for (const struct json_node *tag = json_first(tags); tag != NULL; tag = json_next(tag)) {
        text_append(out, "<span class=\"tag\">");
        page_text(out, json_string_or(tag, ""));
        text_append(out, "</span>");
    }
    if (json_count(tags) > 0)
        text_append(out, "</p>\n");
    if (run->note[0] != '\0') {
        text_append(out, "<p>");
        page_text(out, run->note);
        text_append(out, "</p>\n");
    }
}

/* ---- charts ---- */

static void write_rows(struct report *report, bool streams, const char *title)
{
    char labels[ROWS_MAX][LABEL_BYTES];
    struct page_row rows[ROWS_MAX];
    size_t count = 0;
    for (const struct json_node *one = json_first(report->cases); one != NULL && count < ROWS_MAX;
         one = json_next(one)) {
        if (is_stream(one) != streams)
            continue;
        const struct json_node *shown =
            streams ? json_member(one, "bytes_per_s") : json_member(json_member(one, "latency_ns"), "p50");
        label_case(one, labels[count]);
        rows[count] = (struct page_row){.label = labels[count],
                                        .value = number(shown, "value"),
                                        .low = number(shown, "low"),
                                        .high = number(shown, "high"),
                                        .shade = shade_of(report, word(one, "mechanism"))};
        count++;
    }
    page_chart_rows(report->out, title, rows, count, streams ? "B/s" : NULL);
}

/* The histograms of all trials of a case together, and how many samples count as independent. */
struct merge {
    size_t count;
    int case_numbers[LINES_MAX];
    double effective[LINES_MAX];
    struct histogram all[LINES_MAX], one;
};

static int merge_trial(void *context, const struct store_trial *trial)
{
    struct merge *merge = context;
    size_t i = 0;
    while (i < merge->count && merge->case_numbers[i] != trial->case_number)
        i++;
    if (i == merge->count || trial->histogram.length == 0 || !trial->done ||
        histogram_decode(trial->histogram.bytes, trial->histogram.length, &merge->one, NULL) < 0)
        return 0;
    histogram_add(&merge->all[i], &merge->one);
    merge->effective[i] += stats_effective_count(trial->samples, trial->autocorrelation);
    return 0;
}

static void fill_line(const struct merge *merge, size_t i, struct page_line *line)
{
    for (size_t k = 0; k < PAGE_POINTS; k++)
        line->ns[k] = stats_supports_quantile(merge->effective[i], page_quantiles[k])
                          ? histogram_quantile(&merge->all[i], page_quantiles[k])
                          : NAN;
}

/* The fastest first, what has no figure last. */
static int compare_lines(const void *a, const void *b)
{
    double x = ((const struct page_line *)a)->ns[0], y = ((const struct page_line *)b)->ns[0];
    return isnan(x) || isnan(y) ? isnan(x) - isnan(y) : (x > y) - (x < y);
}

static int write_percentiles(struct report *report, struct err *err)
{
    char labels[LINES_MAX][LABEL_BYTES];
    struct page_line lines[LINES_MAX];
    const struct export_run *from = report->from;
    AUTO_FREE struct merge *merge = calloc(1, sizeof *merge);
    if (merge == NULL)
        return err_set(err, ENOMEM, "out of memory for a report");
    for (const struct json_node *one = json_first(report->cases); one != NULL && merge->count < LINES_MAX;
         one = json_next(one)) {
        if (is_stream(one))
            continue;
        size_t i = merge->count++;
        merge->case_numbers[i] = (int)json_integer_or(json_member(one, "number"), -1);
        label_case(one, labels[i]);
        lines[i] = (struct page_line){.label = labels[i], .shade = shade_of(report, word(one, "mechanism"))};
    }
    int result =
        store_trial_each(from->store, from->run.id, 0, 0, STORE_TRIAL_HISTOGRAM, merge_trial, merge, err);
    if (result < 0)
        return result;
    for (size_t i = 0; i < merge->count; i++)
        fill_line(merge, i, &lines[i]);
    qsort(lines, merge->count, sizeof *lines, compare_lines);
    for (size_t i = BRIGHT_LINES_MAX; i < merge->count; i++)
        lines[i].shade = -1;
    page_chart_percentiles(report->out, "Latency by percentile, all trials of a case together", lines,
                           merge->count);
    return 0;
}

/* ---- tables ---- */

/* The value, and its interval below. */
static void write_interval(struct text *out, const struct json_node *interval,
                           void (*write)(struct text *out, double value))
{
    text_append(out, "<td class=\"n\">");
    write(out, number(interval, "value"));
    if (isfinite(number(interval, "low"))) {
        text_append(out, "<br><small class=\"quiet\">");
        write(out, number(interval, "low"));
        text_append(out, " \u2013 ");
        write(out, number(interval, "high"));
        text_append(out, "</small>");
    }
    text_append(out, "</td>");
}

static void write_single(struct text *out, const struct json_node *interval,
                         void (*write)(struct text *out, double value))
{
    text_append(out, "<td class=\"n\">");
    write(out, number(interval, "value"));
    text_append(out, "</td>");
}

static void write_bytes_per_s(struct text *out, double value)
{
    page_quantity(out, value, "B/s");
}

static void write_per_s(struct text *out, double value)
{
    page_quantity(out, value, "/s");
}

static void write_count(struct text *out, double value)
{
    if (isfinite(value))
        text_printf(out, "%.3g", value);
    else
        text_append(out, "\u2013");
}

static void write_word_cell(struct text *out, const char *text)
{
    text_append(out, "<td>");
    page_text(out, text);
    text_append(out, "</td>");
}

/* A row of their own: their words are long. */
static void write_flags(struct text *out, const struct json_node *flags)
{
    if (json_count(flags) == 0)
        return;
    text_append(out, "<tr class=\"quiet\"><td class=\"w\" colspan=\"14\"><small>");
    for (const struct json_node *flag = json_first(flags); flag != NULL; flag = json_next(flag)) {
        text_append(out, flag == json_first(flags) ? "" : ", ");
        page_text(out, json_string_or(flag, ""));
    }
    text_append(out, "</small></td></tr>\n");
}

static void write_case(struct text *out, const struct json_node *one)
{
    const struct json_node *latency = json_member(one, "latency_ns");
    text_append(out, "<tr>");
    write_word_cell(out, word(one, "mechanism"));
    write_word_cell(out, word(one, "pattern"));
    text_printf(out, "<td class=\"n\">%" PRId64 "</td>",
                json_integer_or(json_member(one, "message_bytes"), 0));
    write_word_cell(out, word(one, "wait"));
    write_word_cell(out, word(one, "placement"));
    write_word_cell(out, word(one, "distance"));
    text_printf(out, "<td class=\"n\">%" PRId64 "</td>", json_integer_or(json_member(one, "trials"), 0));
    write_interval(out, json_member(latency, "p50"), page_duration);
    write_single(out, json_member(latency, "p99"), page_duration);
    write_single(out, json_member(latency, "p999"), page_duration);
    write_interval(out, json_member(one, "messages_per_s"), write_per_s);
    write_single(out, json_member(one, "bytes_per_s"), write_bytes_per_s);
    write_single(out, json_member(one, "cpu_ns_per_message"), page_duration);
    write_single(out, json_member(one, "context_switches_per_message"), write_count);
    text_append(out, "</tr>\n");
    write_flags(out, json_member(one, "flags"));
}

static void write_cases(struct report *report)
{
    struct text *out = report->out;
    text_append(out,
                "<h2>Results</h2>\n<div class=\"scroll\"><table><caption>The median over a case's trials; "
                "from six trials on its 95&nbsp;% interval, by order statistics. A dash: too few "
                "samples support it, or it does not apply.</caption>\n<thead><tr>"
                "<th>mechanism<th>pattern<th class=\"n\">bytes<th>wait<th>placement<th>distance"
                "<th class=\"n\">trials<th class=\"n\">p50<th class=\"n\">p99<th class=\"n\">p99.9"
                "<th class=\"n\">messages<th class=\"n\">throughput<th class=\"n\">CPU / message"
                "<th class=\"n\">switches / message</tr></thead>\n<tbody>\n");
    for (const struct json_node *one = json_first(report->cases); one != NULL; one = json_next(one))
        write_case(out, one);
    text_append(out, "</tbody></table></div>\n");
}

/* One row for each member; a document inside is shown as it is. */
static void write_members(struct text *out, const char *caption, const char *document)
{
    AUTO(json_cleanup) struct json_node *node = json_parse(document, strlen(document), NULL);
    if (json_count(node) == 0)
        return;
    text_append(out, "<div class=\"scroll\"><table><caption>");
    page_text(out, caption);
    text_append(out, "</caption><tbody>\n");
    for (const struct json_node *fact = json_first(node); fact != NULL; fact = json_next(fact)) {
        AUTO(text_fini) struct text value = TEXT_EMPTY;
        struct json_writer writer = json_writer_on(&value);
        json_write_node(&writer, NULL, fact);
        text_append(out, "<tr><th scope=\"row\">");
        page_text(out, json_name(fact) != NULL ? json_name(fact) : "");
        text_append(out, "</th><td class=\"w\">");
        page_text(out, json_string_or(fact, text_string(&value)));
        text_append(out, "</td></tr>\n");
    }
    text_append(out, "</tbody></table></div>\n");
}

static void write_machine(struct report *report)
{
    const struct export_run *from = report->from;
    struct text *out = report->out;
    text_append(out, "<h2>Machine</h2>\n");
    if (from->machine.facts != NULL) {
        text_append(out, "<p class=\"quiet\">Comparable with machines whose hash is ");
        page_text(out, from->machine.comparable);
        text_append(out, ".</p>\n");
        write_members(out, "Facts", from->machine.facts);
    }
    write_members(out, "Isolation", from->run.isolation);
    write_members(out, "What measuring costs", from->run.overhead);
    text_append(out, "<h2>Experiment</h2>\n");
    write_members(out, "As it was asked for, with its defaults", from->run.experiment);
}

static void write_method(struct text *out)
{
    text_append(out,
                "<h2>Method</h2>\n<p>What is counted is trials: new processes each, a warm-up, then timed "
                "blocks. Trials are taken in rounds, each in a new order shuffled by the seed, so that drift "
                "falls on all cases alike. Latency is the round trip; for paced cases it counts from the "
                "intended send. Percentiles come from histograms with 128 buckets an octave and are left out "
                "where too few independent samples support them. Messages are numbered and checked for loss, "
                "tearing, duplication and order. Disturbed trials are flagged, never dropped.</p>\n"
                "<p class=\"quiet\">Written by ipclab " IPCLAB_VERSION ".</p>\n</body></html>\n");
}

int export_html_write(const struct export_run *from, struct text *out, struct err *err)
{
    AUTO(text_fini) struct text results = TEXT_EMPTY;
    int result = results_write(from->store, from->run.id, &results, err);
    if (result < 0)
        return result;
    AUTO(json_cleanup) struct json_node *document = json_parse(text_string(&results), results.length, err);
    if (document == NULL)
        return err_prefix(err, "the results of the run");
    struct report report = {.out = out, .from = from, .cases = json_member(document, "cases")};
    write_head(&report);
    write_notes(&report);
    write_rows(&report, false, "Latency: median with its 95 % interval");
    write_rows(&report, true, "Throughput: median with its 95 % interval");
    result = write_percentiles(&report, err);
    write_cases(&report);
    write_machine(&report);
    write_method(out);
    return result;
}
