/* statistic: the figures of a trial, each by its name in the API: what cases are summed up and runs compared
 * by. The one place that decides whether a trial supports a quantile. Pure. */
#ifndef IPCLAB_SERVER_ANALYSIS_STATISTIC_H
#define IPCLAB_SERVER_ANALYSIS_STATISTIC_H

#include <stdbool.h>

#include "db/store.h"

#define STATISTIC_WORDS(WORD)                                                                                \
    WORD(STATISTIC_P50, "p50")                                                                               \
    WORD(STATISTIC_P90, "p90")                                                                               \
    WORD(STATISTIC_P99, "p99")                                                                               \
    WORD(STATISTIC_P999, "p999")                                                                             \
    WORD(STATISTIC_MAX, "max") /* up to here latencies */                                                    \
    WORD(STATISTIC_MESSAGES_PER_S, "messages_per_s")                                                         \
    WORD(STATISTIC_BYTES_PER_S, "bytes_per_s")                                                               \
    WORD(STATISTIC_CPU_NS_PER_MESSAGE, "cpu_ns_per_message") /* up to here what runs are compared by */      \
    WORD(STATISTIC_CONTEXT_SWITCHES_PER_MESSAGE, "context_switches_per_message")                             \
    WORD(STATISTIC_SYSTEM_CALLS_PER_MESSAGE, "system_calls_per_message")                                     \
    WORD(STATISTIC_ACHIEVED_HZ, "achieved_hz")
enum statistic {
    STATISTIC_WORDS(WORDS_ENUM) STATISTIC_COUNT,
    STATISTIC_LATENCY_COUNT = STATISTIC_MAX + 1,
    STATISTIC_COMPARED_COUNT = STATISTIC_CPU_NS_PER_MESSAGE + 1,
};
extern const char *const statistic_names[STATISTIC_COUNT];

/* NAN where the trial has no such figure, or too few effective samples to support it (stats.h). */
double statistic_of_trial(const struct store_trial *trial, enum statistic statistic);
bool statistic_higher_is_better(enum statistic statistic);
/* What a pattern is about: a stream its bytes per second, the others their median latency. */
enum statistic statistic_natural(enum pattern pattern);

#endif
