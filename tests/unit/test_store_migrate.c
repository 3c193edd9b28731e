/* Schemas older and newer than the program's. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "db/migrate.h"
#include "db/store.h"
#include "tests/support/archive.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"

TestSuite(store_migrate);

enum { LIST_MAX = 64 };

/* This program's migrations and one more, as the next version will have them. */
static size_t with_one_more(struct migration *list, const char *sql)
{
    memcpy(list, migrations, migrations_count * sizeof list[0]);
    list[migrations_count] = (struct migration){(int)migrations_count + 1, "next", sql};
    return migrations_count + 1;
}

static void make_archive(const char *directory)
{
    struct store *store = NULL;
    struct err err = {0};
    cr_assert(eq(int, store_open(directory, &store, &err), 0), "%s", err.text);
    cr_assert(gt(int, (int)archive_add_run(store, "older than the schema", &err), 0), "%s", err.text);
    store_close(store);
}

Test(store_migrate, versions_are_numbered_without_gaps)
{
    for (size_t i = 0; i < migrations_count; i++)
        cr_expect(eq(int, migrations[i].version, (int)i + 1), "%s", migrations[i].name);
}

Test(store_migrate, copies_the_archive_before_it_changes_the_schema)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    make_archive(scratch.path);
    char copy_name[64];
    snprintf(copy_name, sizeof copy_name, "ipclab.db.schema-%04zu", migrations_count);
    cr_assert(eq(int, access(scratch_file(&scratch, copy_name), F_OK), -1), "a new archive needs no copy");

    struct migration list[LIST_MAX];
    size_t count =
        with_one_more(list, "ALTER TABLE run ADD COLUMN mood TEXT; CREATE TABLE mood (id INTEGER);");
    struct store *store = NULL;
    struct err err = {0};
    cr_assert(eq(int, store_open_migrating(scratch.path, list, count, &store, &err), 0), "%s", err.text);
    cr_expect(eq(int, store_health(store), STORE_OK));
    struct store_run run;
    cr_assert(eq(int, store_run_get(store, 1, &run, &err), 0), "%s", err.text);
    cr_expect(eq(str, run.name, "older than the schema"));
    store_run_fini(&run);
    store_close(store);

    /* The copy is an archive of the schema before. */
    size_t length = 0;
    AUTO_FREE unsigned char *bytes = scratch_read(scratch_file(&scratch, copy_name), &length);
    AUTO(scratch_fini) struct scratch other;
    scratch_init(&other);
    scratch_write(scratch_file(&other, "ipclab.db"), bytes, length);
    cr_assert(eq(int, store_open(other.path, &store, &err), 0), "%s", err.text);
    cr_expect(eq(int, store_health(store), STORE_OK));
    archive_must_be_whole(store);
    store_close(store);
}

/* A run and a trial as the first version of the program archived them. */
static const char first_rows[] =
    "INSERT INTO run (uid, state, created_ms, trials_total, experiment_hash, name, tags, note) VALUES"
    " ('01J99999999999999999999999', 'done', 1700000000000, 1, '00112233445566778899aabbccddeeff', 'first', "
    "'[]', '');"
    "INSERT INTO run_document VALUES (1, '{}', '{}', '[]', '');"
    "INSERT INTO run_case VALUES (1, 0, 'pipe', 'round_trip', 64, 'block', 'two_cpus', 'related', 1, 1, "
    "NULL, NULL);"
    "INSERT INTO trial (run_id, case_number, sequence, attempt, done, settles, cause, started_ms, "
    "duration_ns, messages,"
    " batch, samples, system_calls, latency_p50_ns, cpu_user_ns, cpu_system_ns, voluntary_switches,"
    " involuntary_switches, minor_faults, major_faults, run_delay_ns, gap_ns_max, buffer_bytes, lost, torn, "
    "duplicated,"
    " reordered, distance, distances_ns, flags) VALUES (1, 0, 0, 1, 1, 1, '', 1700000000001, 250000000, "
    "40000, 1, 40000,"
    " 160000, 6100.5, 1, 2, 3, 4, 5, 6, 7, 8, 65536, 0, 0, 0, 0, 'C', x'', 'gap');"
    "UPDATE run SET trials_done = 1;";

static int expect_first_trial(void *context, const struct store_trial *trial)
{
    int *visits = context;
    ++*visits;
    cr_expect(epsilon_eq(dbl, trial->latency_p50_ns, 6100.5, 0));
    cr_expect(eq(i64, trial->gap_ns_max, 8));
    cr_expect(eq(int, trial->distance, DISTANCE_C));
    cr_expect(zero(i64, trial->steal_ns));
    cr_expect(isnan(trial->load) && isnan(trial->frequency_hz) && isnan(trial->achieved_hz));
    return 0;
}

Test(store_migrate, an_archive_of_the_first_schema_is_read_and_written_on)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    AUTO(text_fini) struct text sql = TEXT_EMPTY;
    text_append(&sql, migrations[0].sql);
    text_append(&sql, first_rows);
    const struct migration first = {1, migrations[0].name, text_string(&sql)};
    struct store *store = NULL;
    struct err err = {0};
    cr_assert(eq(int, store_open_migrating(scratch.path, &first, 1, &store, &err), 0), "%s", err.text);
    store_close(store);

    cr_assert(eq(int, store_open(scratch.path, &store, &err), 0), "%s", err.text);
    cr_expect(eq(int, store_health(store), STORE_OK));
    cr_expect(eq(int, access(scratch_file(&scratch, "ipclab.db.schema-0001"), F_OK), 0), "a copy was taken");
    struct store_run run;
    cr_assert(eq(int, store_run_get(store, 1, &run, &err), 0), "%s", err.text);
    cr_expect(eq(str, run.name, "first"));
    cr_expect(eq(str, run.overhead, "null"));
    store_run_fini(&run);
    int visits = 0;
    cr_expect(eq(int, store_trial_each(store, 1, 0, 0, 0, expect_first_trial, &visits, &err), 0), "%s",
              err.text);
    cr_expect(eq(int, visits, 1));
    int64_t id = archive_add_run(store, "second", &err);
    cr_assert(gt(i64, id, 1), "%s", err.text);
    AUTO(store_trial_fini) struct store_trial trial = archive_trial(id, 0, 10);
    cr_expect(eq(int, store_trial_insert(store, &trial, true, NULL, &err), 0), "%s", err.text);
    archive_must_be_whole(store);
    store_close(store);
}

Test(store_migrate, a_migration_that_fails_changes_nothing)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    make_archive(scratch.path);
    struct migration list[LIST_MAX];
    size_t count = with_one_more(list, "CREATE TABLE half (id INTEGER); DROP TABLE run_tag; this is no SQL;");
    struct store *store = NULL;
    struct err err = {0};
    cr_expect(eq(int, store_open_migrating(scratch.path, list, count, &store, &err), -EIO));
    cr_expect(ne(ptr, strstr(err.text, "next"), NULL), "%s", err.text);

    cr_assert(eq(int, store_open(scratch.path, &store, &err), 0), "%s", err.text);
    cr_expect(eq(int, store_health(store), STORE_OK), "the schema is still ours");
    archive_must_be_whole(store);
    store_close(store);
}

Test(store_migrate, reads_a_newer_schema_and_changes_nothing_in_it)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    make_archive(scratch.path);
    struct migration list[LIST_MAX];
    size_t count = with_one_more(list, "CREATE TABLE later (id INTEGER);");
    struct store *store = NULL;
    struct err err = {0};
    cr_assert(eq(int, store_open_migrating(scratch.path, list, count, &store, &err), 0), "%s", err.text);
    store_close(store);
    size_t before_length = 0, after_length = 0;
    AUTO_FREE unsigned char *before = scratch_read(scratch_file(&scratch, "ipclab.db"), &before_length);

    cr_assert(eq(int, store_open(scratch.path, &store, &err), 0), "%s", err.text);
    cr_expect(eq(int, store_health(store), STORE_READ_ONLY));
    cr_expect(ne(ptr, strstr(store_health_reason(store), "newer"), NULL));
    struct store_run run;
    cr_expect(eq(int, store_run_get(store, 1, &run, &err), 0), "%s", err.text);
    store_run_fini(&run);
    cr_expect(eq(i64, archive_add_run(store, "too late", &err), -EROFS));
    cr_expect(ne(ptr, strstr(err.text, "newer"), NULL), "%s", err.text);
    int64_t recovered = 0;
    cr_expect(eq(int, store_run_recover(store, &recovered, &err), -EROFS));
    store_close(store);
    AUTO_FREE unsigned char *after = scratch_read(scratch_file(&scratch, "ipclab.db"), &after_length);
    cr_expect(before_length == after_length && memcmp(before, after, before_length) == 0);
}

Test(store_migrate, a_copy_is_taken_while_the_archive_is_in_use)
{
    AUTO(scratch_fini) struct scratch scratch;
    AUTO(scratch_fini) struct scratch other;
    scratch_init(&scratch);
    scratch_init(&other);
    struct store *store = NULL, *copy = NULL;
    struct err err = {0};
    cr_assert(eq(int, store_open(scratch.path, &store, &err), 0), "%s", err.text);
    archive_add_run(store, "before", &err);
    cr_assert(eq(int, store_backup(store, scratch_file(&other, "ipclab.db"), &err), 0), "%s", err.text);
    archive_add_run(store, "after", &err);

    cr_assert(eq(int, store_open(other.path, &copy, &err), 0), "%s", err.text);
    struct store_run run;
    cr_expect(eq(int, store_run_get(copy, 1, &run, &err), 0), "%s", err.text);
    store_run_fini(&run);
    cr_expect(eq(int, store_run_get(copy, 2, &run, &err), -ENOENT));
    store_close(copy);

    cr_expect(eq(int, store_backup(store, scratch_file(&other, "no/such/place"), &err), -ENOENT));
    cr_expect(eq(int, store_health(store), STORE_OK), "where the copy goes is not where the archive is");
    store_close(store);
}
