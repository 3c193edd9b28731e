/* compare_parts: what a comparison of runs consists of, between reading, judging and writing. Nobody else's.
 */
#ifndef IPCLAB_SERVER_ANALYSIS_COMPARE_PARTS_H
#define IPCLAB_SERVER_ANALYSIS_COMPARE_PARTS_H

#include "server/analysis/compare.h"
#include "server/analysis/compare_runs.h"
#include "server/analysis/figures.h"
#include "server/analysis/noise.h"

/* Why a case is not comparable. */
#define COMPARE_REASON_WORDS(WORD)                                                                           \
    WORD(COMPARE_REASON_DISTANCE, "distance") /* no trials of equal distance in both */                      \
    WORD(COMPARE_REASON_VERIFY, "verify")                                                                    \
    WORD(COMPARE_REASON_DURATION, "duration_ms")
enum compare_reason { COMPARE_REASON_WORDS(WORDS_ENUM) COMPARE_REASON_COUNT, COMPARE_REASON_NONE = -1 };
extern const char *const compare_reason_names[COMPARE_REASON_COUNT];

/* What an experiment sets beside its cases, and what of it is compared. */
struct conditions {
    char verify[8];
    int64_t duration_ms, warmup_ms;
    int64_t trials; /* of each case; shown as n, so not among the differences */
};

struct side {
    const struct store_run *run;
    struct conditions conditions;
    struct figures figures;
    struct noise noise; /* of its machine */
};

struct verdict {
    const struct side *against;
    const struct column *base;
    enum statistic statistic;
    int class_of; /* -1 = no distance that both have */
    size_t base_count, against_count;
    struct stats_interval ratio;
    double p, p_adjusted, delta, margin;
    enum compare_reason reason;
    enum compare_verdict word;
    size_t trials_needed; /* 0 = not inconclusive, or more than can be asked for */
};

/* Whether the runs' machines and isolation are alike enough for a gate; the greatest of all pairs counts. */
enum compare_machines {
    COMPARE_MACHINES_ALIKE,
    COMPARE_MACHINES_UNKNOWN, /* a run with trials does not say where they were taken */
    COMPARE_MACHINES_DIFFER,
};

/* What the base measured and a run that was to take it too did not. */
struct missing_case {
    const struct side *against;
    const struct column *base;
};

/* sides[0] is the base. */
struct comparison {
    const struct compare_request *request;
    struct side sides[1 + COMPARE_AGAINST_MAX];
    size_t side_count;
    struct verdict *verdicts;
    size_t count;
    struct missing_case missing; /* the first of them; base NULL = none */
    enum compare_machines machines;
};

#define COMPARE_GATE_WORDS(WORD)                                                                             \
    WORD(COMPARE_GATE_PASS, "pass")                                                                          \
    WORD(COMPARE_GATE_REGRESSION, "regression")                                                              \
    WORD(COMPARE_GATE_INCONCLUSIVE, "inconclusive")                                                          \
    WORD(COMPARE_GATE_NOTHING_MEASURED, "nothing_measured")                                                  \
    WORD(COMPARE_GATE_NOT_COMPARABLE, "not_comparable")
enum compare_gate_word { COMPARE_GATE_WORDS(WORDS_ENUM) COMPARE_GATE_COUNT };
extern const char *const compare_gate_names[COMPARE_GATE_COUNT];

enum { GATE_REASON_BYTES = 240 };

struct gate {
    enum compare_gate_word word;
    char reason[GATE_REASON_BYTES];
    size_t trials_needed; /* of each case in each run, when inconclusive; 0 = more than can be asked for */
};

/* compare_gate.c */
struct gate compare_gate_decide(const struct comparison *comparison);

/* compare_json.c */
int compare_write(struct store *store, const struct comparison *comparison, struct text *out,
                  struct err *err);

#endif
