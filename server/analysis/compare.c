#include "server/analysis/compare.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define COMPARE_VERDICT_NAME(symbol, name) [symbol] = (name),
const char *const compare_verdict_names[COMPARE_VERDICT_COUNT] = {
    COMPARE_VERDICT_WORDS(COMPARE_VERDICT_NAME)};

/* The point of the standard normal distribution with 2.5 % above it. */
#define NORMAL_975 1.959963984540054

static double choose(size_t n, size_t k)
{
    double ways = 1;
    for (size_t i = 1; i <= k; i++)
        ways = ways * (double)(n - k + i) / (double)i;
    return ways;
}

static bool is_exact(size_t a_count, size_t b_count)
{
    return a_count <= COMPARE_EXACT_TRIALS_MAX && b_count <= COMPARE_EXACT_TRIALS_MAX;
}

/* ---- the effect and its interval ---- */

/* Sets ways[u] to the number of arrangements of m and n distinct values in which exactly u pairs have the
 * first above the second, for u < length: r(m, n, u) = r(m, n-1, u) + r(m-1, n, u-n). Row m of the table is
 * ways of the m before; going through n in the outer loop leaves r(m, n-1, u) where r(m, n, u) is to be. */
static double *count_arrangements(size_t m, size_t n, size_t length)
{
    double *table = calloc((m + 1) * length, sizeof *table);
    if (table == NULL)
        return NULL;
    for (size_t row = 0; row <= m; row++)
        table[row * length] = 1;
    for (size_t column = 1; column <= n; column++)
        for (size_t row = 1; row <= m; row++)
            for (size_t u = column; u < length; u++)
                table[row * length + u] += table[(row - 1) * length + u - column];
    memmove(table, table + m * length, length * sizeof *table);
    return table;
}

static size_t approximate_rank(double m, double n)
{
    double rank = m * n / 2 - NORMAL_975 * sqrt(m * n * (m + n + 1) / 12);
    return rank >= 1 ? (size_t)floor(rank) : 0;
}

int compare_interval_rank(size_t a_count, size_t b_count, size_t *rank)
{
    *rank = 0;
    if (a_count == 0 || b_count == 0)
        return 0;
    if (!is_exact(a_count, b_count)) {
        *rank = approximate_rank((double)a_count, (double)b_count);
        return 0;
    }
    size_t length = a_count * b_count / 2 + 1; /* the rest mirrors it */
    AUTO_FREE double *ways = count_arrangements(a_count, b_count, length);
    if (ways == NULL)
        return -ENOMEM;
    double bound = COMPARE_ALPHA / 2 * choose(a_count + b_count, a_count);
    double below = 0;
    for (size_t u = 0; u < length; u++) {
        below += ways[u];
        if (below > bound) {
            *rank = u;
            break;
        }
    }
    return 0;
}

int compare_shift(const double *a, size_t a_count, const double *b, size_t b_count,
                  struct stats_interval *shift)
{
    *shift = (struct stats_interval){.value = NAN, .low = NAN, .high = NAN};
    size_t count = a_count * b_count;
    if (count == 0)
        return 0;
    AUTO_FREE double *differences = malloc(count * sizeof *differences);
    if (differences == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < a_count; i++)
        for (size_t j = 0; j < b_count; j++)
            differences[i * b_count + j] = a[i] - b[j];
    stats_sort(differences, count);
    size_t rank;
    int result = compare_interval_rank(a_count, b_count, &rank);
    if (result < 0)
        return result;
    shift->value = stats_median(differences, count);
    if (rank > 0) {
        shift->low = differences[rank - 1];
        shift->high = differences[count - rank];
    }
    return 0;
}

int compare_ratio(const double *a, size_t a_count, const double *b, size_t b_count,
                  struct stats_interval *ratio)
{
    *ratio = (struct stats_interval){.value = NAN, .low = NAN, .high = NAN};
    if (a_count == 0 || b_count == 0)
        return 0;
    AUTO_FREE double *logarithms = malloc((a_count + b_count) * sizeof *logarithms);
    if (logarithms == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < a_count; i++)
        logarithms[i] = log(a[i]);
    for (size_t j = 0; j < b_count; j++)
        logarithms[a_count + j] = log(b[j]);
    struct stats_interval shift;
    int result = compare_shift(logarithms, a_count, logarithms + a_count, b_count, &shift);
    if (result == 0)
        *ratio = (struct stats_interval){exp(shift.value), exp(shift.low), exp(shift.high)};
    return result;
}

double compare_u(const double *a, size_t a_count, const double *b, size_t b_count)
{
    double u = 0;
    for (size_t i = 0; i < a_count; i++)
        for (size_t j = 0; j < b_count; j++)
            u += a[i] > b[j] ? 1 : a[i] < b[j] ? 0 : 0.5;
    return u;
}

double compare_delta(const double *a, size_t a_count, const double *b, size_t b_count)
{
    return 2 * compare_u(a, a_count, b, b_count) / ((double)a_count * (double)b_count) - 1;
}

/* ---- the test ---- */

/* Both samples in one order, equal values together: what the test needs to know of them. Ranks are doubled,
 * so that the mean rank of a group of ties is a whole number. */
struct tie_group {
    size_t size;
    size_t doubled_rank; /* of each member */
};

struct pooled {
    size_t count, group_count;
    struct tie_group *groups;
};

static void pooled_fini(struct pooled *pooled)
{
    free(pooled->groups);
}

static int pool(const double *a, size_t a_count, const double *b, size_t b_count, struct pooled *pooled)
{
    size_t count = a_count + b_count;
    AUTO_FREE double *values = malloc(count * sizeof *values);
    *pooled = (struct pooled){.count = count, .groups = malloc(count * sizeof *pooled->groups)};
    if (values == NULL || pooled->groups == NULL)
        return -ENOMEM;
    memcpy(values, a, a_count * sizeof *values);
    memcpy(values + a_count, b, b_count * sizeof *values);
    stats_sort(values, count);
    for (size_t first = 0, next; first < count; first = next) {
        next = first + 1;
        while (next < count && !(values[next] > values[first]))
            next++;
        pooled->groups[pooled->group_count++] =
            (struct tie_group){.size = next - first, .doubled_rank = first + 1 + next};
    }
    return 0;
}

/* The least and the most that the doubled ranks of `count` out of the first `of` values can sum up to. */
static size_t least_sum(size_t count)
{
    return count * (count + 1);
}
static size_t most_sum(size_t count, size_t of)
{
    return count * (2 * of - count + 1);
}

/* Adds the group to the table: each way so far goes on with 1 … size members of the group dealt to a. From
 * the largest count down, so that a row that is read was not yet written for this group. dealt: the values so
 * far, this group's included; what they cannot reach is not looked at, which is most of the table. */
static void deal_group(double *ways, size_t stride, size_t count_max, const struct tie_group *group,
                       size_t dealt)
{
    for (size_t count = count_max < dealt ? count_max : dealt; count > 0; count--)
        for (size_t taken = 1; taken <= group->size && taken <= count; taken++) {
            double choices = choose(group->size, taken);
            size_t step = taken * group->doubled_rank;
            const double *from = ways + (count - taken) * stride;
            double *to = ways + count * stride;
            for (size_t sum = step + least_sum(count - taken); sum <= most_sum(count, dealt); sum++)
                to[sum] += choices * from[sum - step];
        }
}

/* ways[count * stride + sum]: the number of ways to deal out count of the values with that doubled rank sum.
 */
static int exact_p(const struct pooled *pooled, size_t a_count, double distance, double *p)
{
    size_t sum_max = most_sum(a_count, pooled->count);
    size_t stride = sum_max + 1;
    AUTO_FREE double *ways = calloc((a_count + 1) * stride, sizeof *ways);
    if (ways == NULL)
        return -ENOMEM;
    ways[0] = 1;
    for (size_t i = 0, dealt = 0; i < pooled->group_count; i++) {
        dealt += pooled->groups[i].size;
        deal_group(ways, stride, a_count, &pooled->groups[i], dealt);
    }
    double mean = (double)a_count * (double)(pooled->count + 1);
    double all = 0, far = 0;
    for (size_t sum = 0; sum <= sum_max; sum++) {
        double here = ways[a_count * stride + sum];
        all += here;
        if (fabs((double)sum - mean) >= distance)
            far += here;
    }
    *p = far / all;
    return 0;
}

static double approximate_p(const struct pooled *pooled, size_t a_count, double distance)
{
    double n = (double)pooled->count, m = (double)a_count;
    double ties = 0;
    for (size_t i = 0; i < pooled->group_count; i++) {
        double size = (double)pooled->groups[i].size;
        ties += size * size * size - size;
    }
    double variance = m * (n - m) / 12 * (n + 1 - ties / (n * (n - 1)));
    /* Doubled ranks and a step of 1 between rank sums: half a step is 1 here. */
    double z = variance > 0 ? fmax(0, distance - 1) / (2 * sqrt(variance)) : 0;
    return erfc(z / sqrt(2));
}

int compare_p(const double *a, size_t a_count, const double *b, size_t b_count, double *p)
{
    *p = 1;
    if (a_count == 0 || b_count == 0)
        return 0;
    AUTO(pooled_fini) struct pooled pooled = {.groups = NULL};
    int result = pool(a, a_count, b, b_count, &pooled);
    if (result < 0)
        return result;
    /* U lies as far from its mean as the rank sum; doubled like it, and a whole number. */
    double distance = fabs(2 * compare_u(a, a_count, b, b_count) - (double)a_count * (double)b_count);
    if (is_exact(a_count, b_count))
        return exact_p(&pooled, a_count, distance, p);
    *p = approximate_p(&pooled, a_count, distance);
    return 0;
}

double compare_p_least(size_t a_count, size_t b_count)
{
    return fmin(1, 2 / choose(a_count + b_count, a_count));
}

/* ---- how many trials ---- */

size_t compare_trials_min(size_t tests)
{
    size_t trials = COMPARE_TRIALS_MIN;
    while (compare_p_least(trials, trials) * (double)tests >= COMPARE_ALPHA)
        trials++;
    return trials;
}

size_t compare_trials_needed(struct stats_interval ratio, size_t a_count, size_t b_count, double reach,
                             size_t tests)
{
    double least = (double)compare_trials_min(tests);
    double taken = 2 * (double)a_count * (double)b_count / (double)(a_count + b_count);
    double needed = fmax(least, floor(taken) + 1);
    if (!isnan(ratio.low) && !isnan(ratio.high)) {
        double half_width = log(fmax(ratio.high / ratio.value, ratio.value / ratio.low));
        double scale = half_width / log(reach);
        needed = fmax(needed, ceil(taken * scale * scale));
    }
    return needed <= COMPARE_TRIALS_MAX ? (size_t)needed : 0;
}

size_t compare_trials_to_judge(struct stats_interval ratio, size_t a_count, size_t b_count, double margin,
                               size_t tests)
{
    double away = fmax(ratio.value, 1 / ratio.value);
    double reach = away >= 1 + margin ? away : (1 + margin) / away;
    return compare_trials_needed(ratio, a_count, b_count, reach, tests);
}

/* ---- many tests ---- */

struct ranked_p {
    double p;
    size_t at;
};

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked_p *x = left, *y = right;
    return (x->p > y->p) - (x->p < y->p);
}

/* The tests among p, from the smallest up; NULL when there is no memory. */
static struct ranked_p *rank_tests(const double *p, size_t count, size_t *tests)
{
    struct ranked_p *ranked = malloc((count > 0 ? count : 1) * sizeof *ranked);
    *tests = 0;
    if (ranked == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (!isnan(p[i]))
            ranked[(*tests)++] = (struct ranked_p){.p = p[i], .at = i};
    qsort(ranked, *tests, sizeof *ranked, compare_ranked);
    return ranked;
}

int compare_adjust_holm(double *p, size_t count)
{
    size_t tests;
    AUTO_FREE struct ranked_p *ranked = rank_tests(p, count, &tests);
    if (ranked == NULL)
        return -ENOMEM;
    double largest = 0;
    for (size_t i = 0; i < tests; i++) {
        largest = fmax(largest, fmin(1, ranked[i].p * (double)(tests - i)));
        p[ranked[i].at] = largest;
    }
    return 0;
}

int compare_adjust_benjamini_hochberg(double *p, size_t count)
{
    size_t tests;
    AUTO_FREE struct ranked_p *ranked = rank_tests(p, count, &tests);
    if (ranked == NULL)
        return -ENOMEM;
    double least = 1;
    for (size_t i = tests; i > 0; i--) {
        least = fmin(least, ranked[i - 1].p * (double)tests / (double)i);
        p[ranked[i - 1].at] = least;
    }
    return 0;
}

/* ---- the verdict ---- */

double compare_margin(double noise_floor)
{
    return fmax(COMPARE_CHANGE_MIN, noise_floor);
}

enum compare_verdict compare_judge(struct stats_interval ratio, double p_adjusted, double margin,
                                   bool higher_is_better)
{
    if (isnan(ratio.low) || isnan(ratio.high))
        return COMPARE_INCONCLUSIVE;
    bool is_sure = p_adjusted < COMPARE_ALPHA && (ratio.low > 1 || ratio.high < 1);
    if (is_sure && fmax(ratio.value, 1 / ratio.value) >= 1 + margin)
        return (ratio.value > 1) == higher_is_better ? COMPARE_FASTER : COMPARE_SLOWER;
    return ratio.low >= 1 / (1 + margin) && ratio.high <= 1 + margin ? COMPARE_SAME : COMPARE_INCONCLUSIVE;
}
