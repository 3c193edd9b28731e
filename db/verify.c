#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "db/internal.h"

enum { READ_AHEAD_BYTES = 1 << 20 };

struct verification {
    struct store *store;
    void (*report)(void *context, const char *finding);
    void *context;
    int64_t findings;
};

__attribute__((format(printf, 2, 3))) static void found(struct verification *verification, const char *format,
                                                        ...)
{
    char finding[ERR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding, sizeof finding, format, arguments);
    va_end(arguments);
    verification->findings++;
    verification->report(verification->context, finding);
}

static void check_pages(struct verification *verification, struct statement *row)
{
    AUTO_FREE char *text = read_text(row);
    if (text != NULL && strcmp(text, "ok") != 0)
        found(verification, "%s", text);
}

static void check_reference(struct verification *verification, struct statement *row)
{
    char table[32], parent[32];
    read_text_into(row, table, sizeof table);
    int64_t id = read_integer(row);
    read_text_into(row, parent, sizeof parent);
    found(verification, "%s %lld refers to a row of %s that is not there", table, (long long)id, parent);
}

static void check_counters(struct verification *verification, struct statement *row)
{
    found(verification, "the counters of run %lld do not agree with its trials",
          (long long)read_integer(row));
}

/* SQLite keeps no checksum of its own: a flipped bit inside a value passes its integrity check. */
static void check_blob(struct verification *verification, struct statement *row)
{
    struct bytes_reader reader;
    AUTO(text_fini) struct text bytes = TEXT_EMPTY;
    char kind[16];
    read_text_into(row, kind, sizeof kind);
    int64_t trial_id = read_integer(row);
    read_blob(row, &bytes);
    if (text_ok(&bytes) && !bytes_reader_open(&reader, bytes.bytes, bytes.length))
        found(verification, "the %s of trial %lld does not match its checksum", kind, (long long)trial_id);
}

static void check_trial(struct verification *verification, struct statement *row)
{
    int64_t trial_id = read_integer(row);
    found(verification, "the figures of trial %lld, of run %lld, do not match their checksum",
          (long long)trial_id, (long long)read_integer(row));
}

static void check_document(struct verification *verification, struct statement *row)
{
    char table[16];
    read_text_into(row, table, sizeof table);
    found(verification, "a document of %s %lld is no JSON", table, (long long)read_integer(row));
}

static const char pages_sql[] = "PRAGMA integrity_check";
static const char references_sql[] = "PRAGMA foreign_key_check";
/* deleted_ms = 1: what is being removed (db/retention.c). */
static const char counters_sql[] =
    "SELECT r.id FROM run r WHERE r.deleted_ms IS NOT 1 AND (r.trials_done, r.trials_failed) <>"
    " (SELECT count(*), coalesce(sum(t.done = 0), 0) FROM trial t WHERE t.run_id = r.id AND t.settles)";
static const char blobs_sql[] = "SELECT 'histogram', trial_id, bytes FROM trial_histogram"
                                " UNION ALL SELECT 'series', trial_id, bytes FROM trial_series";

static const char documents_sql[] =
    "SELECT 'machine', id FROM machine WHERE NOT json_valid(facts) UNION ALL "
    "SELECT 'run', run_id FROM run_document WHERE NOT (json_valid(experiment) AND json_valid(isolation)"
    " AND json_valid(overhead) AND json_valid(skipped)) UNION ALL "
    "SELECT 'run', id FROM run WHERE NOT json_valid(tags)";

static const struct {
    int since; /* the schema that has what is asked for */
    const char *task, *sql;
    void (*check)(struct verification *verification, struct statement *row);
} checks[] = {
    {1, "check the pages", pages_sql, check_pages},
    {1, "check the references", references_sql, check_reference},
    {1, "check the counters", counters_sql, check_counters},
    {2, "check the documents", documents_sql, check_document},
    {4, "check the checksums", trial_checksum_sql, check_trial},
    {1, "check the checksums", blobs_sql, check_blob},
};

/* Reads the file from its beginning to its end. The checks walk it table by table, which on a disk is a page
 * here and a page there; after this they find it in memory, if it has room for it: an archive of 8 GB took
 * ten times as long without. */
static int read_ahead(struct verification *verification, struct err *err)
{
    const char *path = verification->store->path;
    AUTO_FREE char *bytes = malloc(READ_AHEAD_BYTES);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (bytes == NULL || fd < 0)
        return err_errno(err, bytes == NULL ? ENOMEM : errno, "read %s", path);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    off_t at = 0;
    ssize_t got;
    while ((got = pread(fd, bytes, READ_AHEAD_BYTES, at)) > 0)
        at += got;
    if (got < 0)
        found(verification, "%s cannot be read from byte %lld on: %s", path, (long long)at, strerror(errno));
    return 0;
}

static int run_check(struct verification *verification, size_t number, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(verification->store, checks[number].task, checks[number].sql, &statement, err);
    if (rc < 0)
        return rc;
    while ((rc = statement_step(&statement, err)) > 0)
        checks[number].check(verification, &statement);
    return rc < 0 ? rc : statement_check(&statement, err);
}

int store_verify(struct store *store, void (*report)(void *context, const char *finding), void *context,
                 int64_t *findings, struct err *err)
{
    struct verification verification = {.store = store, .report = report, .context = context};
    int64_t version = 0;
    int rc = read_ahead(&verification, err);
    if (rc == 0)
        rc = connection_integer(store, "read the schema version", "PRAGMA user_version", &version, err);
    for (size_t i = 0; rc == 0 && i < sizeof checks / sizeof checks[0]; i++)
        if (checks[i].since <= version)
            rc = run_check(&verification, i, err);
    *findings = verification.findings;
    return rc < 0 ? rc : store_must_be_unchanged(store, err);
}
