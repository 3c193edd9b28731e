#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "db/internal.h"

static_assert(sizeof(double) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "distances are archived as little-endian doubles");

/* The columns that are fields of the same name, in one place: COLUMN(how it is kept, field, type). */
#define TRIAL_COLUMNS(COLUMN)                                                                                \
    COLUMN(integer, run_id, int64_t)                                                                         \
    COLUMN(integer, case_number, int)                                                                        \
    COLUMN(integer, sequence, int64_t)                                                                       \
    COLUMN(integer, attempt, int)                                                                            \
    COLUMN(integer, done, bool)                                                                              \
    COLUMN(integer, started_ms, int64_t)                                                                     \
    COLUMN(integer, duration_ns, int64_t)                                                                    \
    COLUMN(unsigned, messages, uint64_t)                                                                     \
    COLUMN(unsigned, batch, uint64_t)                                                                        \
    COLUMN(unsigned, samples, uint64_t)                                                                      \
    COLUMN(unsigned, system_calls, uint64_t)                                                                 \
    COLUMN(real, latency_p50_ns, double)                                                                     \
    COLUMN(real, latency_p90_ns, double)                                                                     \
    COLUMN(real, latency_p99_ns, double)                                                                     \
    COLUMN(real, latency_p999_ns, double)                                                                    \
    COLUMN(real, latency_min_ns, double)                                                                     \
    COLUMN(real, latency_max_ns, double)                                                                     \
    COLUMN(real, messages_per_s, double)                                                                     \
    COLUMN(real, bytes_per_s, double)                                                                        \
    COLUMN(integer, cpu_user_ns, int64_t)                                                                    \
    COLUMN(integer, cpu_system_ns, int64_t)                                                                  \
    COLUMN(integer, voluntary_switches, int64_t)                                                             \
    COLUMN(integer, involuntary_switches, int64_t)                                                           \
    COLUMN(integer, minor_faults, int64_t)                                                                   \
    COLUMN(integer, major_faults, int64_t)                                                                   \
    COLUMN(integer, run_delay_ns, int64_t)                                                                   \
    COLUMN(integer, gap_ns_max, int64_t)                                                                     \
    COLUMN(integer, buffer_bytes, int64_t)                                                                   \
    COLUMN(integer, steal_ns, int64_t)                                                                       \
    COLUMN(real, load, double)                                                                               \
    COLUMN(real, frequency_hz, double)                                                                       \
    COLUMN(real, achieved_hz, double)                                                                        \
    COLUMN(real, autocorrelation, double)                                                                    \
    COLUMN(real, drift_ratio, double)                                                                        \
    COLUMN(unsigned, lost, uint64_t)                                                                         \
    COLUMN(unsigned, torn, uint64_t)                                                                         \
    COLUMN(unsigned, duplicated, uint64_t)                                                                   \
    COLUMN(unsigned, reordered, uint64_t)

#define COLUMN_NAME(kind, field, type) #field ", "
#define COLUMN_MARK(kind, field, type) "@" #field ", "
#define COLUMN_BIND(kind, field, type) bind_##kind(&statement, trial->field);
#define COLUMN_READ(kind, field, type) trial->field = (type)read_##kind(statement);

void store_trial_fini(struct store_trial *trial)
{
    text_fini(&trial->histogram);
    text_fini(&trial->series);
}

/* ---- writing ---- */

#define OTHER_COLUMNS "settles, cause, distance, distances_ns, flags"
#define OTHER_MARKS "@settles, @cause, @distance, @distances_ns, @flags"
/* A named parameter is one, however often it stands there: the checksum is of what is bound. */
static const char trial_insert_sql[] = "INSERT INTO trial (" TRIAL_COLUMNS(COLUMN_NAME) OTHER_COLUMNS
    ", checksum) VALUES (" TRIAL_COLUMNS(COLUMN_MARK) OTHER_MARKS ", row_checksum(" TRIAL_COLUMNS(COLUMN_MARK)
        OTHER_MARKS "))";
const char trial_checksum_sql[] =
    "SELECT id, run_id FROM trial WHERE checksum <> row_checksum(" TRIAL_COLUMNS(COLUMN_NAME) OTHER_COLUMNS
    ")";
static const char histogram_insert_sql[] = "INSERT INTO trial_histogram (trial_id, bytes) VALUES (?, ?)";
static const char series_insert_sql[] = "INSERT INTO trial_series (trial_id, bytes) VALUES (?, ?)";

static int insert_row(struct store *store, const struct store_trial *trial, bool settles, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive the trial", trial_insert_sql, &statement, err);
    if (rc < 0)
        return rc;
    TRIAL_COLUMNS(COLUMN_BIND)
    bind_integer(&statement, settles);
    bind_text(&statement, trial->cause);
    bind_text(&statement, trial->distance >= 0 ? distance_names[trial->distance] : NULL);
    bind_blob(&statement, trial->distance_ns, trial->distance_count * sizeof trial->distance_ns[0]);
    bind_text(&statement, trial->flags);
    return statement_run(&statement, err);
}

static int insert_blob(struct store *store, int64_t id, const char *sql, const struct text *blob,
                       struct err *err)
{
    if (blob->length == 0)
        return 0;
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive the trial", sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, id);
    bind_blob(&statement, blob->bytes, blob->length);
    return statement_run(&statement, err);
}

static int check_trial(const struct store_trial *trial, struct err *err)
{
    bool distance_known = trial->distance >= -1 && trial->distance < DISTANCE_COUNT;
    if (distance_known && trial->distance_count <= STORE_DISTANCES_MAX)
        return 0;
    return err_set(err, EINVAL, "trial %lld of run %lld has impossible distances", (long long)trial->sequence,
                   (long long)trial->run_id);
}

int trial_insert(struct store *store, const struct store_trial *trial, bool settles, int64_t *id,
                 struct err *err)
{
    int rc = check_trial(trial, err);
    if (rc == 0)
        rc = insert_row(store, trial, settles, err);
    if (rc < 0)
        return rc;
    *id = sqlite3_last_insert_rowid(store->db);
    rc = insert_blob(store, *id, histogram_insert_sql, &trial->histogram, err);
    return rc < 0 ? rc : insert_blob(store, *id, series_insert_sql, &trial->series, err);
}

int store_trial_insert(struct store *store, struct store_trial *trial, bool settles,
                       const struct store_run_change *change, struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    int rc = transaction_begin(store, "archive the trial", &transaction, err);
    if (rc < 0)
        return rc;
    int64_t id = 0;
    rc = trial_insert(store, trial, settles, &id, err);
    if (rc == 0)
        rc = run_update(store, trial->run_id, settles, settles && !trial->done, change, err);
    if (rc == 0)
        rc = transaction_commit(&transaction, err);
    if (rc == 0)
        trial->id = id;
    return rc;
}

/* ---- reading ---- */

enum { SETTLED = 0x80 };

static const char attempts_sql[] = "SELECT sequence, settles FROM trial WHERE run_id = ? AND sequence < ?";

int store_trial_attempts(struct store *store, int64_t run_id, uint8_t *attempts, size_t count,
                         struct err *err)
{
    memset(attempts, 0, count);
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "read the run's progress", attempts_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, run_id);
    bind_integer(&statement, (int64_t)count);
    while ((rc = statement_step(&statement, err)) > 0) {
        uint8_t *slot = &attempts[read_integer(&statement)];
        if ((*slot & ~SETTLED) < SETTLED - 1)
            ++*slot;
        if (read_integer(&statement) != 0)
            *slot |= SETTLED;
    }
    return rc;
}

static const char trials_sql[] = "SELECT " TRIAL_COLUMNS(
    COLUMN_NAME) "id, cause, distance IS NOT NULL, coalesce(distance, 'same'),"
                 " distances_ns, flags,"
                 " CASE WHEN ?4 THEN (SELECT bytes FROM trial_histogram WHERE trial_id = trial.id) END,"
                 " CASE WHEN ?5 THEN (SELECT bytes FROM trial_series WHERE trial_id = trial.id) END"
                 " FROM trial WHERE run_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";

static void read_distances(struct statement *statement, struct store_trial *trial, struct text *bytes)
{
    read_blob(statement, bytes);
    size_t count = bytes->length / sizeof trial->distance_ns[0];
    trial->distance_count = count < STORE_DISTANCES_MAX ? count : STORE_DISTANCES_MAX;
    if (trial->distance_count > 0)
        memcpy(trial->distance_ns, bytes->bytes, trial->distance_count * sizeof trial->distance_ns[0]);
}

static void read_trial(struct statement *statement, struct store_trial *trial, struct text *distances)
{
    TRIAL_COLUMNS(COLUMN_READ)
    trial->id = read_integer(statement);
    read_text_into(statement, trial->cause, sizeof trial->cause);
    bool known = read_integer(statement) != 0;
    int distance = read_word(statement, distance_names, DISTANCE_COUNT);
    trial->distance = known ? distance : -1;
    read_distances(statement, trial, distances);
    read_text_into(statement, trial->flags, sizeof trial->flags);
    read_blob(statement, &trial->histogram);
    read_blob(statement, &trial->series);
}

int store_trial_each(struct store *store, int64_t run_id, int64_t after_id, int64_t limit, unsigned columns,
                     int (*visit)(void *context, const struct store_trial *trial), void *context,
                     struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "read the run's trials", trials_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, run_id);
    bind_integer(&statement, after_id);
    bind_integer(&statement, limit > 0 ? limit : -1);
    bind_integer(&statement, (columns & STORE_TRIAL_HISTOGRAM) != 0);
    bind_integer(&statement, (columns & STORE_TRIAL_SERIES) != 0);
    AUTO(store_trial_fini) struct store_trial trial = {.id = 0};
    AUTO(text_fini) struct text distances = TEXT_EMPTY;
    while ((rc = statement_step(&statement, err)) > 0) {
        read_trial(&statement, &trial, &distances);
        rc = statement_check(&statement, err);
        if (rc == 0)
            rc = visit(context, &trial);
        if (rc < 0)
            break;
    }
    return rc;
}
