#include "server/analysis/omnibus.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "server/analysis/stats.h"

struct ranked {
    double value;
    size_t sample;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

static size_t pool(const struct sample *samples, size_t count, struct ranked *ranked)
{
    size_t all = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < samples[i].count; j++)
            ranked[all++] = (struct ranked){.value = samples[i].values[j], .sample = i};
    qsort(ranked, all, sizeof *ranked, compare_ranked);
    return all;
}

/* Adds each value's rank to its sample's sum, equal ones sharing theirs; the sum of t^3 - t over the ties. */
static double sum_ranks(const struct ranked *ranked, size_t all, double *sums)
{
    double ties = 0;
    for (size_t first = 0, next; first < all; first = next) {
        for (next = first + 1; next < all && !(ranked[next].value > ranked[first].value);)
            next++;
        double size = (double)(next - first);
        ties += size * size * size - size;
        for (size_t i = first; i < next; i++)
            sums[ranked[i].sample] += ((double)first + 1 + (double)next) / 2;
    }
    return ties;
}

int omnibus_test(const struct sample *samples, size_t count, struct omnibus *result)
{
    *result = (struct omnibus){.h = NAN, .p = NAN};
    if (count < 2)
        return 0;
    size_t all = 0;
    for (size_t i = 0; i < count; i++)
        all += samples[i].count;
    AUTO_FREE struct ranked *ranked = calloc(all, sizeof *ranked);
    AUTO_FREE double *sums = calloc(count, sizeof *sums);
    if (ranked == NULL || sums == NULL)
        return -ENOMEM;
    double ties = sum_ranks(ranked, pool(samples, count, ranked), sums);
    double n = (double)all, spread = 0;
    for (size_t i = 0; i < count; i++)
        spread += sums[i] * sums[i] / (double)samples[i].count;
    double correction = 1 - ties / (n * n * n - n);
    *result = (struct omnibus){.h = 0, .p = 1};
    if (correction > 0) {
        result->h = (12 / (n * (n + 1)) * spread - 3 * (n + 1)) / correction;
        result->p = stats_chi_square_p(result->h, (unsigned)(count - 1));
    }
    return 0;
}
