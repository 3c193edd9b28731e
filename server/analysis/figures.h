/* figures: a run's trials by one statistic, a column for each case: what samples are taken from.
 *
 * Only trials of one core distance make a sample: figures of different distances are of different things. A
 * trial that moved between distances (DISTANCE_MIXED) is like no other one and belongs to no sample.
 * Threads: none; reads the archive it is given. */
#ifndef IPCLAB_SERVER_ANALYSIS_FIGURES_H
#define IPCLAB_SERVER_ANALYSIS_FIGURES_H

#include "common/case.h"
#include "db/store.h"
#include "server/analysis/statistic.h"

/* DISTANCE_WORDS and one more for trials of which none is known. */
enum { FIGURES_CLASS_UNKNOWN = DISTANCE_COUNT, FIGURES_CLASS_COUNT };

struct column {
    struct ipc_case key;
    enum statistic statistic;
    size_t count, capacity;
    struct figure {
        double value; /* above 0: ratios are taken of them */
        int class_of;
    } * figures;
};

struct figures {
    int64_t run_id;
    struct column *columns;
    size_t count;
};

/* statistic: enum statistic, or -1 for what each pattern is about. Trials without that figure are left out.
 * figures_fini whatever it returns. */
int figures_read(struct store *store, int64_t run_id, int statistic, struct figures *figures,
                 struct err *err);
void figures_fini(struct figures *figures);

/* The column of an equal case, or NULL. */
const struct column *figures_find(const struct figures *figures, const struct ipc_case *key);

size_t column_count_class(const struct column *column, int class_of);
/* The class of which the one that has least of it has most; -1 if there is none that all have. */
int column_common_class(const struct column *const *columns, size_t count);
/* Copies the values of a class, as many as column_count_class says, and answers that. */
size_t column_take_class(const struct column *column, int class_of, double *values);
/* Its name in the API, NULL for unknown. */
const char *column_class_name(int class_of);

#endif
