/* store: the archive, and the only door to SQLite.
 *
 * Owns the database file DIR/ipclab.db and its one writing connection (Debian's SQLite 3.40 can lose the WAL
 * when two connections write or checkpoint; see https://sqlite.org/wal.html), and the lock DIR/lock that
 * keeps a second server out. A function that changes something has committed, and with synchronous=FULL
 * reached the disk, when it returns.
 *
 * Opening makes the directory (mode 0700) and the archive if they are not there, and brings an older schema
 * up to date after copying the file to DIR/ipclab.db.schema-NNNN.
 *
 * Errors: 0 or -errno with *err filled. -ENOENT: no such row. -ESTALE: the row has another rev. -EEXIST: it
 * is there already. -EINVAL: the archive does not take this value. -ENOSPC: the disk is full, nothing was
 * changed, reads go on working. -EROFS: the archive is open read-only (newer schema, read-only file system,
 * or after a failed fsync: a page cache that lied once is not asked again). -EBADMSG: the file is damaged.
 * -EBUSY: another program holds it for longer than a second. -ENOMEM. -EIO otherwise.
 *
 * What is archived of labs and claims stands in store_activities.h.
 *
 * Threads: none; a store belongs to the loop.
 * Units: _ms are wall-clock milliseconds since 1970, _ns durations. NAN stands for "no value" and is NULL in
 * SQL. */
#ifndef IPCLAB_DB_STORE_H
#define IPCLAB_DB_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/case.h"
#include "common/err.h"
#include "common/text.h"
#include "common/words.h"

enum {
    STORE_UID_BYTES = 27,  /* ULID, 26 characters */
    STORE_HASH_BYTES = 33, /* 32 hexadecimal digits */
    STORE_CAUSE_BYTES = 256,
    STORE_FLAGS_BYTES = 128,
    STORE_DISTANCES_MAX = 64,
    STORE_LIST_MAX = 200,
    STORE_KEY_BYTES_MAX = 255,  /* Idempotency-Key */
    STORE_NAME_BYTES_MAX = 200, /* of a run; a longer one is -EINVAL */
    STORE_CURSOR_BYTES = 320,   /* holds a name */
    STORE_ATTEMPTS_MAX = 2,     /* a slot whose trial failed is taken once more, then it stays failed */
};

struct store;

/* -EBUSY: another server holds the directory (the text names its pid). -EBADMSG: the file is damaged or no
 * ipclab archive; it is left untouched and the text says how to recover. */
int store_open(const char *directory, struct store **store, struct err *err);
void store_close(struct store *store);
/* A second connection, which cannot write or checkpoint, for a child of the server that has the archive open.
 * It takes no lock and sees what was committed. */
int store_open_reading(const char *directory, struct store **store, struct err *err);

#define STORE_HEALTH_WORDS(WORD)                                                                             \
    WORD(STORE_OK, "ok")                                                                                     \
    WORD(STORE_FULL, "full")                                                                                 \
    WORD(STORE_READ_ONLY, "read_only")                                                                       \
    WORD(STORE_BROKEN, "broken") /* an fsync failed: the server says so and ends with an error */
enum store_health { STORE_HEALTH_WORDS(WORDS_ENUM) STORE_HEALTH_COUNT };
extern const char *const store_health_names[STORE_HEALTH_COUNT];
enum store_health store_health(const struct store *store);
const char *store_health_reason(const struct store *store); /* "" when ok */

/* ---- machines ---- */

/* The fingerprint a run was taken on; rows are equal when `full` is. */
struct store_machine {
    char comparable[STORE_HASH_BYTES];
    char full[STORE_HASH_BYTES];
    char *facts; /* JSON object */
};
/* Inserts it or finds it; the row's id. */
int store_machine_put(struct store *store, const struct store_machine *machine, int64_t *id, struct err *err);
/* By its full hash. -ENOENT. Free with store_machine_fini. */
int store_machine_get(struct store *store, const char *full, struct store_machine *machine, struct err *err);
void store_machine_fini(struct store_machine *machine);

/* ---- runs ---- */

struct store_run {
    int64_t id;
    char uid[STORE_UID_BYTES];
    enum run_state state;
    int64_t created_ms, started_ms, finished_ms; /* 0 = not yet */
    int64_t trials_total, trials_done,
        trials_failed; /* slots: of the plan, settled, settled without result */
    bool pinned;
    int64_t deleted_ms; /* 0 = not deleted */
    int64_t rev;        /* counts every change */
    char experiment_hash[STORE_HASH_BYTES];
    int64_t machine_id; /* 0 = not started yet */
    char machine_comparable[STORE_HASH_BYTES], machine_full[STORE_HASH_BYTES];
    int64_t imported_ms;                              /* 0 = taken here */
    int64_t series_dropped_ms, histograms_dropped_ms; /* of its trials, by retention; 0 = not */
    /* Owned, never NULL after a read: store_run_fini. */
    char *name, *note;
    char *tags;       /* JSON array of strings */
    char *experiment; /* JSON object, canonical */
    char *isolation;  /* JSON object, "{}" before the start */
    char *overhead;   /* JSON object, what measuring costs; "null" before the start and where unknown */
    char *skipped;    /* JSON array of {mechanism, reason} */
    char *message;    /* why it failed or was interrupted, "" otherwise */
};
void store_run_fini(struct store_run *run);

/* Which mechanisms and cases a run has, for filters and for reading trials back. */
struct store_case {
    int number;
    struct ipc_case key;
};

/* A remembered Idempotency-Key. */
struct store_idempotency {
    const char *key;       /* NULL = none was sent */
    const char *body_hash; /* of the request body */
};

/* Stores a queued run with its cases, and the key with it, in one transaction; sets run->id and run->rev.
 * -EEXIST if the key is known. */
int store_run_insert(struct store *store, struct store_run *run, const struct store_case *cases,
                     size_t case_count, const struct store_idempotency *idempotency, struct err *err);
/* The run an earlier request with this key made. -ENOENT if there is none. body_hash has STORE_HASH_BYTES. */
int store_idempotency_find(struct store *store, const char *key, int64_t *run_id, char *body_hash,
                           struct err *err);

/* Deleted runs are found too; look at deleted_ms. */
int store_run_get(struct store *store, int64_t id, struct store_run *run, struct err *err);
int store_run_cases(struct store *store, int64_t id, struct store_case **cases, size_t *count,
                    struct err *err);

#define STORE_SORT_WORDS(WORD)                                                                               \
    WORD(STORE_SORT_NEWEST, "-id")                                                                           \
    WORD(STORE_SORT_OLDEST, "id")                                                                            \
    WORD(STORE_SORT_NAME, "name")
enum store_sort { STORE_SORT_WORDS(WORDS_ENUM) STORE_SORT_COUNT };
extern const char *const store_sort_names[STORE_SORT_COUNT];

/* Filters are ANDed; NULL or 0 = no filter. Deleted runs are left out. */
struct store_run_query {
    int limit; /* 1 … STORE_LIST_MAX */
    enum store_sort sort;
    const char *cursor; /* what an earlier page gave, NULL = from the start */
    int state;          /* enum run_state, or -1 */
    const char *mechanism, *tag, *machine /* comparable or full hash */, *text /* in name, note or tags */;
    int64_t since_ms, until_ms; /* created: since <= t < until */
};
struct store_run_list {
    size_t count;
    struct store_run runs[STORE_LIST_MAX];
    char next_cursor[STORE_CURSOR_BYTES]; /* "" = this was the last page */
};
/* -EINVAL for a cursor that is none. Free with store_run_list_fini. */
int store_run_list(struct store *store, const struct store_run_query *query, struct store_run_list *list,
                   struct err *err);
void store_run_list_fini(struct store_run_list *list);

/* What PATCH may change; NULL or -1 = leave. rev 0 = whatever it is. -ESTALE. */
struct store_run_patch {
    const char *name, *note, *tags /* JSON array */;
    int pinned;
};
int store_run_patch(struct store *store, int64_t id, int64_t rev, const struct store_run_patch *patch,
                    struct err *err);
/* Soft: deleted_ms is set, or 0 to restore. */
int store_run_set_deleted(struct store *store, int64_t id, int64_t deleted_ms, struct err *err);

/* The oldest queued or interrupted run, interrupted ones first: they go on before others begin. -ENOENT:
 * none. */
int store_run_next(struct store *store, int64_t *id, struct err *err);
/* How many runs wait: queued or interrupted, not deleted. */
int store_run_queued_count(struct store *store, int64_t *count, struct err *err);

/* How much of everything there is, deleted runs left out. */
struct store_counts {
    int64_t runs[RUN_STATE_COUNT];
    int64_t trials_done, trials_failed;
};
int store_count(struct store *store, struct store_counts *counts, struct err *err);

/* One state change, committed. At most one run is running (a unique partial index sees to it): -EBUSY for a
 * second one. */
struct store_run_change {
    enum run_state state;
    int64_t started_ms, finished_ms; /* 0 = leave */
    int64_t machine_id;              /* 0 = leave */
    const char *isolation;           /* NULL = leave */
    const char *overhead;            /* NULL = leave */
    const char *message;             /* NULL = leave */
};
int store_run_change(struct store *store, int64_t id, const struct store_run_change *change, struct err *err);
/* At start: what was running when the server died becomes interrupted. The number of them in *count. */
int store_run_recover(struct store *store, int64_t *count, struct err *err);

/* ---- trials ---- */

struct store_trial {
    int64_t id, run_id;
    int case_number;
    int64_t sequence; /* slot in the plan, 0 … trials_total-1 */
    int attempt;      /* 1, and 2 when the slot was taken again */
    bool done;        /* false: failed, and cause says why */
    char cause[STORE_CAUSE_BYTES];
    int64_t started_ms, duration_ns;
    uint64_t messages, batch, samples /* in the histogram */, system_calls;
    double latency_p50_ns, latency_p90_ns, latency_p99_ns, latency_p999_ns, latency_min_ns, latency_max_ns;
    double messages_per_s, bytes_per_s;
    int64_t cpu_user_ns, cpu_system_ns, voluntary_switches, involuntary_switches, minor_faults, major_faults;
    int64_t run_delay_ns, gap_ns_max, buffer_bytes;
    int64_t steal_ns;
    double load;         /* average over a minute, when the trial began; NAN = unknown */
    double frequency_hz; /* NAN = unknown */
    double achieved_hz;  /* paced, else NAN */
    double autocorrelation, drift_ratio;
    uint64_t lost, torn, duplicated, reordered;
    int distance; /* enum distance, -1 = unknown */
    size_t distance_count;
    double distance_ns[STORE_DISTANCES_MAX];
    char flags[STORE_FLAGS_BYTES]; /* words separated by spaces */
    /* Blobs with their own checksum; owned, empty = none. store_trial_fini. */
    struct text histogram, series;
};
void store_trial_fini(struct store_trial *trial);

/* Archives one trial and, in the same transaction, the run's counters and, if change is not NULL, its new
 * state. settles: this slot of the plan is settled now (done, or failed for the second time). Sets trial->id.
 * -EEXIST: this attempt of this slot is archived already; -ENOENT: no such run or case. */
int store_trial_insert(struct store *store, struct store_trial *trial, bool settles,
                       const struct store_run_change *change, struct err *err);
/* attempts[sequence] = attempts archived of that slot, bit 7 set when it is settled; count = trials_total. */
int store_trial_attempts(struct store *store, int64_t run_id, uint8_t *attempts, size_t count,
                         struct err *err);

enum store_trial_columns { STORE_TRIAL_SUMMARY = 0, STORE_TRIAL_HISTOGRAM = 1, STORE_TRIAL_SERIES = 2 };
/* Calls visit for each trial in order of id, from the first id > after_id, at most limit (0 = all); a
 * negative return stops and is returned. The trial is borrowed for the call. */
int store_trial_each(struct store *store, int64_t run_id, int64_t after_id, int64_t limit, unsigned columns,
                     int (*visit)(void *context, const struct store_trial *trial), void *context,
                     struct err *err);

/* ---- runs from elsewhere ---- */

/* A run comes in piece by piece and nobody sees it before it is complete: begin, then its trials in portions,
 * then finish or abandon. Whatever was not finished is removed by store_retain. */

/* run: everything but id, machine_id and the counters counts; machine NULL = it was never started. */
int store_import_begin(struct store *store, const struct store_run *run, const struct store_machine *machine,
                       const struct store_case *cases, size_t case_count, int64_t *id, struct err *err);
/* All of them or none. -EEXIST: an attempt of a slot stands there twice, *at is the first such trial;
 * -ENOENT: no such case. */
int store_import_trials(struct store *store, int64_t id, const struct store_trial *trials, size_t count,
                        size_t *at, struct err *err);
/* It takes its uid and is there. -EEXIST: a run with this uid is. */
int store_import_finish(struct store *store, int64_t id, const struct store_run *run, int64_t now_ms,
                        struct err *err);
int store_import_abandon(struct store *store, int64_t id, struct err *err);
/* At start: what a server left that died meanwhile is abandoned. */
int store_import_recover(struct store *store, struct err *err);
/* -ENOENT. Deleted runs are found too. */
int store_run_find(struct store *store, const char *uid, int64_t *id, struct err *err);
/* Does this attempt at this slot of the plan settle it? */
static inline bool store_trial_settles(const struct store_trial *trial)
{
    return trial->done || trial->attempt >= STORE_ATTEMPTS_MAX;
}

/* ---- retention ---- */

/* In this order: what is given up first stands first. */
enum store_retention_job {
    STORE_RETAIN_ABANDONED,  /* runs that were given up on their way in */
    STORE_RETAIN_SERIES,     /* of the trials of runs that are over */
    STORE_RETAIN_HISTOGRAMS, /* likewise */
    STORE_RETAIN_DELETED,    /* runs that were deleted go for good */
    STORE_RETAIN_TIMELINES,  /* records of attempts that are over */
    STORE_RETAIN_ATTEMPTS,   /* these attempts altogether */
    STORE_RETAIN_CHECKS,     /* of claims */
    STORE_RETAIN_COUNT
};
/* What is older than these moments is dropped; 0 = nothing. A run's age counts from when it was made, or
 * came here. Pinned runs are left alone, and so are the summaries of trials unless the run was deleted; of a
 * claim's checks on one machine the last that has a verdict, and what came after it. */
struct store_retention {
    int64_t now_ms;
    int64_t before_ms[STORE_RETAIN_COUNT]; /* by job; what was abandoned is removed in any case */
};
/* Where the work stands; all zeros to begin. */
struct store_retention_place {
    int job;
    int64_t id; /* of the run, attempt or check at hand */
    int64_t trial_id;
    int64_t finished_id; /* the job was done with this one by the last call, 0 = with none */
    int64_t finished[STORE_RETAIN_COUNT];
};
/* One portion, one transaction. 1 = there may be more, 0 = done. */
int store_retain(struct store *store, const struct store_retention *retention,
                 struct store_retention_place *place, struct err *err);

/* ---- runs of one experiment on one machine: done, not deleted, newest first ---- */

struct store_series_run {
    int64_t id, created_ms, started_ms, finished_ms, trials_done;
    char experiment_hash[STORE_HASH_BYTES];
};
/* The last of a machine, whatever they measured. runs has room for limit. */
int store_machine_recent(struct store *store, const char *machine_full, size_t limit,
                         struct store_series_run *runs, size_t *count, struct err *err);

struct store_series_query {
    const char *experiment, *machine; /* hashes; the machine's full one */
    int64_t before_id;                /* 0 = from the newest */
    size_t limit;
};
int store_series(struct store *store, const struct store_series_query *query, struct store_series_run *runs,
                 size_t *count, struct err *err);

/* An experiment of which a machine took more than one run. */
struct store_repeated {
    char experiment_hash[STORE_HASH_BYTES], machine_full[STORE_HASH_BYTES],
        machine_comparable[STORE_HASH_BYTES];
    int64_t runs, first_ms, last_ms, last_id;
    const char *name, *experiment; /* of the last run; borrowed for the call */
};
/* The one with the newest run first, from the first whose last_id < before_id (0 = all). */
int store_repeated_each(struct store *store, int64_t before_id, size_t limit,
                        int (*visit)(void *context, const struct store_repeated *repeated), void *context,
                        struct err *err);

/* ---- care ---- */

/* An archive's file, a copy say, to be looked at: nothing is written, no lock is taken, no schema is brought
 * up to date. -EBADMSG: no archive, or none that this program knows. */
int store_open_file(const char *path, struct store **store, struct err *err);

/* Consistent copy while the archive is in use (SQLite's backup API). -EBUSY, as for store_verify: a server
 * took the file up that nobody had open when store_open_file did. */
int store_backup(struct store *store, const char *path, struct err *err);
/* Puts a copy of file in the place of DIR/ipclab.db, durably, and that with its log aside: killed at any
 * moment, the next open finds either the one or the other. Of a damaged file the findings are reported, and
 * nothing is changed. -EBUSY: a server holds the directory (the text names its pid). -EBADMSG: no archive. */
struct store_restoring {
    void (*report)(void *context, const char *finding);
    void *context;
    int64_t findings; /* set: 0 = it was restored */
    char *aside;      /* set: what the archive before is called now; NULL: there was none. free() */
};
int store_restore(const char *directory, const char *file, struct store_restoring *restoring,
                  struct err *err);
/* Reads the whole archive: pages, references, counters, and the checksum of every blob, which SQLite does not
 * look into. Reports every finding in words and counts them; -EBADMSG if it cannot go on. */
int store_verify(struct store *store, void (*report)(void *context, const char *finding), void *context,
                 int64_t *findings, struct err *err);

#endif
