#include "server/analysis/change_points.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/analysis/stats.h"

void change_points_fini(struct change_points *points)
{
    free(points->items);
    *points = (struct change_points){.items = NULL};
}

/* ---- the test ---- */

static double mean_of(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return sum / (double)count;
}

static double squares_around(const double *values, size_t count, double mean)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sum;
}

/* Are the values from `first` to `index` and from there to `end` of one level? Student's t with the variance
 * of both together. */
static struct change_point test_point(const double *values, size_t first, size_t index, size_t end)
{
    size_t left = index - first, right = end - index;
    struct change_point point = {.index = index,
                                 .before = mean_of(values + first, left),
                                 .after = mean_of(values + index, right),
                                 .p = 1};
    if (left < CHANGE_POINTS_LEVEL_MIN || right < CHANGE_POINTS_LEVEL_MIN ||
        left + right < CHANGE_POINTS_LEVELS_MIN)
        return point; /* nothing says by how much values of one level may differ */
    double freedom = (double)(left + right - 2);
    double variance = (squares_around(values + first, left, point.before) +
                       squares_around(values + index, right, point.after)) /
                      freedom;
    double shift = point.after - point.before;
    if (variance > 0)
        point.p = stats_student_p(shift / sqrt(variance * (1 / (double)left + 1 / (double)right)), freedom);
    else if (fabs(shift) > 0)
        point.p = 0;
    return point;
}

/* ---- splitting ---- */

/* Distances within a window, added up so that each Q takes constant time. For the split at tau: cross[k] is
 * the sum of |z(i) - z(k)| over i < tau, before[k] the same over all i < k. */
struct window {
    const double *values;
    size_t count;
    double before[CHANGE_POINTS_WINDOW], cross[CHANGE_POINTS_WINDOW];
};

/* Twice the mean distance across, less the mean distance within each side, scaled by the sizes. */
static double energy(double between, double left_within, double right_within, double left, double right)
{
    double across = 2 * between / (left * right);
    double inside = left > 1 ? left_within / (left * (left - 1) / 2) : 0;
    inside += right > 1 ? right_within / (right * (right - 1) / 2) : 0;
    return left * right / (left + right) * (across - inside);
}

/* The split of the window with the largest Q, the right side ending wherever that is largest; 0 = none. */
static size_t find_candidate(struct window *window)
{
    const double *z = window->values;
    double best = 0, left_within = 0;
    size_t candidate = 0;
    for (size_t k = 0; k < window->count; k++) {
        window->before[k] = window->cross[k] = 0;
        for (size_t i = 0; i < k; i++)
            window->before[k] += fabs(z[i] - z[k]);
    }
    for (size_t tau = 1; tau < window->count; tau++) {
        double between = 0, right_within = 0;
        left_within += window->before[tau - 1];
        for (size_t k = tau; k < window->count; k++) {
            window->cross[k] += fabs(z[tau - 1] - z[k]);
            between += window->cross[k];
            right_within += window->before[k] - window->cross[k];
            if (tau < CHANGE_POINTS_LEVEL_MIN || k + 1 - tau < CHANGE_POINTS_LEVEL_MIN)
                continue;
            double q = energy(between, left_within, right_within, (double)tau, (double)(k + 1 - tau));
            if (q > best) {
                best = q;
                candidate = tau;
            }
        }
    }
    return candidate;
}

/* Marks the weak change points between first and end, end - first being at most a window. */
static void split(const double *values, size_t first, size_t end, bool *marks)
{
    struct window window = {.values = values + first, .count = end - first};
    size_t candidate = find_candidate(&window);
    if (candidate == 0 || test_point(values, first, first + candidate, end).p >= CHANGE_POINTS_P_WEAK)
        return;
    marks[first + candidate] = true;
    split(values, first, first + candidate, marks);
    split(values, first + candidate, end, marks);
}

static void split_windows(const double *values, size_t count, bool *marks)
{
    for (size_t start = 0, next; start < count; start = next) {
        size_t end = start + CHANGE_POINTS_WINDOW < count ? start + CHANGE_POINTS_WINDOW : count;
        split(values, start, end, marks);
        /* The next window begins at a change, if one was found in the second half: across it nothing fits. */
        next = start + CHANGE_POINTS_WINDOW / 2;
        for (size_t i = next; i < end; i++)
            if (marks[i])
                next = i;
    }
}

/* ---- merging ---- */

static void test_again(struct change_points *points, size_t at, const double *values, size_t count)
{
    size_t first = at > 0 ? points->items[at - 1].index : 0;
    size_t end = at + 1 < points->count ? points->items[at + 1].index : count;
    points->items[at] = test_point(values, first, points->items[at].index, end);
}

static double shift_of(const struct change_point *point)
{
    return fabs(point->after - point->before);
}

/* The one that has to go: the least sure, or if all are sure enough the smallest. count = none has to. */
static size_t find_weakest(const struct change_points *points, double shift_min)
{
    size_t least_sure = 0, smallest = 0;
    for (size_t i = 1; i < points->count; i++) {
        least_sure = points->items[i].p > points->items[least_sure].p ? i : least_sure;
        smallest = shift_of(&points->items[i]) < shift_of(&points->items[smallest]) ? i : smallest;
    }
    if (points->count > 0 && points->items[least_sure].p >= CHANGE_POINTS_P)
        return least_sure;
    return points->count > 0 && shift_of(&points->items[smallest]) < shift_min ? smallest : points->count;
}

static void merge(struct change_points *points, const double *values, size_t count, double shift_min)
{
    for (size_t at; (at = find_weakest(points, shift_min)) < points->count;) {
        points->count--;
        memmove(points->items + at, points->items + at + 1, (points->count - at) * sizeof *points->items);
        if (at > 0)
            test_again(points, at - 1, values, count);
        if (at < points->count)
            test_again(points, at, values, count);
    }
}

int change_points_find(const double *values, size_t count, double shift_min, struct change_points *points)
{
    *points = (struct change_points){.items = NULL};
    AUTO_FREE bool *marks = calloc(count + 1, sizeof *marks);
    if (marks == NULL)
        return -ENOMEM;
    split_windows(values, count, marks);
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += marks[i];
    points->items = calloc(found + 1, sizeof *points->items);
    if (points->items == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (marks[i])
            points->items[points->count++].index = i;
    for (size_t i = 0; i < found; i++)
        test_again(points, i, values, count);
    merge(points, values, count, shift_min);
    return 0;
}
