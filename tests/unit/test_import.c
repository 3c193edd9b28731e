/* A bundle leaves one archive and enters another: the same run, or none at all and the place of the damage.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/export.h"
#include "server/export_bundle.h"
#include "server/import.h"
#include "server/import_split.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

enum { TRIALS = 4, SAMPLES = 60 };

static struct scratch scratch;
static struct store *here, *there;
static struct err err;
static int64_t run_id;
static struct text bundle;

static const struct store_machine machine = {
    .comparable = "0123456789abcdef0123456789abcdef",
    .full = "fedcba9876543210fedcba9876543210",
    .facts = (char *)(uintptr_t) "{\"kernel\":\"6.1\",\"cpus\":2,\"caches\":[32768,1048576]}"};

static int64_t add_run(struct store *store)
{
    struct store_run run = archive_run("a run <b>\"quoted\"</b> \xE2\x82\xAC");
    struct store_run_change start = {.state = RUN_RUNNING, .started_ms = run.created_ms + 5};
    struct store_run_change end = {.state = RUN_DONE, .finished_ms = run.created_ms + 9};
    run.experiment =
        (char *)(uintptr_t) "{\"preset\":\"quick\",\"rate_hz\":[0.1,1e+300],\"seed\":9007199254740991}";
    cr_assert(eq(int, store_machine_put(store, &machine, &start.machine_id, &err), 0), "%s", err.text);
    cr_assert(eq(int, store_run_insert(store, &run, archive_cases, ARCHIVE_CASES, NULL, &err), 0), "%s",
              err.text);
    cr_assert(eq(int, store_run_change(store, run.id, &start, &err), 0), "%s", err.text);
    for (int64_t i = 0; i < TRIALS; i++) {
        AUTO(store_trial_fini) struct store_trial trial = archive_trial(run.id, i, SAMPLES);
        trial.latency_p50_ns = 1.0 / 3 * (double)(i + 1);
        bool is_last = i == TRIALS - 1;
        trial.done = !is_last;
        trial.attempt = is_last ? STORE_ATTEMPTS_MAX : 1;
        snprintf(trial.cause, sizeof trial.cause, "%s", is_last ? "killed, \"SIGKILL\"" : "");
        cr_assert(eq(int, store_trial_insert(store, &trial, true, is_last ? &end : NULL, &err), 0), "%s",
                  err.text);
    }
    return run.id;
}

static void setup(void)
{
    scratch_init(&scratch);
    cr_assert(eq(int, store_open(scratch_file(&scratch, "here"), &here, &err), 0), "%s", err.text);
    cr_assert(eq(int, store_open(scratch_file(&scratch, "there"), &there, &err), 0), "%s", err.text);
    run_id = add_run(here);
    bundle = TEXT_EMPTY;
    cr_assert(eq(int, export_write(here, run_id, EXPORT_JSON, NULL, &bundle, &err), 0), "%s", err.text);
}

static void teardown(void)
{
    text_fini(&bundle);
    store_close(here);
    store_close(there);
    scratch_fini(&scratch);
}

TestSuite(import, .init = setup, .fini = teardown);

struct outcome {
    int result;
    int64_t run_id;
    bool was_there;
    char pointer[FAULT_POINTER_BYTES], detail[FAULT_DETAIL_BYTES];
};

static struct outcome import_text(const char *bytes, size_t length, size_t portion)
{
    struct outcome outcome = {.result = 0};
    struct import *import = import_new(there);
    for (size_t at = 0; at < length && outcome.result == 0; at += portion)
        outcome.result = import_take(import, bytes + at, portion < length - at ? portion : length - at, &err);
    if (outcome.result == 0)
        outcome.result = import_finish(import, 1800000000000, &outcome.run_id, &outcome.was_there, &err);
    const struct faults *faults = import_faults(import);
    if (faults->count > 0) {
        snprintf(outcome.pointer, sizeof outcome.pointer, "%s", faults->items[0].pointer);
        snprintf(outcome.detail, sizeof outcome.detail, "%s", faults->items[0].detail);
    }
    import_free(import);
    return outcome;
}

static size_t count_runs(void)
{
    static struct store_run_list list;
    const struct store_run_query query = {.limit = STORE_LIST_MAX, .state = -1};
    cr_assert(eq(int, store_run_list(there, &query, &list, &err), 0), "%s", err.text);
    size_t count = list.count;
    store_run_list_fini(&list);
    return count;
}

Test(import, what_comes_out_again_is_the_same_byte_for_byte)
{
    static const size_t portions[] = {1, 7, 4096, 1 << 20};
    for (size_t i = 0; i < sizeof portions / sizeof *portions; i++) {
        AUTO(text_fini) struct text again = TEXT_EMPTY;
        struct outcome outcome = import_text(bundle.bytes, bundle.length, portions[i]);
        cr_assert(eq(int, outcome.result, 0), "%s", err.text);
        cr_expect(eq(int, outcome.was_there, i > 0));
        cr_assert(eq(int, export_write(there, outcome.run_id, EXPORT_JSON, NULL, &again, &err), 0), "%s",
                  err.text);
        cr_assert(eq(sz, again.length, bundle.length));
        cr_expect(eq(int, memcmp(again.bytes, bundle.bytes, bundle.length), 0));
        cr_expect(eq(sz, count_runs(), 1));
    }
    archive_must_be_whole(there);
}

Test(import, a_deleted_run_comes_back)
{
    struct outcome first = import_text(bundle.bytes, bundle.length, 4096);
    cr_assert(eq(int, store_run_set_deleted(there, first.run_id, 1800000000001, &err), 0), "%s", err.text);
    struct outcome second = import_text(bundle.bytes, bundle.length, 4096);
    cr_expect(eq(int, second.result, 0));
    cr_expect(second.was_there);
    cr_expect(eq(i64, second.run_id, first.run_id));
    cr_expect(eq(sz, count_runs(), 1));
}

Test(import, white_space_does_not_matter)
{
    AUTO(text_fini) struct text spaced = TEXT_EMPTY;
    bool in_string = false;
    for (size_t i = 0; i < bundle.length; i++) {
        bool is_escaped = i > 0 && bundle.bytes[i - 1] == '\\';
        if (bundle.bytes[i] == '"' && !is_escaped)
            in_string = !in_string;
        text_append_char(&spaced, bundle.bytes[i]);
        if (!in_string && strchr("{}[],:", bundle.bytes[i]) != NULL)
            text_append(&spaced, " \n\t");
    }
    struct outcome outcome = import_text(spaced.bytes, spaced.length, 100);
    cr_expect(eq(int, outcome.result, 0), "%s", err.text);
}

/* Every seventh byte, one bit of it: refused, and nothing is seen of it. What is not refused changed nothing:
 * the name of the program that wrote it, or the case of an escape. */
Test(import, a_flipped_bit_anywhere_is_refused)
{
    size_t taken = 0, tried = 0;
    const char *program = strstr(bundle.bytes, "\"program\"");
    const char *machine_at = strstr(bundle.bytes, "\"machine\"");
    for (size_t i = 0; i < bundle.length; i += 7, tried++) {
        bundle.bytes[i] ^= 1;
        struct outcome outcome = import_text(bundle.bytes, bundle.length, 65536);
        bundle.bytes[i] ^= 1;
        bool is_program = bundle.bytes + i > program && bundle.bytes + i < machine_at;
        bool is_space = bundle.bytes[i] == '\n';
        if (outcome.result == 0 && !is_program && !is_space)
            taken++;
        if (outcome.result == 0)
            cr_assert(eq(int, store_run_set_deleted(there, outcome.run_id, 1, &err), 0), "%s", err.text);
        cr_expect(eq(sz, count_runs(), 0));
        if (outcome.result != 0)
            cr_expect(ne(str, outcome.detail, ""), "byte %zu: %d %s", i, outcome.result, err.text);
    }
    cr_expect(gt(sz, tried, 500));
    cr_expect(eq(sz, taken, 0));
    archive_must_be_whole(there);
}

Test(import, every_end_that_is_missing_is_missed)
{
    for (size_t length = 0; length < bundle.length - 2; length += length < 300 ? 1 : 97)
        cr_expect(lt(int, import_text(bundle.bytes, length, 65536).result, 0), "the first %zu bytes", length);
    cr_expect(eq(sz, count_runs(), 0));
}

/* from → to, once; then the checksum of the part is mended, so that what is tested is the value. */
static void replace(struct text *text, const char *from, const char *to)
{
    char *at = strstr(text->bytes, from);
    cr_assert(ne(ptr, at, NULL), "%s", from);
    struct text changed = TEXT_EMPTY;
    text_append_bytes(&changed, text->bytes, (size_t)(at - text->bytes));
    text_append(&changed, to);
    text_append(&changed, at + strlen(from));
    text_fini(text);
    *text = changed;
}

Test(import, the_place_of_the_damage_is_named)
{
    static const struct {
        const char *from, *to, *pointer, *detail;
    } damages[] = {
        {"\"format\":\"ipclab-run\"", "\"format\":\"other\"", "/format", "ipclab-run"},
        {"\"version\":1", "\"version\":2", "/version", "not 1"},
        {"\"version\":1,", "", "/version", "is missing"},
        {"\"kernel\":\"6.1\"", "\"kernel\":\"6.2\"", "/machine/checksum", "does not match"},
        {"\"state\":\"done\"", "\"state\":\"running\"", "/run/state", "not over"},
        {"\"note\":", "\"notes\":", "/run/notes", "did you mean \"note\""},
        {"\"trials_total\":4,", "", "/run/trials_total", "is missing"},
        {"\"number\":1", "\"number\":2", "/cases/1/number", "must be 1"},
        {"\"case\":1", "\"case\":2", "/trials/1/case", "refers to a case that is not there"},
        {"\"sequence\":3", "\"sequence\":4", "/trials/3/sequence", "refers to a slot"},
        {"\"messages\":40001,", "", "/trials/0/messages", "is missing"},
        {"\"messages\":40001", "\"messages\":40002", "/trials/0/checksum", "does not match"},
        {"\"messages\":40001", "\"messages\":\"40001\"", "/trials/0/messages", "must be an integer"},
        {"\"histogram\":\"A", "\"histogram\":\"B", "/trials/0/histogram", "is damaged"},
        {"\"trials\":[", "\"trials\":[7,", "/trials/0", "must be an object"},
        {"\"trials\":[", "\"trials\":{},\"x\":[", "/trials", "must be an array"},
        {"\"cases\":[", "\"run\":{},\"cases\":[", "/run", "stands there twice"},
        {"\"trials\":[", "\"more\":1,\"trials\":[", "/more", "no member"},
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        AUTO(text_fini) struct text damaged = TEXT_EMPTY;
        text_append_bytes(&damaged, bundle.bytes, bundle.length);
        replace(&damaged, damages[i].from, damages[i].to);
        struct outcome outcome = import_text(damaged.bytes, damaged.length, 4096);
        cr_expect(eq(int, outcome.result, -EINVAL), "%s: %s", damages[i].to, err.text);
        cr_expect(eq(str, outcome.pointer, (char *)damages[i].pointer), "%s: %s", damages[i].to,
                  outcome.detail);
        cr_expect(ne(ptr, strstr(outcome.detail, damages[i].detail), NULL), "%s: %s", damages[i].to,
                  outcome.detail);
    }
    cr_expect(eq(sz, count_runs(), 0));
}

/* The bytes of the element of an array that begins at `begin`, with the comma and line end before the next.
 */
static size_t element_bytes(const char *begin)
{
    return (size_t)(strstr(begin, "},\n") + 3 - begin);
}

Test(import, parts_that_are_lost_or_doubled_are_noticed)
{
    const char *first = strstr(bundle.bytes, "\"trials\":[\n") + strlen("\"trials\":[\n");
    size_t before = (size_t)(first - bundle.bytes), length = element_bytes(first);
    AUTO(text_fini) struct text lost = TEXT_EMPTY;
    text_append_bytes(&lost, bundle.bytes, before);
    text_append(&lost, first + length);
    cr_expect(eq(str, import_text(lost.bytes, lost.length, 4096).pointer, "/run/trials_done"));

    AUTO(text_fini) struct text doubled = TEXT_EMPTY;
    text_append_bytes(&doubled, bundle.bytes, before + length);
    text_append(&doubled, first);
    struct outcome outcome = import_text(doubled.bytes, doubled.length, 4096);
    cr_expect(eq(int, outcome.result, -EINVAL));
    cr_expect(eq(str, outcome.pointer, "/run/trials_done"));

    AUTO(text_fini) struct text swapped = TEXT_EMPTY;
    size_t second = element_bytes(first + length);
    text_append_bytes(&swapped, bundle.bytes, before);
    text_append_bytes(&swapped, first + length, second);
    text_append_bytes(&swapped, first, length);
    text_append(&swapped, first + length + second);
    cr_expect(eq(str, import_text(swapped.bytes, swapped.length, 4096).pointer, "/checksum"));
    cr_expect(eq(sz, count_runs(), 0));
}

/* ---- the splitter alone ---- */

static int write_part(void *context, const struct import_part *part, struct err *error)
{
    (void)error;
    text_printf(context, "%s%s%lld=%.*s;", part->name, part->is_element ? "#" : "@", (long long)part->index,
                (int)part->length, part->bytes);
    return 0;
}

static int split(const char *document, size_t portion, struct text *parts)
{
    struct import_split splitter = {.part = write_part, .context = parts};
    int result = 0;
    size_t length = strlen(document);
    text_clear(parts);
    for (size_t at = 0; at < length && result == 0; at += portion)
        result =
            import_split_take(&splitter, document + at, portion < length - at ? portion : length - at, &err);
    if (result == 0)
        result = import_split_end(&splitter, &err);
    import_split_fini(&splitter);
    return result;
}

Test(import_split, cuts_members_and_elements_however_they_come)
{
    static const char document[] =
        " {\"a\":1 ,\"b\":\"x]},\\\"{\", \"c\":[ ] ,\"d\":[1,[2,3],{\"e\":\"}\"} , \"s\"],"
        "\"f\":{\"g\":[{}]},\"h\":true}\n";
    AUTO(text_fini) struct text parts = TEXT_EMPTY;
    for (size_t portion = 1; portion < 20; portion++) {
        cr_assert(eq(int, split(document, portion, &parts), 0), "%s", err.text);
        cr_expect(eq(str, (char *)text_string(&parts),
                     "a@0=1;b@0=\"x]},\\\"{\";d#0=1;d#1=[2,3];d#2={\"e\":\"}\"};d#3=\"s\";f@0={\"g\":[{}]};h@"
                     "0=true;"));
    }
}

Test(import_split, what_stands_between_has_to_be_right)
{
    static const char *const documents[] = {
        "",
        "[]",
        "7",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{\"a\":1 2}",
        "{\"a\":[1 2]}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":}",
        "{\"a\":1}}",
        "{\"a\":1} x",
        "{a:1}",
        "{\"a\\n\":1}",
        "{\"a\":[1}",
    };
    AUTO(text_fini) struct text parts = TEXT_EMPTY;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        cr_expect(eq(int, split(documents[i], 3, &parts), -EINVAL), "%s", documents[i]);
    cr_expect(eq(int, split("{}", 1, &parts), 0), "%s", err.text);
}

Test(import_split, a_part_has_a_bound)
{
    AUTO(text_fini) struct text parts = TEXT_EMPTY;
    AUTO(text_fini) struct text document = TEXT_EMPTY;
    text_append(&document, "{\"a\":\"");
    for (int i = 0; i < IMPORT_PART_BYTES_MAX; i++)
        text_append_char(&document, 'x');
    text_append(&document, "\"}");
    cr_expect(eq(int, split(document.bytes, 4096, &parts), -E2BIG));
}
