#include "server/analysis/statistic.h"

#include <math.h>

#include "server/analysis/stats.h"

#define COMPARED_NAME(symbol, name) [symbol] = (name),
const char *const compared_names[COMPARED_COUNT] = {COMPARED_WORDS(COMPARED_NAME)};

static double quantile(const struct store_trial *trial, double q, double value)
{
    double effective = stats_effective_count(trial->samples, trial->autocorrelation);
    return stats_supports_quantile(effective, q) ? value : NAN;
}

double compared_of_trial(const struct store_trial *trial, enum compared statistic)
{
    switch (statistic) {
    case COMPARED_P50:
        return trial->latency_p50_ns;
    case COMPARED_P90:
        return quantile(trial, 0.9, trial->latency_p90_ns);
    case COMPARED_P99:
        return quantile(trial, 0.99, trial->latency_p99_ns);
    case COMPARED_P999:
        return quantile(trial, 0.999, trial->latency_p999_ns);
    case COMPARED_MAX:
        return trial->latency_max_ns;
    case COMPARED_MESSAGES_PER_S:
        return trial->messages_per_s;
    case COMPARED_BYTES_PER_S:
        return trial->bytes_per_s;
    case COMPARED_CPU_NS_PER_MESSAGE:
        return trial->messages > 0
                   ? (double)(trial->cpu_user_ns + trial->cpu_system_ns) / (double)trial->messages
                   : NAN;
    case COMPARED_COUNT:
        break;
    }
    return NAN;
}

bool compared_higher_is_better(enum compared statistic)
{
    return statistic == COMPARED_MESSAGES_PER_S || statistic == COMPARED_BYTES_PER_S;
}

enum compared compared_natural(enum pattern pattern)
{
    return pattern == PATTERN_STREAM ? COMPARED_BYTES_PER_S : COMPARED_P50;
}
