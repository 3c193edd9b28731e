/* omnibus: do several samples differ at all? Asked before looking at pairs of them: one test where pairs
 * would be many. Pure.
 *
 * Source: W. H. Kruskal & W. A. Wallis, Use of Ranks in One-Criterion Variance Analysis (1952), with midranks
 * and the correction for ties; p by chi-square, which is near enough from about five values in each sample.
 */
#ifndef IPCLAB_SERVER_ANALYSIS_OMNIBUS_H
#define IPCLAB_SERVER_ANALYSIS_OMNIBUS_H

#include <stddef.h>

struct sample {
    const double *values;
    size_t count; /* at least 1 */
};

struct omnibus {
    double h, p; /* NAN for fewer than two samples; h = 0, p = 1 when all values are equal */
};

/* 0 or -ENOMEM. */
int omnibus_test(const struct sample *samples, size_t count, struct omnibus *result);

#endif
