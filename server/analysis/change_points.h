/* change_points: where a series of figures, in the order they were taken, moved to another level. Pure;
 * -ENOMEM when there is no memory.
 *
 * In two steps. Splitting: in windows that overlap by half, the energy statistic Q looks for the point whose
 * two sides are most unlike each other, and if Student's t-test finds them different at CHANGE_POINTS_P_WEAK
 * the sides are split further. Merging: of the points found, the least convincing is dropped and its
 * neighbours are tested anew, until all that are left hold at CHANGE_POINTS_P and by the magnitude asked for.
 * Windows keep an early change visible however long the series grows; the weak first step keeps one weak
 * point from hiding the strong ones behind it.
 *
 * Sources: D. S. Matteson & N. A. James, A Nonparametric Approach for Multiple Change Point Analysis of
 * Multivariate Data, arXiv 1306.4933 (Q, with exponent 1); M. Fleming et al., Hunter: Using Change Point
 * Detection to Hunt for Performance Regressions, ICPE'23, arXiv 2301.03034 (t-test, windows, merging). */
#ifndef IPCLAB_SERVER_ANALYSIS_CHANGE_POINTS_H
#define IPCLAB_SERVER_ANALYSIS_CHANGE_POINTS_H

#include <stddef.h>

enum {
    CHANGE_POINTS_WINDOW = 50,
    /* Values: one that is unlike the others is an outlier until the next agrees. */
    CHANGE_POINTS_LEVEL_MIN = 2,
    /* Of both sides: with fewer the t-test believes whatever it sees. */
    CHANGE_POINTS_LEVELS_MIN = 5,
};
#define CHANGE_POINTS_P 0.001
#define CHANGE_POINTS_P_WEAK 0.01

struct change_point {
    size_t index;         /* the first value of the new level */
    double before, after; /* means of the values from the change point before to this one, and to the next */
    double p;
};

struct change_points {
    struct change_point *items;
    size_t count;
};
void change_points_fini(struct change_points *points);

/* Changes of the mean by at least shift_min. Of ratios give logarithms: a shift is then a factor. */
int change_points_find(const double *values, size_t count, double shift_min, struct change_points *points);

#endif
