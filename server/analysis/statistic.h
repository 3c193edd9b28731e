/* statistic: the figures of a trial that runs are compared by, each by its name in the API. Pure. */
#ifndef IPCLAB_SERVER_ANALYSIS_STATISTIC_H
#define IPCLAB_SERVER_ANALYSIS_STATISTIC_H

#include <stdbool.h>

#include "db/store.h"

#define COMPARED_WORDS(WORD)                                                                                 \
    WORD(COMPARED_P50, "p50")                                                                                \
    WORD(COMPARED_P90, "p90")                                                                                \
    WORD(COMPARED_P99, "p99")                                                                                \
    WORD(COMPARED_P999, "p999")                                                                              \
    WORD(COMPARED_MAX, "max")                                                                                \
    WORD(COMPARED_MESSAGES_PER_S, "messages_per_s")                                                          \
    WORD(COMPARED_BYTES_PER_S, "bytes_per_s")                                                                \
    WORD(COMPARED_CPU_NS_PER_MESSAGE, "cpu_ns_per_message")
enum compared { COMPARED_WORDS(WORDS_ENUM) COMPARED_COUNT };
extern const char *const compared_names[COMPARED_COUNT];

/* NAN where the trial has no such figure, or too few samples to support it. */
double compared_of_trial(const struct store_trial *trial, enum compared statistic);
bool compared_higher_is_better(enum compared statistic);
/* What a pattern is about: a stream its bytes per second, the others their median latency. */
enum compared compared_natural(enum pattern pattern);

#endif
