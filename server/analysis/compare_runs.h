/* compare_runs: one run held against others, case by case. Archive → samples of trials → compare.h → JSON.
 *
 * Only equal cases are compared, and of them only trials whose core distance is equal: of the classes that
 * both sides have, the one with the most trials. What else has to be equal is said where it is not:
 *
 * - Runs that verify messages otherwise time another loop. Their figures are shown, but no case is judged.
 * - Trials of another length have other extremes: `max` is not judged, the others are, and it is said.
 * - A machine that differs in its comparable hash, or another isolation, does not keep anyone from looking,
 *   which is how two kernels are compared, but from passing a gate.
 *
 * The margin below which a difference counts for nothing is COMPARE_CHANGE_MIN, or the noise floor of the
 * machines (noise.h) where that is known and larger. */
#ifndef IPCLAB_SERVER_ANALYSIS_COMPARE_RUNS_H
#define IPCLAB_SERVER_ANALYSIS_COMPARE_RUNS_H

#include "common/text.h"
#include "db/store.h"

/* A gate asks for so many comparable trials of each case at least, and for more where there are so many cases
 * that fewer could never make a difference significant (compare_trials_min). */
enum { COMPARE_AGAINST_MAX = 8, COMPARE_GATE_TRIALS_MIN = 8 };

struct compare_request {
    const struct store_run *base;
    const struct store_run *against; /* an array of them */
    size_t against_count;
    int statistic;     /* enum statistic, or -1: what each pattern is about */
    double max_slower; /* 0.05 = five in a hundred; NAN = no gate is asked for */
};

/* About how long the answer takes to make: the exact test is what takes time where trials are many. */
int compare_runs_estimate_ns(struct store *store, const struct compare_request *request, int64_t *estimate_ns,
                             struct err *err);
/* The answer of GET compare, appended to out. */
int compare_runs_write(struct store *store, const struct compare_request *request, struct text *out,
                       struct err *err);

#endif
