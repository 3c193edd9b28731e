/* Published examples, with the figures their sources print, and the corners between them. */
#include <math.h>
#include <stddef.h>

#include "server/analysis/compare.h"
#include "server/analysis/omnibus.h"
#include "tests/support/criterion.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static double p_of(const double *a, size_t a_count, const double *b, size_t b_count)
{
    double p = NAN;
    cr_assert(zero(int, compare_p(a, a_count, b, b_count, &p)));
    return p;
}

/* SciPy's documentation of mannwhitneyu. */
Test(compare, p_of_scipys_example)
{
    static const double men[] = {19, 22, 16, 29, 24}, women[] = {20, 11, 17, 12};
    cr_expect(epsilon_eq(dbl, compare_u(men, 5, women, 4), 17, 0));
    cr_expect(epsilon_eq(dbl, p_of(men, 5, women, 4), 0.1111111111111111, 1e-12));
    cr_expect(epsilon_eq(dbl, p_of(women, 4, men, 5), 0.1111111111111111, 1e-12));
}

/* Hollander & Wolfe, permeability of the placenta; R's help page of wilcox.test. */
Test(compare, shift_of_hollander_and_wolfe)
{
    static const double term[] = {.80, .83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, .73, 1.46};
    static const double early[] = {1.15, .88, .90, .74, 1.21};
    struct stats_interval shift;
    size_t rank;
    cr_assert(zero(int, compare_interval_rank(10, 5, &rank)));
    cr_expect(eq(sz, rank, 9));
    cr_assert(zero(int, compare_shift(term, 10, early, 5, &shift)));
    cr_expect(epsilon_eq(dbl, compare_u(term, 10, early, 5), 35, 0));
    cr_expect(epsilon_eq(dbl, shift.value, 0.305, 1e-9));
    cr_expect(epsilon_eq(dbl, shift.low, -0.15, 1e-9));
    cr_expect(epsilon_eq(dbl, shift.high, 0.76, 1e-9));
    cr_expect(epsilon_eq(dbl, p_of(term, 10, early, 5), 0.2544122544, 1e-9));
}

/* golang.org/x/perf, cmd/benchstat/testdata: its JSON benchmark, clearly faster … */
Test(compare, ratio_of_benchstats_json)
{
    static const double before[] = {1726, 1723, 1707, 1707, 1713, 1729, 1736, 1707, 1705, 1774};
    static const double after[] = {1423, 1416, 1411, 1413, 1412, 1426, 1422, 1424, 1447, 1425};
    struct stats_interval ratio;
    cr_assert(zero(int, compare_ratio(after, 10, before, 10, &ratio)));
    cr_expect(epsilon_eq(dbl, ratio.value, 0.826608, 5e-7));
    cr_expect(epsilon_eq(dbl, ratio.low, 0.819501, 5e-7));
    cr_expect(epsilon_eq(dbl, ratio.high, 0.833626, 5e-7));
    cr_expect(epsilon_eq(dbl, compare_delta(after, 10, before, 10), -1, 0));
    double p = p_of(after, 10, before, 10);
    cr_expect(epsilon_eq(dbl, p, 1.0825e-5, 5e-10));
    cr_expect(epsilon_eq(dbl, p, compare_p_least(10, 10), 1e-12));
    cr_expect(eq(int, compare_judge(ratio, p, compare_margin(0), false), COMPARE_FASTER));
    cr_expect(eq(int, compare_judge(ratio, p, compare_margin(0), true), COMPARE_SLOWER));
    cr_expect(eq(int, compare_judge(ratio, p, compare_margin(0.25), false), COMPARE_SAME));
}

/* … and its gob benchmark, which it prints as "~" with p = 0.446. It has ties. */
Test(compare, ratio_of_benchstats_gob)
{
    static const double before[] = {3069, 3075, 3069, 3067, 3207, 3064, 3064, 3058, 3059, 3062};
    static const double after[] = {3075, 3065, 3059, 3065, 3060, 3081, 3186, 3135, 3087, 3062};
    struct stats_interval ratio;
    cr_assert(zero(int, compare_ratio(after, 10, before, 10, &ratio)));
    cr_expect(epsilon_eq(dbl, ratio.value, 1.000980, 5e-7));
    cr_expect(epsilon_eq(dbl, ratio.low, 0.998368, 5e-7));
    cr_expect(epsilon_eq(dbl, ratio.high, 1.007507, 5e-7));
    cr_expect(epsilon_eq(dbl, compare_u(after, 10, before, 10), 60.5, 0));
    cr_expect(epsilon_eq(dbl, compare_delta(after, 10, before, 10), 0.21, 1e-12));
    double p = p_of(after, 10, before, 10);
    cr_expect(epsilon_eq(dbl, p, 0.4461018857, 1e-9));
    cr_expect(eq(int, compare_judge(ratio, p, compare_margin(0), false), COMPARE_SAME));
}

/* github.com/aclements/go-moremath, stats/utest_test.go. */
Test(compare, p_of_gos_utest)
{
    static const double a[] = {2, 1, 3, 5}, above[] = {12, 11, 13, 15}, among[] = {0, 4, 6, 7};
    cr_expect(epsilon_eq(dbl, compare_u(a, 4, above, 4), 0, 0));
    cr_expect(epsilon_eq(dbl, p_of(a, 4, above, 4), 0.0285714285714, 1e-12));
    cr_expect(epsilon_eq(dbl, compare_u(a, 4, among, 4), 5, 0));
    cr_expect(epsilon_eq(dbl, p_of(a, 4, among, 4), 0.4857142857142, 1e-12));
}

/* With ties and unequal sides the distribution is lopsided, and no book prints it: every deal by hand. */
static const double tied[] = {1, 2, 2, 2, 3, 3, 5, 8, 8};
enum { TIED = COUNT(tied), TIED_A = 3, TIED_B = TIED - TIED_A, TIED_DEALS = 1 << TIED };

/* Bit i says that tied[i] goes to a; the number that did. */
static size_t deal_out(unsigned deal, double *a, double *b)
{
    size_t a_count = 0, b_count = 0;
    for (unsigned i = 0; i < TIED; i++)
        if (deal & 1u << i)
            a[a_count++] = tied[i];
        else
            b[b_count++] = tied[i];
    return a_count;
}

Test(compare, p_is_the_share_of_all_deals)
{
    static double far_off[TIED_DEALS]; /* how far U is from its mean; -1 where the sides have other sizes */
    double a[TIED], b[TIED], p;
    for (unsigned deal = 0; deal < TIED_DEALS; deal++)
        far_off[deal] = deal_out(deal, a, b) == TIED_A
                            ? fabs(compare_u(a, TIED_A, b, TIED_B) - TIED_A * TIED_B / 2.0)
                            : -1;
    for (unsigned seen = 0; seen < TIED_DEALS; seen++) {
        size_t as_far = 0, all = 0;
        if (deal_out(seen, a, b) != TIED_A)
            continue;
        for (unsigned deal = 0; deal < TIED_DEALS; deal++) {
            all += far_off[deal] >= 0;
            as_far += far_off[deal] >= far_off[seen];
        }
        cr_assert(zero(int, compare_p(a, TIED_A, b, TIED_B, &p)));
        cr_assert(epsilon_eq(dbl, p, (double)as_far / (double)all, 1e-12), "deal %x", seen);
    }
}

Test(compare, interval_ranks_of_equal_samples)
{
    static const size_t expected[][2] = {{3, 0},  {5, 3},  {6, 6},   {7, 9},
                                         {8, 14}, {9, 18}, {10, 24}, {12, 38}};
    for (size_t i = 0; i < COUNT(expected); i++) {
        size_t rank;
        cr_assert(zero(int, compare_interval_rank(expected[i][0], expected[i][0], &rank)));
        cr_expect(eq(sz, rank, expected[i][1]), "n = %zu", expected[i][0]);
    }
}

/* Where counting ends the approximation has to go on, for the rank as for p. */
Test(compare, approximation_meets_the_exact_counts)
{
    static double a[51], b[51];
    for (int i = 0; i < 51; i++) {
        a[i] = (double)(7 * i % 51 + 10);
        b[i] = (double)(11 * i % 51);
    }
    double exact = p_of(a, 50, b, 50), approximate = p_of(a, 51, b, 51);
    cr_expect(epsilon_eq(dbl, approximate / exact, 1, 0.15), "%g, %g", exact, approximate);
    size_t exact_rank, approximate_rank;
    cr_assert(zero(int, compare_interval_rank(50, 50, &exact_rank)));
    cr_assert(zero(int, compare_interval_rank(50, 51, &approximate_rank)));
    cr_expect(ge(sz, approximate_rank, exact_rank));
    cr_expect(le(sz, approximate_rank, exact_rank + 25));
}

Test(compare, samples_that_cannot_differ)
{
    static const double same[] = {5, 5, 5, 5, 5, 5}, one[] = {7};
    static double many[60];
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = 5;
    struct stats_interval ratio;
    cr_expect(epsilon_eq(dbl, p_of(same, 6, same, 6), 1, 0));
    cr_expect(epsilon_eq(dbl, p_of(many, 60, many, 60), 1, 0));
    cr_expect(epsilon_eq(dbl, p_of(same, 6, one, 0), 1, 0));
    cr_assert(zero(int, compare_ratio(same, 6, one, 1, &ratio)));
    cr_expect(epsilon_eq(dbl, ratio.value, 5.0 / 7, 1e-12));
    cr_expect(isnan(ratio.low) && isnan(ratio.high));
    cr_expect(eq(int, compare_judge(ratio, 0, compare_margin(0), false), COMPARE_INCONCLUSIVE));
    cr_assert(zero(int, compare_ratio(same, 6, one, 0, &ratio)));
    cr_expect(isnan(ratio.value));
}

/* Benjamini & Hochberg 1995, table of the thrombolysis study. */
static const double study[] = {.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344,
                               .0459, .3240, .4262, .5719, .6528, .7590, 1};

static size_t count_found(const double *p, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += p[i] < COMPARE_ALPHA;
    return found;
}

Test(compare, adjustments_of_benjamini_and_hochbergs_study)
{
    double holm[COUNT(study)], discovery[COUNT(study)];
    for (size_t i = 0; i < COUNT(study); i++) /* backwards: the order given is not the order of size */
        holm[COUNT(study) - 1 - i] = discovery[COUNT(study) - 1 - i] = study[i];
    cr_assert(zero(int, compare_adjust_holm(holm, COUNT(study))));
    cr_assert(zero(int, compare_adjust_benjamini_hochberg(discovery, COUNT(study))));
    static const double holm_expected[] = {.0015, .0056, .0247, .114};
    static const double discovery_expected[] = {.0015, .003, .0095, .035625, .0603};
    for (size_t i = 0; i < COUNT(holm_expected); i++)
        cr_expect(epsilon_eq(dbl, holm[COUNT(study) - 1 - i], holm_expected[i], 1e-12));
    for (size_t i = 0; i < COUNT(discovery_expected); i++)
        cr_expect(epsilon_eq(dbl, discovery[COUNT(study) - 1 - i], discovery_expected[i], 1e-12));
    cr_expect(eq(sz, count_found(holm, COUNT(study)), 3));
    cr_expect(eq(sz, count_found(discovery, COUNT(study)), 4));
}

Test(compare, what_is_no_test_does_not_count_as_one)
{
    double holm[] = {NAN, .02, NAN, .04}, discovery[] = {NAN, .02, NAN, .04};
    cr_assert(zero(int, compare_adjust_holm(holm, 4)));
    cr_assert(zero(int, compare_adjust_benjamini_hochberg(discovery, 4)));
    cr_expect(isnan(holm[0]) && isnan(holm[2]) && isnan(discovery[0]) && isnan(discovery[2]));
    cr_expect(epsilon_eq(dbl, holm[1], .04, 1e-12));
    cr_expect(epsilon_eq(dbl, holm[3], .04, 1e-12));
    cr_expect(epsilon_eq(dbl, discovery[1], .04, 1e-12));
    cr_assert(zero(int, compare_adjust_holm(holm, 0)));
}

/* Eighty cells at six trials can never pass Holm, at eight they can. */
Test(compare, least_p_tells_how_many_trials_a_family_needs)
{
    cr_expect(gt(dbl, 80 * compare_p_least(6, 6), COMPARE_ALPHA));
    cr_expect(lt(dbl, 80 * compare_p_least(8, 8), COMPARE_ALPHA));
}

Test(compare, trials_go_with_the_square_of_the_precision)
{
    cr_expect(eq(sz, compare_trials_min(1), 4));
    cr_expect(eq(sz, compare_trials_min(80), 7));
    cr_expect(eq(sz, compare_trials_min(400), 9));
    const struct stats_interval wide = {.value = 1, .low = 1 / 1.08, .high = 1.08};
    cr_expect(eq(sz, compare_trials_needed(wide, 10, 10, 1.04, 1), 39), "10 * (ln 1.08 / ln 1.04)^2 = 38.5");
    cr_expect(eq(sz, compare_trials_to_judge(wide, 10, 10, 0.04, 1), 39));
    const struct stats_interval apart = {.value = 1.1, .low = 0.99, .high = 1.1 / 0.99 * 1.1};
    cr_expect(eq(sz, compare_trials_to_judge(apart, 10, 10, 0.02, 1), 13),
              "10 * (ln 1.111 / ln 1.1)^2 = 12.2");
    const struct stats_interval none = {.value = 1.1, .low = NAN, .high = NAN};
    cr_expect(eq(sz, compare_trials_to_judge(none, 3, 3, 0.02, 80), 7));
    const struct stats_interval on_the_edge = {.value = 1.0199, .low = 0.9, .high = 1.2};
    cr_expect(eq(sz, compare_trials_to_judge(on_the_edge, 10, 10, 0.02, 1), 0), "more than can be asked for");
}

/* Hollander & Wolfe, mucociliary efficiency; R's help page of kruskal.test. */
Test(omnibus, of_hollander_and_wolfe)
{
    static const double normal[] = {2.9, 3.0, 2.5, 2.6, 3.2}, obstructive[] = {3.8, 2.7, 4.0, 2.4},
                        asbestosis[] = {2.8, 3.4, 3.7, 2.2, 2.0};
    const struct sample samples[] = {{normal, 5}, {obstructive, 4}, {asbestosis, 5}};
    struct omnibus omnibus;
    cr_assert(zero(int, omnibus_test(samples, 3, &omnibus)));
    cr_expect(epsilon_eq(dbl, omnibus.h, 0.771429, 5e-7));
    cr_expect(epsilon_eq(dbl, omnibus.p, 0.679965, 5e-7));
}

/* With two samples H is the square of Mann and Whitney's z, ties and all. */
Test(omnibus, of_two_samples_is_the_test_of_ranks)
{
    static const double before[] = {3069, 3075, 3069, 3067, 3207, 3064, 3064, 3058, 3059, 3062};
    static const double after[] = {3075, 3065, 3059, 3065, 3060, 3081, 3186, 3135, 3087, 3062};
    const struct sample samples[] = {{before, 10}, {after, 10}};
    struct omnibus omnibus;
    cr_assert(zero(int, omnibus_test(samples, 2, &omnibus)));
    double ties = 6 * (8 - 2); /* six pairs */
    double z = (60.5 - 50) / sqrt(100.0 / 12 * (21 - ties / (20 * 19)));
    cr_expect(epsilon_eq(dbl, omnibus.h, z * z, 1e-9));
    cr_assert(zero(int, omnibus_test(samples, 1, &omnibus)));
    cr_expect(isnan(omnibus.h));
    const struct sample equal[] = {{(const double[]){1, 1}, 2}, {(const double[]){1}, 1}};
    cr_assert(zero(int, omnibus_test(equal, 2, &omnibus)));
    cr_expect(epsilon_eq(dbl, omnibus.p, 1, 0));
}

Test(compare, a_verdict_needs_all_three)
{
    const struct stats_interval below = {.value = 0.9, .low = 0.88, .high = 0.93};
    const struct stats_interval across = {.value = 0.9, .low = 0.7, .high = 1.01};
    const struct stats_interval slight = {.value = 0.99, .low = 0.985, .high = 0.995};
    const struct stats_interval wide = {.value = 1.01, .low = 0.97, .high = 1.06};
    cr_expect(eq(int, compare_judge(below, 0.01, 0.02, false), COMPARE_FASTER));
    cr_expect(eq(int, compare_judge(below, 0.06, 0.02, false), COMPARE_INCONCLUSIVE));
    cr_expect(eq(int, compare_judge(across, 0.01, 0.02, false), COMPARE_INCONCLUSIVE));
    cr_expect(eq(int, compare_judge(slight, 0.001, 0.02, false), COMPARE_SAME));
    cr_expect(eq(int, compare_judge(wide, 0.5, 0.02, false), COMPARE_INCONCLUSIVE));
    const struct stats_interval halved = {.value = 0.5, .low = 0.3, .high = 0.8};
    const struct stats_interval doubled = {.value = 2, .low = 1.25, .high = 1 / 0.3};
    cr_expect(eq(int, compare_judge(halved, 0.001, 0.9, true), COMPARE_SLOWER));
    cr_expect(eq(int, compare_judge(doubled, 0.001, 0.9, true), COMPARE_FASTER));
    cr_expect(eq(int, compare_judge(halved, 0.001, 1.5, true), COMPARE_INCONCLUSIVE),
              "0.3 is far from the same");
    cr_expect(eq(int, compare_judge(doubled, 0.001, 1.5, true), COMPARE_INCONCLUSIVE));
    cr_expect(eq(str, (char *)compare_verdict_names[COMPARE_NOT_COMPARABLE], "not_comparable"));
}

/* The package asht of R, quantileTest at 80 %. */
Test(stats, quantile_ranks_of_a_published_sample)
{
    static const double values[] = {-2.47946614, -1.49595963, -1.02812482, -.76592323,
                                    -.09452743,  .10732743,   .27798342,   .50173779,
                                    .57829823,   .60474948,   .94695675,   1.20159789};
    static const struct {
        double q, low, high;
    } expected[] = {{.2, -2.47946614, -.09452743}, {.5, -.76592323, .57829823}, {.8, .50173779, 1.20159789}};
    for (size_t i = 0; i < COUNT(expected); i++) {
        size_t low = stats_quantile_rank(12, expected[i].q, 0.1);
        size_t high = 13 - stats_quantile_rank(12, 1 - expected[i].q, 0.1);
        cr_expect(epsilon_eq(dbl, values[low - 1], expected[i].low, 0));
        cr_expect(epsilon_eq(dbl, values[high - 1], expected[i].high, 0));
    }
}
