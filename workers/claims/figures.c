#include "workers/claims/figures.h"

#include <stdlib.h>

void figures_add(struct figures *figures, double value)
{
    if (figures->count < FIGURES_TURNS_MAX)
        figures->values[figures->count++] = value;
}

static int by_value(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static double quantile(struct figures figures, double share)
{
    if (figures.count == 0)
        return 0;
    qsort(figures.values, (size_t)figures.count, sizeof *figures.values, by_value);
    double place = share * (figures.count - 1);
    int below = (int)place;
    int above = below + 1 < figures.count ? below + 1 : below;
    return figures.values[below] + (place - below) * (figures.values[above] - figures.values[below]);
}

double figures_median(const struct figures *figures)
{
    return quantile(*figures, 0.5);
}

struct figures figures_ratios(const struct figures *one, const struct figures *other)
{
    struct figures ratios = {.count = 0};
    for (int i = 0; i < one->count && i < other->count; i++)
        figures_add(&ratios, one->values[i] / other->values[i]);
    return ratios;
}

enum figures_order figures_compare(const struct figures *ratios, double bound)
{
    if (quantile(*ratios, 0.25) > bound)
        return FIGURES_ABOVE;
    return quantile(*ratios, 0.75) < bound ? FIGURES_BELOW : FIGURES_UNCLEAR;
}
