/* compare_runs: one run held against others, case by case. Archive → two samples of trials → compare.h →
 * JSON.
 *
 * Only equal cases are compared, and of them only trials whose core distance is equal: of the classes that
 * both sides have, the one with the most trials. A machine that differs in its comparable hash, or another
 * isolation, does not keep anyone from looking, which is how two kernels are compared, but from passing a
 * gate. */
#ifndef IPCLAB_SERVER_ANALYSIS_COMPARE_RUNS_H
#define IPCLAB_SERVER_ANALYSIS_COMPARE_RUNS_H

#include "common/text.h"
#include "db/store.h"

enum { COMPARE_AGAINST_MAX = 8, COMPARE_GATE_TRIALS_MIN = 8 };

struct compare_request {
    const struct store_run *base;
    const struct store_run *against; /* an array of them */
    size_t against_count;
    int statistic;     /* enum statistic, or -1: what each pattern is about */
    double max_slower; /* 0.05 = five in a hundred; NAN = no gate is asked for */
};

/* The answer of GET compare, appended to out. */
int compare_runs_write(struct store *store, const struct compare_request *request, struct text *out,
                       struct err *err);

#endif
