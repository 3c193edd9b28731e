/* stats: the arithmetic of results. Pure, no I/O, no allocation.
 *
 * Sources: H. A. David & H. N. Nagaraja, Order Statistics, 3rd ed., §7.1 (interval of the median by ranks);
 * T. Hoefler & R. Belli, Scientific Benchmarking of Parallel Computing Systems, SC'15 (why medians and
 * intervals over repetitions); A. Abedi & T. Brecht, Conducting Repeatable Experiments, ICPE'17; the
 * distributions by the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov/8.17 and /8.8.
 */
#ifndef IPCLAB_SERVER_ANALYSIS_STATS_H
#define IPCLAB_SERVER_ANALYSIS_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fewer give no 95 % interval of a median at all. */
enum { STATS_INTERVAL_TRIALS_MIN = 6 };

struct stats_interval {
    double value;
    double low, high; /* NAN below STATS_INTERVAL_TRIALS_MIN values */
};

/* Sorts values in place, ascending. */
void stats_sort(double *values, size_t count);
/* Of sorted values; NAN when count is 0. */
double stats_median(const double *sorted, size_t count);
/* The rank k (1-based) of the largest value that lies above the quantile q with a chance of at most `tail`,
 * whatever the distribution; 0 if none does. From above, n+1 less the rank of 1-q. */
size_t stats_quantile_rank(size_t count, double q, double tail);
/* The rank k (1-based) of the lower end of the interval [x(k), x(n+1-k)] that holds the median with at least
 * 95 % confidence, whatever the distribution; 0 if there is none. */
size_t stats_median_rank(size_t count);
/* Sorts values in place. */
struct stats_interval stats_median_interval(double *values, size_t count);

/* Samples that count as independent, given the correlation of neighbours. */
double stats_effective_count(uint64_t count, double autocorrelation);
/* Do that many effective samples support the quantile q? The least number n for which a 95 % interval of q by
 * order statistics exists on both sides: n_eff 36 for 0.9, 368 for 0.99, 3688 for 0.999. */
bool stats_supports_quantile(double effective_count, double q);

/* ---- distributions ---- */

/* The two-sided p of Student's t: how often |t| is at least that large by chance. freedom > 0. */
double stats_student_p(double t, double freedom);
/* How often chi-square with so many degrees of freedom, 1 or more, is at least x by chance. */
double stats_chi_square_p(double x, unsigned freedom);

#endif
