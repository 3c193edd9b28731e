/* compare: are two samples of trials different, by how much, and how sure is that? Pure; the functions that
 * need memory in proportion to their input return -ENOMEM when there is none, and leave nothing behind.
 *
 * A sample holds one figure for each trial of a case, so its members are independent; single messages are
 * not. Ratios are a/b, with a the run that is looked at and b the base it is held against; every figure has
 * to be above 0. No method here assumes a normal distribution, none is thrown by one wild trial.
 *
 * Sources:
 *   J. L. Hodges & E. L. Lehmann, Estimates of Location Based on Rank Tests (1963): the shift, and through
 *     logarithms the ratio;
 *   H. B. Mann & D. R. Whitney, On a Test of whether One of Two Random Variables is Stochastically Larger
 * than the Other (1947): the recurrence that counts arrangements; M. Hollander, D. A. Wolfe & E. Chicken,
 * Nonparametric Statistical Methods, 3rd ed., §4.1-4.3: the interval by ranks, the normal approximation with
 * its correction for ties; N. Cliff, Dominance Statistics (1993); S. Holm, A Simple Sequentially Rejective
 * Multiple Test Procedure (1979); Y. Benjamini & Y. Hochberg, Controlling the False Discovery Rate (1995); T.
 * Kalibera & R. Jones, Rigorous Benchmarking in Reasonable Time, ISMM'13: an effect size with its interval
 * rather than a bare p; A. Georges et al., Statistically Rigorous Java Performance Evaluation, OOPSLA'07; A.
 * Maricq et al., Taming Performance Variability, OSDI'18. */
#ifndef IPCLAB_SERVER_ANALYSIS_COMPARE_H
#define IPCLAB_SERVER_ANALYSIS_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/analysis/stats.h"

/* Up to so many trials on each side counting is exact; beyond, the normal approximation is as good. */
enum { COMPARE_EXACT_TRIALS_MAX = 50, COMPARE_TRIALS_MIN = 4, COMPARE_TRIALS_MAX = 1000 };
#define COMPARE_ALPHA 0.05
/* A change below two in a hundred is nobody's regression, however sure it is. */
#define COMPARE_CHANGE_MIN 0.02

/* The rank k (1-based) of the lower end of the 95 % interval among the a_count * b_count sorted pairwise
 * values; the upper end has rank a_count * b_count + 1 - k. 0 if the samples are too small for one; -ENOMEM.
 */
int compare_interval_rank(size_t a_count, size_t b_count, size_t *rank);
/* By how much a lies above b: the median of all differences a(i) - b(j), with its 95 % interval (NAN where
 * there is none). */
int compare_shift(const double *a, size_t a_count, const double *b, size_t b_count,
                  struct stats_interval *shift);
/* How many times b is a: the median of all ratios a(i)/b(j), in the middle of two their geometric mean. */
int compare_ratio(const double *a, size_t a_count, const double *b, size_t b_count,
                  struct stats_interval *ratio);

/* Pairs in which a is above b, ties counted half: Mann and Whitney's U of a. */
double compare_u(const double *a, size_t a_count, const double *b, size_t b_count);
/* Cliff's delta: 1 when every a lies above every b, -1 when below, 0 when neither tends to. */
double compare_delta(const double *a, size_t a_count, const double *b, size_t b_count);
/* The two-sided p: the share of all ways to deal the pooled midranks out to the two sides whose rank sum is
 * at least as far from its mean as the one that was seen. 1 for an empty side. */
int compare_p(const double *a, size_t a_count, const double *b, size_t b_count, double *p);
/* The least p that so many trials can have at all; with Holm over `tests` comparisons it has to be below
 * COMPARE_ALPHA / tests, or no difference can ever be found. */
double compare_p_least(size_t a_count, size_t b_count);

/* How many trials of each side it takes. Below COMPARE_TRIALS_MIN there is no interval, and with Holm over
 * `tests` comparisons the least p has to stay below COMPARE_ALPHA. */
size_t compare_trials_min(size_t tests);
/* How many so that the interval ends within reach, a factor above 1, of the ratio it is around: its width
 * goes with the square root of the number, as that of any estimate by ranks does in the limit. At least
 * compare_trials_min and one more than were taken; 0 if that would be above COMPARE_TRIALS_MAX. */
size_t compare_trials_needed(struct stats_interval ratio, size_t a_count, size_t b_count, double reach,
                             size_t tests);
/* What inconclusive samples need until they are the same within the margin, or different. */
size_t compare_trials_to_judge(struct stats_interval ratio, size_t a_count, size_t b_count, double margin,
                               size_t tests);

/* Adjust the p values of one family of tests in place. NAN is no test and stays. Holm bounds the chance of
 * even one false difference and is for gates, Benjamini-Hochberg the share of false ones among the found and
 * is for looking around. */
int compare_adjust_holm(double *p, size_t count);
int compare_adjust_benjamini_hochberg(double *p, size_t count);

#define COMPARE_VERDICT_WORDS(WORD)                                                                          \
    WORD(COMPARE_FASTER, "faster")                                                                           \
    WORD(COMPARE_SLOWER, "slower")                                                                           \
    WORD(COMPARE_SAME, "same")                     /* the whole interval is within the margin */             \
    WORD(COMPARE_INCONCLUSIVE, "inconclusive")     /* neither: more trials may tell */                       \
    WORD(COMPARE_NOT_COMPARABLE, "not_comparable") /* the caller's: other distance, machine or method */
#define COMPARE_VERDICT_ENUM(symbol, name) symbol,
enum compare_verdict { COMPARE_VERDICT_WORDS(COMPARE_VERDICT_ENUM) COMPARE_VERDICT_COUNT };
extern const char *const compare_verdict_names[COMPARE_VERDICT_COUNT];

/* The margin within which two figures are the same: COMPARE_CHANGE_MIN, or the noise that runs of the same
 * experiment on the same machine show (0 or NAN if not known) where that is more. It is a share, and a factor
 * of 1 + margin in either direction, so that a verdict does not depend on which side is the base. */
double compare_margin(double noise_floor);
/* A difference needs all of: adjusted p below COMPARE_ALPHA, an interval that excludes 1, and a ratio at
 * least the margin away from 1. */
enum compare_verdict compare_judge(struct stats_interval ratio, double p_adjusted, double margin,
                                   bool higher_is_better);

#endif
