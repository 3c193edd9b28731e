/* What labs say: cut into lines, put together, judged, and told in words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/activity_lines.h"
#include "server/activity_results.h"
#include "server/attempt_csv.h"
#include "server/attempt_record.h"
#include "server/lab_catalogue.h"
#include "server/messages.h"
#include "server/trace.h"
#include "tests/support/criterion.h"

static struct err err;

static struct json_node *parse(const char *text)
{
    struct json_node *node = json_parse(text, strlen(text), &err);
    cr_assert(ne(ptr, node, NULL), "%s: %s", text, err.text);
    return node;
}

/* ---- lines ---- */

static void collect_line(void *context, const char *line, size_t length)
{
    cr_expect(eq(sz, strlen(line), length));
    text_append(context, line);
    text_append_char(context, '|');
}

/* The same bytes in pieces of every size must give the same lines. */
static void expect_lines(const char *bytes, const char *expected, uint64_t cut_count)
{
    for (size_t piece = 1; piece <= strlen(bytes); piece++) {
        struct activity_lines lines = {.line_bytes_max = 5};
        AUTO(text_fini) struct text seen = TEXT_EMPTY;
        for (size_t at = 0; at < strlen(bytes); at += piece) {
            size_t left = strlen(bytes) - at;
            activity_lines_take(&lines, bytes + at, left < piece ? left : piece, collect_line, &seen);
        }
        cr_expect(eq(str, (char *)text_string(&seen), (char *)expected), "pieces of %zu", piece);
        cr_expect(eq(u64, lines.cut_count, cut_count), "pieces of %zu", piece);
        text_fini(&lines.partial);
    }
}

Test(activity_lines, are_whole_however_they_come)
{
    expect_lines("a\nbc\n\n\ndefgh\n", "a|bc|defgh|", 0);
    expect_lines("a\nunfinished", "a|", 1);
    expect_lines("a\nbc", "a|", 0);
}

Test(activity_lines, that_are_too_long_are_left_out_and_counted)
{
    expect_lines("abcdef\nok\n", "ok|", 1);
    expect_lines("ok\nabcdefghijklmnop\nabcdef\nok\n", "ok|ok|", 2);
}

/* ---- the record ---- */

static void take(struct attempt_record *record, const char *line, int expected)
{
    cr_expect(eq(int, attempt_record_take(record, line, strlen(line), &err), expected), "%s", line);
}

static struct attempt_record *example_record(void)
{
    struct attempt_record *record = attempt_record_new();
    cr_assert(ne(ptr, record, NULL));
    take(record, "{\"type\":\"worker\",\"worker\":\"writer\",\"pid\":7}", 1);
    take(record,
         "{\"type\":\"call\",\"number\":1,\"worker\":\"writer\",\"begin_ns\":1000,\"call\":\"write\","
         "\"arguments\":\"5, \\\"x\\\", 1\"}",
         1);
    take(record,
         "{\"type\":\"call\",\"number\":2,\"worker\":\"reader\",\"begin_ns\":2500,\"call\":\"read\","
         "\"arguments\":\"\"}",
         1);
    take(record,
         "{\"type\":\"return\",\"number\":1,\"end_ns\":4000,\"returned\":-1,\"errno\":\"EPIPE\",\"bytes\":"
         "null}",
         1);
    take(record,
         "{\"type\":\"state\",\"worker\":\"reader\",\"at_ns\":5000,\"state\":\"blocked\",\"cause\":null}", 1);
    take(record, "{\"type\":\"panel\",\"panel\":\"gauge\",\"at_ns\":6000,\"data\":{\"used_bytes\":1}}", 1);
    return record;
}

static struct json_node *document_of(const struct attempt_record *record)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    attempt_record_write(&writer, record);
    json_end_object(&writer);
    return parse(text_string(&text));
}

Test(attempt_record, puts_calls_and_states_together)
{
    struct attempt_record *record = example_record();
    take(record, "{\"type\":\"return\",\"number\":1,\"end_ns\":9,\"returned\":0}", 0); /* a second time */
    take(record, "{\"type\":\"return\",\"number\":5,\"end_ns\":9,\"returned\":0}", 0); /* of no call */
    AUTO(json_cleanup) struct json_node *document = document_of(record);
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_write_node(&writer, NULL, document);
    cr_expect(eq(
        str, (char *)text_string(&text),
        "{\"workers\":[{\"worker\":\"writer\",\"pid\":7,\"states\":[]},{\"worker\":\"reader\",\"pid\":null,"
        "\"states\":[{\"at_ns\":5000,\"state\":\"blocked\",\"cause\":null}]}],"
        "\"panels\":[{\"panel\":\"gauge\",\"at_ns\":6000,\"data\":{\"used_bytes\":1}}],"
        "\"timeline\":[{\"number\":1,\"worker\":\"writer\",\"pid\":7,\"begin_ns\":1000,\"call\":\"write\","
        "\"arguments\":\"5, \\\"x\\\", "
        "1\",\"end_ns\":4000,\"returned\":-1,\"errno\":\"EPIPE\",\"bytes\":null},"
        "{\"number\":2,\"worker\":\"reader\",\"pid\":null,\"begin_ns\":2500,\"call\":\"read\","
        "\"arguments\":\"\",\"end_ns\":null,\"returned\":null,\"errno\":null,\"bytes\":null}],"
        "\"cut_lines\":2}"));
    attempt_record_free(record);
}

Test(attempt_record, refuses_what_no_lab_says)
{
    struct attempt_record *record = attempt_record_new();
    take(record, "Segmentation fault", -EPROTO);
    take(record, "{\"type\":\"call\"", -EPROTO);
    take(record, "{}", -EPROTO);
    take(record, "[1]", -EPROTO);
    take(record, "{\"type\":\"lottery\"}", -EPROTO);
    take(record, "{\"type\":\"panel\",\"data\":{\"a\":[[[[[[[[[[[1]]]]]]]]]]]}}", -EPROTO);
    attempt_record_free(record);
}

Test(attempt_record, is_bounded_but_keeps_the_result)
{
    struct attempt_record *record = attempt_record_new();
    AUTO(text_fini) struct text line = TEXT_EMPTY;
    text_append(&line, "{\"type\":\"panel\",\"panel\":\"hexdump\",\"at_ns\":1,\"data\":{\"bytes\":\"");
    for (int i = 0; i < 60000; i++)
        text_append_char(&line, 'f');
    text_append(&line, "\"}}");
    int64_t kept = 0, count = 2 * ATTEMPT_RECORD_BYTES_MAX / (int64_t)line.length;
    for (int64_t i = 0; i < count; i++)
        kept += attempt_record_take(record, line.bytes, line.length, &err) == 1;
    cr_expect(le(i64, kept * (int64_t)line.length, ATTEMPT_RECORD_BYTES_MAX));
    cr_expect(gt(i64, (kept + 1) * (int64_t)line.length, ATTEMPT_RECORD_BYTES_MAX));
    take(record, "{\"type\":\"result\",\"outcome\":3}", 1);
    cr_expect(eq(i64, json_integer_or(json_member(attempt_record_result(record), "outcome"), 0), 3));
    AUTO(json_cleanup) struct json_node *document = document_of(record);
    cr_expect(eq(i64, json_integer_or(json_member(document, "cut_lines"), 0), count - kept));
    attempt_record_free(record);
}

/* ---- how it ended ---- */

static void expect_end(const char *line, const char *cause, enum activity_state state, const char *said)
{
    struct attempt_record *record = attempt_record_new();
    struct attempt_result result;
    if (line != NULL)
        take(record, line, 1);
    attempt_result_init(&result, NULL, NULL, record, cause);
    cr_expect(eq(int, (int)result.end.state, (int)state), "%s", said);
    cr_expect(eq(str, result.cause, (char *)said));
    attempt_result_fini(&result);
    attempt_record_free(record);
}

Test(activity_results, say_why_an_attempt_failed)
{
    expect_end("{\"type\":\"result\",\"outcome\":1}", "", ACTIVITY_DONE, "");
    expect_end(NULL, "", ACTIVITY_FAILED, "it ended without a result");
    expect_end(NULL, "killed", ACTIVITY_FAILED, "killed");
    expect_end("{\"type\":\"result\",\"outcome\":1}", "status 1", ACTIVITY_FAILED, "status 1");
    expect_end("{\"type\":\"failed\",\"detail\":\"the leader was killed\"}", "status 1", ACTIVITY_FAILED,
               "the leader was killed");
    expect_end(
        "{\"type\":\"refused\",\"errors\":[{\"pointer\":\"/parameters/lines\",\"detail\":\"too many\"}]}",
        "status 2", ACTIVITY_FAILED, "/parameters/lines: too many");
}

Test(activity_results, take_a_verdict_only_for_the_claim_that_was_checked)
{
    static const struct {
        const char *line;
        int verdict;
    } cases[] = {{"{\"type\":\"check\",\"claim\":38,\"verdict\":\"holds\"}", VERDICT_HOLDS},
                 {"{\"type\":\"check\",\"claim\":39,\"verdict\":\"holds\"}", -1},
                 {"{\"type\":\"check\",\"claim\":38,\"verdict\":\"perhaps\"}", -1},
                 {"{\"type\":\"check\",\"claim\":38}", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(json_cleanup) struct json_node *line = parse(cases[i].line);
        struct check_result result;
        check_result_init(&result, 38, line, "");
        cr_expect(eq(int, result.end.verdict, cases[i].verdict), "%s", cases[i].line);
        cr_expect(eq(int, result.end.state == ACTIVITY_DONE, cases[i].verdict >= 0));
        check_result_fini(&result);
    }
}

Test(lab_catalogue, judges_an_answer_by_the_lab_s_tolerance)
{
    static const struct {
        const char *answer, *outcome;
        int agrees;
    } cases[] = {
        {"100", "100", 1}, {"109", "100", 1}, {"111", "100", 0},     {"90", "100", 1},      {"-10", "-10", 1},
        {"0", "0", 1},     {"1", "0", 0},     {"\"a\"", "\"a\"", 1}, {"\"a\"", "\"b\"", 0}, {"1", "\"1\"", 0},
        {"null", "1", -1}, {"1", "null", -1}, {"true", "true", 1},   {"false", "true", 0},
    };
    AUTO(json_cleanup) struct json_node *lab = parse("{\"prediction\":{\"tolerance_percent\":10}}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(json_cleanup) struct json_node *answer = parse(cases[i].answer);
        AUTO(json_cleanup) struct json_node *outcome = parse(cases[i].outcome);
        cr_expect(eq(int, lab_judge_answer(lab, answer, outcome), cases[i].agrees), "%s for %s",
                  cases[i].answer, cases[i].outcome);
    }
}

Test(lab_catalogue, takes_only_what_a_worker_prints)
{
    static const char *const bad[] = {"{\"labs\":[{\"name\":\"x\"}]}",
                                      "{\"labs\":[{\"name\":\"x\",\"duration_ms_max\":1,\"parameters\":[],"
                                      "\"prediction\":{\"type\":\"choice\",\"choices\":[]}}]}",
                                      "{\"labs\":[{\"name\":\"x\",\"duration_ms_max\":1,\"parameters\":[{"
                                      "\"name\":\"n\",\"type\":\"integer\",\"min\":1}],"
                                      "\"prediction\":{\"type\":\"boolean\"}}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lab_catalogue catalogue;
        cr_expect(
            eq(int, lab_catalogue_init(&catalogue, parse(bad[i]), parse("{\"claims\":[]}"), &err), -EPROTO),
            "%s", bad[i]);
        lab_catalogue_fini(&catalogue);
    }
    struct lab_catalogue unordered;
    struct json_node *claims = parse("{\"claims\":[{\"number\":2},{\"number\":1}]}");
    cr_expect(eq(int, lab_catalogue_init(&unordered, parse("{\"labs\":[]}"), claims, &err), -EPROTO));
    lab_catalogue_fini(&unordered);
}

/* ---- what is shown ---- */

Test(messages, fill_in_what_is_known_and_show_what_is_missing)
{
    struct messages *messages = NULL;
    cr_assert(eq(int, messages_new(&messages, &err), 0), "%s", err.text);
    const struct messages_language *language = messages_choose(messages, "xx, en-GB;q=0.5");
    cr_expect(eq(str, (char *)messages_language_name(language), "en"));
    AUTO(json_cleanup) struct json_node *values = parse("{\"bytes_when_blocked\":45066,\"slots\":16}");
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    messages_append(&text, language, values, "labs.%s.explanations.page_slots", "pipe_gauge");
    cr_expect(ne(ptr, strstr(text_string(&text), "45\u202f066 bytes in a pipe of {capacity_bytes}"), NULL),
              "what has no value stays: %s", text_string(&text));
    text_clear(&text);
    messages_append(&text, language, NULL, "labs.pipe_gauge.nonsense");
    cr_expect(eq(str, (char *)text_string(&text), "nonsense"));
    messages_free(messages);
}

Test(trace, tells_calls_that_returned_from_those_that_did_not)
{
    struct attempt_record *record = example_record();
    AUTO(json_cleanup) struct json_node *document = document_of(record);
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    trace_write(&writer, document, "example");
    const char *trace = text_string(&text);
    cr_expect(
        ne(ptr,
           strstr(
               trace,
               "{\"ph\":\"X\",\"name\":\"write\",\"pid\":7,\"tid\":7,\"cat\":\"call\",\"ts\":1,\"dur\":3,"),
           NULL),
        "%s", trace);
    cr_expect(
        ne(ptr,
           strstr(trace,
                  "{\"ph\":\"B\",\"name\":\"read\",\"pid\":2,\"tid\":2,\"cat\":\"call\",\"ts\":2.5,\"args\""),
           NULL),
        "%s", trace);
    attempt_record_free(record);
}

Test(attempt_csv, has_a_header_even_without_rows)
{
    struct attempt_csv csv = {.out = TEXT_EMPTY};
    attempt_csv_finish(&csv);
    cr_expect(eq(int, strncmp(text_string(&csv.out), "id,lab,state,", 13), 0));
    text_fini(&csv.out);
}
