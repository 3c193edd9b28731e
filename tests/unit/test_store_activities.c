/* Attempts and checks in the archive: every value comes back, states go one way, what was cut off is told. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/ulid.h"
#include "db/store_activities.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

static struct scratch scratch;
static struct store *store;
static struct err err;

static void open_archive(void)
{
    cr_assert(eq(int, store_open(scratch.path, &store, &err), 0), "%s", err.text);
}

static void setup(void)
{
    scratch_init(&scratch);
    open_archive();
}

static void teardown(void)
{
    store_close(store);
    scratch_fini(&scratch);
}

TestSuite(store_activities, .init = setup, .fini = teardown);

static int64_t add_machine(const char *full)
{
    struct store_machine machine = {.facts = "{\"kernel\":\"6.18\"}"};
    memcpy(machine.comparable, "comparable", sizeof "comparable");
    memcpy(machine.full, full, strlen(full) + 1);
    int64_t id = 0;
    cr_assert(eq(int, store_machine_put(store, &machine, &id, &err), 0), "%s", err.text);
    return id;
}

static int64_t add_attempt_with(const char *parameters, const char *lab, const char *class,
                                const char *prediction)
{
    struct store_attempt attempt = {.created_ms = 5,
                                    .student = (char *)"Ada",
                                    .class = (char *)class,
                                    .parameters = (char *)parameters,
                                    .prediction = (char *)prediction};
    memcpy(attempt.lab, lab, strlen(lab) + 1);
    ulid_make(5, attempt.uid);
    cr_assert(eq(int, store_attempt_insert(store, &attempt, &err), 0), "%s", err.text);
    return attempt.id;
}

static int64_t add_attempt(const char *lab, const char *class, const char *prediction)
{
    return add_attempt_with("{\"chunk_bytes\":4097}", lab, class, prediction);
}

static void begin_attempt(int64_t id)
{
    cr_assert(eq(int, store_attempt_begin(store, id, 6, add_machine("full"), &err), 0), "%s", err.text);
}

static void end_attempt(int64_t id, const char *outcome)
{
    const struct store_attempt_end end = {.state = ACTIVITY_DONE,
                                          .finished_ms = 7,
                                          .agrees = 0,
                                          .cause = "",
                                          .outcome = outcome,
                                          .result = "{\"evidence\":{}}",
                                          .record = "{\"timeline\":[]}"};
    cr_assert(eq(int, store_attempt_end(store, id, &end, &err), 0), "%s", err.text);
}

Test(store_activities, an_attempt_comes_back_after_a_restart)
{
    int64_t id = add_attempt("pipe_gauge", "b2", "{\"answer\":65536,\"reason\":\"\"}");
    begin_attempt(id);
    end_attempt(id, "45066");
    store_close(store);
    open_archive();
    AUTO(store_attempt_fini) struct store_attempt attempt;
    cr_assert(eq(int, store_attempt_get(store, id, &attempt, &err), 0), "%s", err.text);
    cr_expect(eq(int, attempt.state, ACTIVITY_DONE));
    cr_expect(eq(str, attempt.lab, "pipe_gauge"));
    cr_expect(eq(str, attempt.student, "Ada"));
    cr_expect(eq(str, attempt.class, "b2"));
    cr_expect(eq(str, attempt.kernel, "6.18"));
    cr_expect(eq(str, attempt.machine_full, "full"));
    cr_expect(eq(str, attempt.parameters, "{\"chunk_bytes\":4097}"));
    cr_expect(eq(str, attempt.outcome, "45066"));
    cr_expect(eq(str, attempt.result, "{\"evidence\":{}}"));
    cr_expect(eq(int, attempt.agrees, 0));
    cr_expect(eq(i64, attempt.created_ms + attempt.started_ms + attempt.finished_ms, 5 + 6 + 7));
    AUTO(text_fini) struct text record = TEXT_EMPTY;
    cr_assert(eq(int, store_attempt_record(store, id, &record, &err), 0));
    cr_expect(eq(str, (char *)text_string(&record), "{\"timeline\":[]}"));
}

Test(store_activities, states_go_one_way)
{
    int64_t id = add_attempt("pipe_gauge", "", "null");
    const struct store_attempt_end end = {
        .state = ACTIVITY_DONE, .cause = "", .outcome = "null", .result = "null"};
    cr_expect(eq(int, store_attempt_end(store, id, &end, &err), -ESTALE), "it has not begun");
    begin_attempt(id);
    cr_expect(eq(int, store_attempt_begin(store, id, 6, add_machine("full"), &err), -ESTALE), "twice");
    cr_expect(eq(int, store_activity_cancel_queued(store, STORE_ATTEMPTS, id, 7, &err), -ESTALE));
    cr_expect(eq(int, store_attempt_end(store, id, &end, &err), 0));
    cr_expect(eq(int, store_attempt_end(store, id, &end, &err), -ESTALE), "twice");
    AUTO(text_fini) struct text record = TEXT_EMPTY;
    cr_assert(eq(int, store_attempt_record(store, id, &record, &err), 0));
    cr_expect(eq(str, (char *)text_string(&record), "null"), "none was given");
    AUTO(store_attempt_fini) struct store_attempt attempt;
    cr_expect(eq(int, store_attempt_get(store, 99, &attempt, &err), -ENOENT));
}

Test(store_activities, what_was_running_has_failed_and_what_was_queued_waits_on)
{
    int64_t first = add_attempt("pipe_gauge", "", "null");
    int64_t second = add_attempt("pipe_gauge", "", "null");
    begin_attempt(first);
    int claims[] = {38};
    int64_t check = 0, next = 0, count = 0;
    cr_assert(eq(int, store_check_insert(store, claims, 1, 5, &check, &err), 0), "%s", err.text);
    cr_assert(eq(int, store_check_begin(store, check, 6, add_machine("full"), &err), 0), "%s", err.text);
    cr_assert(eq(int, store_activity_recover(store, 9, &count, &err), 0), "%s", err.text);
    cr_expect(eq(i64, count, 2));
    AUTO(store_attempt_fini) struct store_attempt attempt;
    cr_assert(eq(int, store_attempt_get(store, first, &attempt, &err), 0));
    cr_expect(eq(int, attempt.state, ACTIVITY_FAILED));
    cr_expect(ne(str, attempt.cause, ""));
    cr_expect(eq(i64, attempt.finished_ms, 9));
    AUTO(store_check_fini) struct store_check read;
    cr_assert(eq(int, store_check_get(store, check, &read, &err), 0));
    cr_expect(eq(int, read.state, ACTIVITY_FAILED));
    cr_expect(eq(int, read.verdict, -1));
    cr_assert(eq(int, store_activity_next(store, STORE_ATTEMPTS, &next, &err), 0));
    cr_expect(eq(i64, next, second));
    cr_expect(eq(int, store_activity_next(store, STORE_CHECKS, &next, &err), -ENOENT));
    cr_assert(eq(int, store_activity_queued_count(store, STORE_ATTEMPTS, &count, &err), 0));
    cr_expect(eq(i64, count, 1));
}

static int collect(void *context, const struct store_attempt *attempt)
{
    text_printf(context, "%lld ", (long long)attempt->id);
    return 0;
}

static const char *list(const struct store_attempt_query *query)
{
    static struct text found;
    text_clear(&found);
    cr_assert(eq(int, store_attempt_each(store, query, collect, &found, &err), 0), "%s", err.text);
    return text_string(&found);
}

static int collect_answer(void *context, const char *answer, int64_t count)
{
    text_printf(context, "%s:%lld ", answer, (long long)count);
    return 0;
}

static const char *answers(enum store_answer_kind kind, const char *class)
{
    static struct text found;
    text_clear(&found);
    const struct store_attempt_query query = {.lab = "pipe_gauge", .class = class, .limit = 10};
    cr_assert(eq(int, store_attempt_each_answer(store, &query, kind, collect_answer, &found, &err), 0), "%s",
              err.text);
    return text_string(&found);
}

Test(store_activities, a_class_is_listed_and_counted)
{
    static const char *const predictions[] = {"{\"answer\":65536}", "null", "{\"answer\":4097}",
                                              "{\"answer\":65536}"};
    for (int i = 0; i < 4; i++) {
        int64_t id = add_attempt("pipe_gauge", i < 3 ? "b2" : "c1", predictions[i]);
        begin_attempt(id);
        end_attempt(id, i == 1 ? "null" : "45066");
    }
    add_attempt("pipe_gauge", "b2", "{\"answer\":1}"); /* 5, queued: it counts nowhere yet */
    add_attempt("backlog", "b2", "{\"answer\":1}");
    cr_expect(
        eq(str, (char *)list(&(struct store_attempt_query){.lab = "pipe_gauge", .limit = 10}), "5 4 3 2 1 "));
    cr_expect(eq(str,
                 (char *)list(&(struct store_attempt_query){.lab = "pipe_gauge", .limit = 2, .before_id = 4}),
                 "3 2 "));
    cr_expect(eq(str,
                 (char *)list(&(struct store_attempt_query){.lab = "pipe_gauge", .class = "B2", .limit = 10}),
                 "5 3 2 1 "));
    cr_expect(
        eq(str, (char *)list(&(struct store_attempt_query){.lab = "pipe_gauge", .student = "x", .limit = 10}),
           ""));
    int64_t other = add_attempt_with("{\"chunk_bytes\":1}", "pipe_gauge", "", "null");
    cr_expect(eq(str,
                 (char *)list(&(struct store_attempt_query){
                     .lab = "pipe_gauge", .class = "b2", .like_id = 1, .limit = 2}),
                 "5 3 "));
    cr_expect(
        eq(str,
           (char *)list(&(struct store_attempt_query){.lab = "pipe_gauge", .like_id = other, .limit = 9}),
           "7 "),
        "the same parameters");
    cr_expect(eq(str, (char *)answers(STORE_ANSWERS_PREDICTED, NULL), "65536:2 4097:1 "));
    cr_expect(eq(str, (char *)answers(STORE_ANSWERS_PREDICTED, "c1"), "65536:1 "));
    cr_expect(eq(str, (char *)answers(STORE_ANSWERS_OBSERVED, NULL), "45066:3 "));
}

static void end_check(int64_t id, int64_t machine, enum check_verdict verdict)
{
    const struct store_check_end end = {.state = ACTIVITY_DONE,
                                        .finished_ms = 7,
                                        .verdict = verdict,
                                        .cause = "",
                                        .result = "{\"why\":\"x\"}"};
    cr_assert(eq(int, store_check_begin(store, id, 6, machine, &err), 0), "%s", err.text);
    cr_assert(eq(int, store_check_end(store, id, &end, &err), 0), "%s", err.text);
}

static int collect_check(void *context, const struct store_check *check)
{
    text_printf(context, "%d=%s ", check->claim, check->verdict >= 0 ? verdict_names[check->verdict] : "-");
    return 0;
}

static int collect_machine(void *context, const struct store_check_machine *machine)
{
    text_printf(context, "%s:%lld ", machine->full, (long long)machine->claims);
    return 0;
}

static const char *latest(const char *machine, int claim)
{
    static struct text found;
    text_clear(&found);
    cr_assert(eq(int, store_check_each_latest(store, machine, claim, collect_check, &found, &err), 0), "%s",
              err.text);
    return text_string(&found);
}

Test(store_activities, a_check_is_queued_once_and_the_latest_of_each_machine_is_found)
{
    static const int claims[] = {38, 39, 38};
    int64_t ids[3], again[3];
    cr_assert(eq(int, store_check_insert(store, claims, 3, 5, ids, &err), 0), "%s", err.text);
    cr_expect(eq(i64, ids[2], ids[0]), "the same claim");
    cr_assert(eq(int, store_check_insert(store, claims, 2, 5, again, &err), 0), "%s", err.text);
    cr_expect(eq(i64, again[1], ids[1]), "still queued");
    int64_t here = add_machine("here"), there = add_machine("there");
    end_check(ids[0], here, VERDICT_HOLDS);
    end_check(ids[1], there, VERDICT_SKIPPED);
    cr_assert(eq(int, store_check_insert(store, claims, 1, 5, ids, &err), 0), "%s", err.text);
    end_check(ids[0], here, VERDICT_CONDITIONAL);
    cr_expect(eq(str, (char *)latest("here", 0), "38=conditional "));
    cr_expect(eq(str, (char *)latest("there", 0), "39=skipped "));
    cr_expect(eq(str, (char *)latest("there", 38), ""));
    AUTO(text_fini) struct text found = TEXT_EMPTY;
    cr_assert(eq(int, store_check_each(store, 38, 0, 10, collect_check, &found, &err), 0), "%s", err.text);
    cr_expect(eq(str, (char *)text_string(&found), "38=conditional 38=holds "));
    text_clear(&found);
    cr_assert(eq(int, store_check_each_machine(store, collect_machine, &found, &err), 0), "%s", err.text);
    cr_expect(eq(str, (char *)text_string(&found), "here:1 there:1 "));
}

/* ---- retention ---- */

static int64_t add_ended_check(int claim, const char *machine, enum activity_state state)
{
    int64_t id = 0;
    const struct store_check_end end = {.state = state,
                                        .finished_ms = 7,
                                        .verdict = state == ACTIVITY_DONE ? (int)VERDICT_HOLDS : -1,
                                        .cause = "",
                                        .result = "{}"};
    cr_assert(eq(int, store_check_insert(store, &claim, 1, 5, &id, &err), 0), "%s", err.text);
    cr_assert(eq(int, store_check_begin(store, id, 6, add_machine(machine), &err), 0), "%s", err.text);
    cr_assert(eq(int, store_check_end(store, id, &end, &err), 0), "%s", err.text);
    return id;
}

/* What one job was done with, in order: "3 7". */
static void retain(enum store_retention_job job, int64_t before_ms, char *finished, size_t bytes)
{
    struct store_retention retention = {.now_ms = 1000};
    struct store_retention_place place = {.job = 0};
    size_t used = 0;
    int rc = 1;
    retention.before_ms[job] = before_ms;
    finished[0] = '\0';
    while (rc > 0) {
        rc = store_retain(store, &retention, &place, &err);
        if (place.finished_id != 0)
            used += (size_t)snprintf(finished + used, bytes - used, "%s%lld", used > 0 ? " " : "",
                                     (long long)place.finished_id);
    }
    cr_assert(eq(int, rc, 0), "%s", err.text);
}

Test(store_activities, an_old_attempt_loses_its_timeline_first_and_keeps_what_came_out)
{
    char finished[64], wanted[64];
    int64_t old = add_attempt("pipe_gauge", "b2", "null");
    int64_t queued = add_attempt("pipe_gauge", "b2", "null");
    begin_attempt(old);
    end_attempt(old, "45066");
    retain(STORE_RETAIN_TIMELINES, 5, finished, sizeof finished);
    cr_expect(eq(str, finished, ""), "it is not older than that");
    retain(STORE_RETAIN_TIMELINES, 6, finished, sizeof finished);
    snprintf(wanted, sizeof wanted, "%lld", (long long)old);
    cr_expect(eq(str, finished, wanted));
    retain(STORE_RETAIN_TIMELINES, 6, finished, sizeof finished);
    cr_expect(eq(str, finished, ""), "once");
    AUTO(text_fini) struct text record = TEXT_EMPTY;
    cr_assert(eq(int, store_attempt_record(store, old, &record, &err), 0));
    cr_expect(eq(str, (char *)text_string(&record), "null"));
    AUTO(store_attempt_fini) struct store_attempt attempt;
    cr_assert(eq(int, store_attempt_get(store, old, &attempt, &err), 0), "%s", err.text);
    cr_expect(eq(str, attempt.outcome, "45066"));
    cr_expect(eq(i64, attempt.record_dropped_ms, 1000));

    retain(STORE_RETAIN_ATTEMPTS, 6, finished, sizeof finished);
    cr_expect(eq(str, finished, wanted));
    AUTO(store_attempt_fini) struct store_attempt gone, waiting;
    cr_expect(eq(int, store_attempt_get(store, old, &gone, &err), -ENOENT));
    cr_expect(eq(int, store_attempt_get(store, queued, &waiting, &err), 0), "it has not begun");
}

Test(store_activities, the_last_verdict_on_each_machine_is_kept)
{
    char finished[64], wanted[64];
    int64_t first = add_ended_check(38, "here", ACTIVITY_DONE);
    add_ended_check(38, "there", ACTIVITY_DONE);
    add_ended_check(39, "here", ACTIVITY_DONE);
    int64_t failed = add_ended_check(38, "here", ACTIVITY_FAILED);
    add_ended_check(38, "here", ACTIVITY_DONE);
    add_ended_check(38, "here", ACTIVITY_FAILED);
    retain(STORE_RETAIN_CHECKS, 6, finished, sizeof finished);
    snprintf(wanted, sizeof wanted, "%lld %lld", (long long)first, (long long)failed);
    cr_expect(eq(str, finished, wanted));
    retain(STORE_RETAIN_CHECKS, 6, finished, sizeof finished);
    cr_expect(eq(str, finished, ""));
}
