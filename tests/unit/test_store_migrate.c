/* Schemas older and newer than the program's. */
#include <errno.h>
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
