/* trends: one experiment over its runs on one machine. Archive → a series for each case → change points →
 * JSON.
 *
 * A point is a run: the median over its trials with its interval (stats.h). Trials of another core distance
 * are another series, and trials that moved between distances are in none. Change points (change_points.h)
 * are looked for in the logarithms of the values, so that a shift is a factor, and count from
 * COMPARE_CHANGE_MIN on. They are those of the runs in the answer: a page of older runs is judged by itself.
 */
#ifndef IPCLAB_SERVER_ANALYSIS_TRENDS_H
#define IPCLAB_SERVER_ANALYSIS_TRENDS_H

#include "common/text.h"
#include "db/store.h"

enum { TRENDS_RUNS_MAX = 1000, TRENDS_EXPERIMENTS_MAX = 200 };

struct trends_request {
    struct store_series_query series;
    int statistic; /* enum statistic, or -1: what each pattern is about */
    /* Only such cases; NULL, -1 or 0 = any. */
    const char *mechanism;
    int pattern;
    int64_t message_bytes;
};

/* How many trials have to be read for the answer: what it costs. */
int trends_count_trials(struct store *store, const struct trends_request *request, int64_t *trials,
                        struct err *err);
/* The answer of GET trends for one experiment, appended to out. */
int trends_write(struct store *store, const struct trends_request *request, struct text *out,
                 struct err *err);
/* Its answer for none: the experiments of which a machine took several runs, from the one whose last run is
 * before before_id (0 = all), at most limit. */
int trends_write_experiments(struct store *store, int64_t before_id, size_t limit, struct text *out,
                             struct err *err);

#endif
