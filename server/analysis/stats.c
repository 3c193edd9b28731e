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

/* ---- distributions ---- */

/* The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method: front to back,
 * with neither numerator nor denominator ever 0. It converges fast for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    enum { STEPS_MAX = 300 };
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) > tiny ? d : tiny);
    double fraction = d;
    for (int i = 1; i < STEPS_MAX; i++) {
        double m = i;
        const double terms[] = {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))};
        double before = fraction;
        for (int half = 0; half < 2; half++) {
            d = 1 + terms[half] * d;
            c = 1 + terms[half] / c;
            d = 1 / (fabs(d) > tiny ? d : tiny);
            c = fabs(c) > tiny ? c : tiny;
            fraction *= c * d;
        }
        if (fabs(fraction - before) <= 1e-15 * fabs(fraction))
            break;
    }
    return fraction;
}

/* I(x; a, b), 0 <= x <= 1. */
static double incomplete_beta(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double stats_student_p(double t, double freedom)
{
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
}

double stats_chi_square_p(double x, unsigned freedom)
{
    /* Q(a + 1, y) = Q(a, y) + y^a e^-y / Gamma(a + 1) (DLMF 8.8.6), from Q(1/2, y) = erfc(sqrt y) or
     * Q(1, y) = e^-y up. */
    double y = x / 2;
    double p = freedom % 2 == 1 ? erfc(sqrt(y)) : exp(-y);
    for (unsigned twice = 2 - freedom % 2; y > 0 && twice < freedom; twice += 2) {
        double a = (double)twice / 2;
        p += exp(a * log(y) - y - lgamma(a + 1));
    }
    return p;
}
