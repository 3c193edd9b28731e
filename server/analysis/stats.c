#include "server/analysis/stats.h"

#include <math.h>
#include <stdlib.h>

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

void stats_sort(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
}

double stats_median(const double *sorted, size_t count)
{
    if (count == 0)
        return NAN;
    if (count % 2 == 1)
        return sorted[count / 2];
    return (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static double binomial(size_t n, size_t k, double q)
{
    double ways = lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1);
    return exp(ways + (double)k * log(q) + (double)(n - k) * log1p(-q));
}

size_t stats_quantile_rank(size_t count, double q, double tail)
{
    /* Each value lies below the quantile with probability q, so the number below is binomial(n, q). The k-th
     * value lies above the quantile when fewer than k do: find the largest k with P(B < k) <= tail. */
    double below = 0;
    size_t rank = 0;
    while (rank < count && (below += binomial(count, rank, q)) <= tail)
        rank++;
    return rank;
}

size_t stats_median_rank(size_t count)
{
    return stats_quantile_rank(count, 0.5, 0.025);
}

struct stats_interval stats_median_interval(double *values, size_t count)
{
    stats_sort(values, count);
    struct stats_interval interval = {.value = stats_median(values, count), .low = NAN, .high = NAN};
    size_t rank = count >= STATS_INTERVAL_TRIALS_MIN ? stats_median_rank(count) : 0;
    if (rank > 0) {
        interval.low = values[rank - 1];
        interval.high = values[count - rank];
    }
    return interval;
}

double stats_effective_count(uint64_t count, double autocorrelation)
{
    double n = (double)count;
    if (!isfinite(autocorrelation))
        return n;
    double effective = n * (1 - autocorrelation) / (1 + autocorrelation);
    return fmax(0, fmin(n, effective));
}

bool stats_supports_quantile(double effective_count, double q)
{
    /* P(all n below the quantile) = q^n must not exceed 2.5 %: n >= ln 0.025 / ln q = 36, 72, 368, 3688,
     * 36887. */
    return effective_count >= ceil(log(0.025) / log(q));
}
