/* Lists of runs: orders, pages, filters. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "db/store.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

enum { IDS_TEXT_BYTES = 512 };

static struct scratch scratch;
static struct store *store;
static struct err err;
static struct store_run_list *list;

static void setup(void)
{
    scratch_init(&scratch);
    list = calloc(1, sizeof *list);
    cr_assert(eq(int, store_open(scratch.path, &store, &err), 0), "%s", err.text);
}

static void teardown(void)
{
    store_run_list_fini(list);
    free(list);
    store_close(store);
    scratch_fini(&scratch);
}

TestSuite(store_list, .init = setup, .fini = teardown);

static int64_t add(const char *name, const char *tags, const char *note)
{
    struct store_run run = archive_run(name);
    run.tags = (char *)(uintptr_t)tags;
    run.note = (char *)(uintptr_t)note;
    cr_assert(eq(int, store_run_insert(store, &run, archive_cases, ARCHIVE_CASES, NULL, &err), 0), "%s",
              err.text);
    return run.id;
}

static void add_many(int count)
{
    for (int i = 0; i < count; i++)
        add("run", "[]", "");
}

static struct store_run_query any(void)
{
    return (struct store_run_query){.limit = STORE_LIST_MAX, .state = -1};
}

/* The page's ids as "3 2 1". */
static const char *ids_of_page(const struct store_run_query *query)
{
    static char ids[IDS_TEXT_BYTES];
    size_t used = 0;
    store_run_list_fini(list);
    cr_assert(eq(int, store_run_list(store, query, list, &err), 0), "%s", err.text);
    ids[0] = '\0';
    for (size_t i = 0; i < list->count; i++)
        used += (size_t)snprintf(ids + used, sizeof ids - used, "%s%lld", i > 0 ? " " : "",
                                 (long long)list->runs[i].id);
    return ids;
}

#define EXPECT_IDS(query, ids)                                                                               \
    cr_expect(eq(str, (char *)(uintptr_t)ids_of_page(query), (char *)(uintptr_t)(ids)))

Test(store_list, an_empty_archive_has_an_empty_last_page)
{
    struct store_run_query query = any();
    EXPECT_IDS(&query, "");
    cr_expect(eq(str, list->next_cursor, ""));
}

Test(store_list, runs_are_whole)
{
    add("whole", "[\"demo\"]", "note");
    struct store_run_query query = any();
    EXPECT_IDS(&query, "1");
    cr_expect(eq(str, list->runs[0].name, "whole"));
    cr_expect(eq(str, list->runs[0].experiment, "{\"preset\":\"quick\"}"));
    cr_expect(eq(str, list->runs[0].machine_full, ""));
}

Test(store_list, every_order_is_total)
{
    add("beta", "[]", "");
    add("Alpha", "[]", "");
    add("beta", "[]", "");
    add("BETA", "[]", "");
    add("", "[]", "");
    struct store_run_query query = any();
    EXPECT_IDS(&query, "5 4 3 2 1");
    query.sort = STORE_SORT_OLDEST;
    EXPECT_IDS(&query, "1 2 3 4 5");
    query.sort = STORE_SORT_NAME;
    EXPECT_IDS(&query, "5 2 1 3 4");
}

/* Pages of every size put together are the whole list, in every order. */
Test(store_list, pages_join_without_gap_or_overlap)
{
    static const char *const names[] = {"b", "a", "B", "", "c", "a", "é", "b"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add(names[i], "[]", "");
    for (int sort = 0; sort < STORE_SORT_COUNT; sort++) {
        struct store_run_query query = any();
        query.sort = (enum store_sort)sort;
        char whole[IDS_TEXT_BYTES], joined[2 * IDS_TEXT_BYTES], cursor[STORE_CURSOR_BYTES];
        snprintf(whole, sizeof whole, "%s", ids_of_page(&query));
        for (query.limit = 1; query.limit <= 9; query.limit++) {
            size_t used = 0;
            query.cursor = NULL;
            do {
                used += (size_t)snprintf(joined + used, sizeof joined - used, "%s%s", used > 0 ? " " : "",
                                         ids_of_page(&query));
                memcpy(cursor, list->next_cursor, sizeof cursor);
                query.cursor = cursor;
                cr_assert(lt(sz, used, IDS_TEXT_BYTES), "the pages do not end");
            } while (cursor[0] != '\0');
            cr_expect(eq(str, joined, whole), "%s, %d a page", store_sort_names[sort], query.limit);
        }
    }
}

Test(store_list, runs_that_arrive_meanwhile_shift_no_page)
{
    add_many(6);
    struct store_run_query query = any();
    query.limit = 3;
    EXPECT_IDS(&query, "6 5 4");
    char cursor[STORE_CURSOR_BYTES];
    memcpy(cursor, list->next_cursor, sizeof cursor);
    add_many(3);
    cr_assert(eq(int, store_run_set_deleted(store, 5, 1, &err), 0));
    query.cursor = cursor;
    EXPECT_IDS(&query, "3 2 1");
    cr_expect(eq(str, list->next_cursor, ""));
}

Test(store_list, a_cursor_by_name_holds_though_its_run_is_renamed)
{
    add("a", "[]", "");
    add("b", "[]", "");
    add("c", "[]", "");
    struct store_run_query query = any();
    query.sort = STORE_SORT_NAME;
    query.limit = 2;
    EXPECT_IDS(&query, "1 2");
    char cursor[STORE_CURSOR_BYTES];
    memcpy(cursor, list->next_cursor, sizeof cursor);
    struct store_run_patch patch = {.name = "z", .pinned = -1};
    cr_assert(eq(int, store_run_patch(store, 2, 0, &patch, &err), 0));
    query.cursor = cursor;
    EXPECT_IDS(&query, "3 2");
}

Test(store_list, the_longest_name_fits_in_a_cursor)
{
    char name[STORE_NAME_BYTES_MAX + 1];
    memset(name, '\xC3', sizeof name - 1);
    for (size_t i = 1; i < sizeof name - 1; i += 2)
        name[i] = '\xA9';
    name[sizeof name - 1] = '\0';
    add(name, "[]", "");
    add(name, "[]", "");
    struct store_run_query query = any();
    query.sort = STORE_SORT_NAME;
    query.limit = 1;
    EXPECT_IDS(&query, "1");
    char cursor[STORE_CURSOR_BYTES];
    memcpy(cursor, list->next_cursor, sizeof cursor);
    cr_expect(eq(sz, strspn(cursor, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
                 strlen(cursor)),
              "goes into an address as it is");
    query.cursor = cursor;
    EXPECT_IDS(&query, "2");
}

Test(store_list, what_is_no_cursor_is_refused)
{
    add_many(3);
    struct store_run_query query = any();
    query.limit = 1;
    EXPECT_IDS(&query, "3");
    char good[STORE_CURSOR_BYTES], bad[STORE_CURSOR_BYTES + 2];
    memcpy(good, list->next_cursor, sizeof good);
    store_run_list_fini(list);

    static const char *const refused[] = {"", "x", "17", "====", "AAAA", "AAAAAAAA", "a b", "é", "../../etc"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        query.cursor = refused[i];
        cr_expect(eq(int, store_run_list(store, &query, list, &err), -EINVAL), "%s", refused[i]);
    }
    for (size_t i = 0; good[i] != '\0'; i++) {
        memcpy(bad, good, sizeof good);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        query.cursor = bad;
        cr_expect(eq(int, store_run_list(store, &query, list, &err), -EINVAL), "%s", bad);
    }
    memset(bad, 'A', sizeof bad - 1);
    bad[sizeof bad - 1] = '\0';
    query.cursor = bad;
    cr_expect(eq(int, store_run_list(store, &query, list, &err), -EINVAL));
    query.cursor = good;
    query.sort = STORE_SORT_OLDEST;
    cr_expect(eq(int, store_run_list(store, &query, list, &err), -EINVAL), "of another order");
}

Test(store_list, a_limit_has_bounds)
{
    struct store_run_query query = any();
    for (query.limit = -1; query.limit < 1; query.limit++)
        cr_expect(eq(int, store_run_list(store, &query, list, &err), -EINVAL));
    query.limit = STORE_LIST_MAX + 1;
    cr_expect(eq(int, store_run_list(store, &query, list, &err), -EINVAL));
}

Test(store_list, a_full_page_that_is_the_last_says_so)
{
    add_many(4);
    struct store_run_query query = any();
    query.limit = 4;
    EXPECT_IDS(&query, "4 3 2 1");
    cr_expect(eq(str, list->next_cursor, ""));
}

/* ---- filters ---- */

static void set_state(int64_t id, enum run_state state, int64_t machine_id)
{
    struct store_run_change to = {.state = state, .machine_id = machine_id};
    cr_assert(eq(int, store_run_change(store, id, &to, &err), 0), "%s", err.text);
}

Test(store_list, deleted_runs_are_left_out)
{
    add_many(3);
    cr_assert(eq(int, store_run_set_deleted(store, 2, 1, &err), 0));
    struct store_run_query query = any();
    EXPECT_IDS(&query, "3 1");
    query.sort = STORE_SORT_NAME;
    EXPECT_IDS(&query, "1 3");
}

Test(store_list, filters_by_state_machine_and_time)
{
    struct store_machine office = {.comparable = "same", .full = "office", .facts = (char *)(uintptr_t) "{}"};
    struct store_machine cellar = {.comparable = "same", .full = "cellar", .facts = (char *)(uintptr_t) "{}"};
    int64_t machines[2];
    cr_assert(eq(int, store_machine_put(store, &office, &machines[0], &err), 0));
    cr_assert(eq(int, store_machine_put(store, &cellar, &machines[1], &err), 0));
    add_many(4);
    set_state(1, RUN_DONE, machines[0]);
    set_state(2, RUN_FAILED, machines[1]);
    set_state(3, RUN_DONE, machines[1]);
    struct store_run_query query = any();
    query.state = RUN_DONE;
    EXPECT_IDS(&query, "3 1");
    query.machine = "cellar";
    EXPECT_IDS(&query, "3");
    query.state = -1;
    EXPECT_IDS(&query, "3 2");
    query.machine = "same";
    EXPECT_IDS(&query, "3 2 1");
    query.machine = "attic";
    EXPECT_IDS(&query, "");

    query = any();
    EXPECT_IDS(&query, "4 3 2 1");
    query.since_ms = list->runs[2].created_ms;
    query.until_ms = list->runs[0].created_ms;
    EXPECT_IDS(&query, "3 2");
}

Test(store_list, filters_by_mechanism_and_tag)
{
    struct store_run pipe_only = archive_run("pipe only");
    pipe_only.tags = (char *)(uintptr_t) "[\"demo\",\"a\\\"b\"]";
    cr_assert(eq(int, store_run_insert(store, &pipe_only, archive_cases, 1, NULL, &err), 0), "%s", err.text);
    add("both", "[\"demo\"]", "");
    add("both", "[\"demonstration\"]", "");
    struct store_run_query query = any();
    query.mechanism = "tcp";
    EXPECT_IDS(&query, "3 2");
    query.mechanism = "pipe";
    EXPECT_IDS(&query, "3 2 1");
    query.mechanism = "pip";
    EXPECT_IDS(&query, "");
    query.mechanism = NULL;
    query.tag = "demo";
    EXPECT_IDS(&query, "2 1");
    query.tag = "a\"b";
    EXPECT_IDS(&query, "1");

    struct store_run_patch patch = {.tags = "[\"other\"]", .pinned = -1};
    cr_assert(eq(int, store_run_patch(store, 1, 0, &patch, &err), 0));
    EXPECT_IDS(&query, "");
    query.tag = "other";
    EXPECT_IDS(&query, "1");
    query.mechanism = "tcp";
    EXPECT_IDS(&query, "");
}

Test(store_list, filters_by_text_in_name_note_or_tags)
{
    add("Nightly 50% load", "[]", "");
    add("x", "[\"NIGHTLY\"]", "");
    add("x", "[]", "of a nightly_build");
    add("x", "[]", "50 percent, c:\\temp");
    struct store_run_query query = any();
    query.text = "nightly";
    EXPECT_IDS(&query, "3 2 1");
    query.text = "50%";
    EXPECT_IDS(&query, "1");
    query.text = "y_b";
    EXPECT_IDS(&query, "3");
    query.text = "_";
    EXPECT_IDS(&query, "3");
    query.text = "c:\\t";
    EXPECT_IDS(&query, "4");
    query.text = "";
    EXPECT_IDS(&query, "4 3 2 1");
    query.text = "\",\"";
    EXPECT_IDS(&query, "");
    query.text = "'; DROP TABLE run; --";
    EXPECT_IDS(&query, "");
}
