#include "server/analysis/statistic.h"

#include <math.h>

#include "server/analysis/stats.h"

#define STATISTIC_NAME(symbol, name) [symbol] = (name),
const char *const statistic_names[STATISTIC_COUNT] = {STATISTIC_WORDS(STATISTIC_NAME)};

static double quantile(const struct store_trial *trial, double q, double value)
{
    double effective = stats_effective_count(trial->samples, trial->autocorrelation);
    return stats_supports_quantile(effective, q) ? value : NAN;
}

static double per_message(const struct store_trial *trial, double total)
{
    return trial->messages > 0 ? total / (double)trial->messages : NAN;
}

double statistic_of_trial(const struct store_trial *trial, enum statistic statistic)
{
    switch (statistic) {
    case STATISTIC_P50:
        return trial->latency_p50_ns;
    case STATISTIC_P90:
        return quantile(trial, 0.9, trial->latency_p90_ns);
    case STATISTIC_P99:
        return quantile(trial, 0.99, trial->latency_p99_ns);
    case STATISTIC_P999:
        return quantile(trial, 0.999, trial->latency_p999_ns);
    case STATISTIC_MAX:
        return trial->latency_max_ns;
    case STATISTIC_MESSAGES_PER_S:
        return trial->messages_per_s;
    case STATISTIC_BYTES_PER_S:
        return trial->bytes_per_s;
    case STATISTIC_CPU_NS_PER_MESSAGE:
        return per_message(trial, (double)(trial->cpu_user_ns + trial->cpu_system_ns));
    case STATISTIC_CONTEXT_SWITCHES_PER_MESSAGE:
        return per_message(trial, (double)(trial->voluntary_switches + trial->involuntary_switches));
    case STATISTIC_SYSTEM_CALLS_PER_MESSAGE:
        return per_message(trial, (double)trial->system_calls);
    case STATISTIC_ACHIEVED_HZ:
        return trial->achieved_hz;
    case STATISTIC_COUNT:
        break;
    }
    return NAN;
}

bool statistic_higher_is_better(enum statistic statistic)
{
    return statistic == STATISTIC_MESSAGES_PER_S || statistic == STATISTIC_BYTES_PER_S ||
           statistic == STATISTIC_ACHIEVED_HZ;
}

enum statistic statistic_natural(enum pattern pattern)
{
    return pattern == PATTERN_STREAM ? STATISTIC_BYTES_PER_S : STATISTIC_P50;
}
