/* store_activities: the attempts at labs and the checks of claims in the archive, and the queue of both.
 *
 * They wait here until they begin, and stay with what came of them. Errors, threads and units as in store.h.
 */
#ifndef IPCLAB_DB_STORE_ACTIVITIES_H
#define IPCLAB_DB_STORE_ACTIVITIES_H

#include <stddef.h>
#include <stdint.h>

#include "db/store.h"

enum { STORE_LAB_BYTES = 32 /* name of a lab */ };

/* ---- attempts: what people try in labs ---- */

struct store_attempt {
    int64_t id;
    char uid[STORE_UID_BYTES];
    enum activity_state state;
    int64_t created_ms, started_ms, finished_ms; /* 0 = not yet */
    char lab[STORE_LAB_BYTES];
    char machine_comparable[STORE_HASH_BYTES], machine_full[STORE_HASH_BYTES]; /* "" = not started yet */
    char cause[STORE_CAUSE_BYTES];                                             /* why it failed, else "" */
    int agrees;                /* 0, 1, or -1: nothing was predicted, or nothing came out */
    int64_t record_dropped_ms; /* by retention; 0 = not */
    /* Owned, never NULL after a read: store_attempt_fini. */
    char *student, *class; /* who, and with which group; free text */
    char *kernel;          /* "" = not started yet */
    char *parameters;      /* JSON object, every parameter of the lab */
    char *prediction;      /* JSON object {answer, reason}, or null */
    char *outcome;         /* JSON, null before the end and when nothing came out */
    char *result;          /* JSON object, what the lab said at its end; null before */
};
void store_attempt_fini(struct store_attempt *attempt);

/* Stores it queued; sets id. */
int store_attempt_insert(struct store *store, struct store_attempt *attempt, struct err *err);
int store_attempt_get(struct store *store, int64_t id, struct store_attempt *attempt, struct err *err);
/* The timeline with what belongs to it, a JSON object appended to record; null while there is none. */
int store_attempt_record(struct store *store, int64_t id, struct text *record, struct err *err);
int store_attempt_begin(struct store *store, int64_t id, int64_t started_ms, int64_t machine_id,
                        struct err *err);
struct store_attempt_end {
    enum activity_state state;
    int64_t finished_ms;
    int agrees;
    const char *cause;
    const char *outcome, *result, *record; /* JSON; record NULL = none */
};
int store_attempt_end(struct store *store, int64_t id, const struct store_attempt_end *end, struct err *err);

struct store_attempt_query {
    const char *lab;
    const char *class, *student; /* NULL = any */
    int64_t like_id;             /* an attempt whose parameters they have, 0 = any */
    int64_t before_id;           /* 0 = from the newest */
    int64_t limit;
};
/* Newest first; as store_trial_each. */
int store_attempt_each(struct store *store, const struct store_attempt_query *query,
                       int (*visit)(void *context, const struct store_attempt *attempt), void *context,
                       struct err *err);
/* How often each answer was predicted, or each outcome came out, in such attempts that are done: answer is
 * JSON. The most frequent first, at most limit of them. */
enum store_answer_kind { STORE_ANSWERS_PREDICTED, STORE_ANSWERS_OBSERVED };
int store_attempt_each_answer(struct store *store, const struct store_attempt_query *query,
                              enum store_answer_kind kind,
                              int (*visit)(void *context, const char *answer, int64_t count), void *context,
                              struct err *err);

/* ---- checks of claims ---- */

struct store_check {
    int64_t id;
    char uid[STORE_UID_BYTES];
    int claim;
    enum activity_state state;
    int64_t created_ms, started_ms, finished_ms;
    char machine_comparable[STORE_HASH_BYTES], machine_full[STORE_HASH_BYTES];
    char cause[STORE_CAUSE_BYTES];
    int verdict; /* enum check_verdict, -1 unless done */
    /* Owned, never NULL after a read: store_check_fini. */
    char *kernel;
    char *result; /* JSON object, what the worker said; null before */
};
void store_check_fini(struct store_check *check);

/* Queues one check for each claim in one transaction. A claim whose check is queued already keeps that one.
 * ids gets an id for each claim. */
int store_check_insert(struct store *store, const int *claims, size_t count, int64_t created_ms, int64_t *ids,
                       struct err *err);
int store_check_get(struct store *store, int64_t id, struct store_check *check, struct err *err);
int store_check_begin(struct store *store, int64_t id, int64_t started_ms, int64_t machine_id,
                      struct err *err);
struct store_check_end {
    enum activity_state state;
    int64_t finished_ms;
    int verdict;
    const char *cause;
    const char *result; /* JSON */
};
int store_check_end(struct store *store, int64_t id, const struct store_check_end *end, struct err *err);
/* Takes in checks that another machine's server made; those whose uid is known are left as they are. The
 * number of the others in *imported. */
int store_check_import(struct store *store, const struct store_machine *machine,
                       const struct store_check *checks, size_t count, int64_t *imported, struct err *err);
/* A claim's checks, newest first. before_id 0 = from the newest. */
int store_check_each(struct store *store, int claim, int64_t before_id, int64_t limit,
                     int (*visit)(void *context, const struct store_check *check), void *context,
                     struct err *err);
/* The last check of every claim that ended, on the machine with this full hash, by claim. claim 0 = all. */
int store_check_each_latest(struct store *store, const char *machine, int claim,
                            int (*visit)(void *context, const struct store_check *check), void *context,
                            struct err *err);
/* Those that are queued or running, in the order they were asked for. */
int store_check_each_pending(struct store *store,
                             int (*visit)(void *context, const struct store_check *check), void *context,
                             struct err *err);
/* The machines that checked claims, the one that did last first. */
struct store_check_machine {
    char comparable[STORE_HASH_BYTES], full[STORE_HASH_BYTES];
    const char *facts; /* JSON object, borrowed for the call */
    int64_t claims;    /* how many it has checked */
    int64_t newest_ms;
};
int store_check_each_machine(struct store *store,
                             int (*visit)(void *context, const struct store_check_machine *machine),
                             void *context, struct err *err);

/* ---- the queue of both ---- */

enum store_activity { STORE_ATTEMPTS, STORE_CHECKS };
/* The oldest that is queued. -ENOENT: none. */
int store_activity_next(struct store *store, enum store_activity kind, int64_t *id, struct err *err);
int store_activity_queued_count(struct store *store, enum store_activity kind, int64_t *count,
                                struct err *err);
/* Ends one that has not begun. -ESTALE: it has. */
int store_activity_cancel_queued(struct store *store, enum store_activity kind, int64_t id,
                                 int64_t finished_ms, struct err *err);
/* At start: what was running when the server died has failed. The number of them in *count. */
int store_activity_recover(struct store *store, int64_t now_ms, int64_t *count, struct err *err);

#endif
