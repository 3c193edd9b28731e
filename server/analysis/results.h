/* results: a run's trials, summed up by case. One direction: archive → statistics → JSON.
 *
 * The unit is the trial: a case's value is the median over its trials of the trial's statistic, its interval
 * the distribution-free one by order statistics (stats.h); below STATS_INTERVAL_TRIALS_MIN trials there is a
 * value and no interval. A quantile that too few effective samples support is null and flagged. */
#ifndef IPCLAB_SERVER_ANALYSIS_RESULTS_H
#define IPCLAB_SERVER_ANALYSIS_RESULTS_H

#include "common/err.h"
#include "common/json.h"
#include "common/text.h"
#include "db/store.h"

/* {"run":17,"cases":[…]} as in the API, appended to out. */
int results_write(struct store *store, int64_t run_id, struct text *out, struct err *err);
/* One element of cases, for the event after a trial. */
int results_write_case(struct store *store, int64_t run_id, int case_number, struct text *out,
                       struct err *err);
/* One trial as in the API, an element of "trials". include: enum store_trial_columns. */
void results_write_trial(struct json_writer *writer, const struct store_trial *trial, unsigned include);

#endif
