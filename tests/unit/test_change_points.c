/* Published series with the change points their sources name, and the ways a series can have none. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "server/analysis/change_points.h"
#include "server/analysis/stats.h"
#include "tests/support/criterion.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void expect_points(const double *values, size_t count, double shift_min, const size_t *expected,
                          size_t expected_count)
{
    AUTO(change_points_fini) struct change_points points = {.items = NULL};
    cr_assert(zero(int, change_points_find(values, count, shift_min, &points)));
    cr_assert(eq(sz, points.count, expected_count));
    for (size_t i = 0; i < expected_count; i++) {
        cr_expect(eq(sz, points.items[i].index, expected[i]));
        cr_expect(lt(dbl, points.items[i].p, CHANGE_POINTS_P));
    }
}

/* github.com/apache/otava, tests/change_point_divisive_test.py. */
static const double otava[] = {.3,   2.4,   1.5,   -.9,   -.5,   99.7,  98.3,
                               99.1, 149.0, 149.7, 149.5, 149.1, 148.8, 150.0};

Test(change_points, of_otavas_series)
{
    expect_points(otava, COUNT(otava), 0, (const size_t[]){5, 8}, 2);
    AUTO(change_points_fini) struct change_points points = {.items = NULL};
    cr_assert(zero(int, change_points_find(otava, COUNT(otava), 0, &points)));
    cr_expect(epsilon_eq(dbl, points.items[0].before, 0.56, 1e-9));
    cr_expect(epsilon_eq(dbl, points.items[0].after, 99.0333333333, 1e-9));
    cr_expect(epsilon_eq(dbl, points.items[1].before, 99.0333333333, 1e-9));
    cr_expect(epsilon_eq(dbl, points.items[1].after, 149.35, 1e-9));
}

/* The same project's tests/analysis_test.py. */
Test(change_points, of_otavas_single_series)
{
    static const double values[] = {1.02, 0.95, 0.99, 1.00, 1.12, 0.90, 0.50, 0.51, 0.48, 0.48, 0.55};
    expect_points(values, COUNT(values), 0, (const size_t[]){6}, 1);
}

Test(change_points, a_change_that_is_too_small_is_none)
{
    expect_points(otava, COUNT(otava), 60, (const size_t[]){5}, 1);
    expect_points(otava, COUNT(otava), 1000, NULL, 0);
}

Test(change_points, few_or_equal_values_have_none)
{
    static const double equal[60] = {0}, two[] = {1, 1000}, three[] = {1, 1.5, 50};
    expect_points(equal, 60, 0, NULL, 0);
    expect_points(equal, 1, 0, NULL, 0);
    expect_points(equal, 0, 0, NULL, 0);
    expect_points(two, 2, 0, NULL, 0);
    expect_points(three, 3, 0, NULL, 0);
    /* Two that agree and one that does not are far apart by a t-test of one degree of freedom. */
    static const double agree[] = {29.9, 29.9001, 27.2}, again[] = {29.9, 29.9001, 27.2, 27.2001};
    expect_points(agree, 3, 0, NULL, 0);
    expect_points(again, 4, 0, NULL, 0);
}

Test(change_points, one_value_is_an_outlier_and_two_are_a_level)
{
    static const double values[] = {1.00, 1.01, 0.99, 1.00, 1.02, 1.50, 1.51};
    expect_points(values, 6, 0, NULL, 0);
    expect_points(values, 7, 0, (const size_t[]){5}, 1);
}

/* Between -0.5 and 0.5, the same everywhere. */
static double noise(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 40) / (double)(1 << 24) - 0.5;
}

Test(change_points, a_step_stays_where_it_is_however_long_the_series_grows)
{
    static double values[3000];
    uint64_t state = 1;
    for (size_t i = 0; i < COUNT(values); i++)
        values[i] = noise(&state) + (i < 40 || i >= 1000 ? 0 : 2) + (i >= 1010 ? 4 : 0);
    expect_points(values, 80, 1, (const size_t[]){40}, 1);
    expect_points(values, COUNT(values), 1, (const size_t[]){40, 1000, 1010}, 3);
}

Test(change_points, noise_alone_has_none)
{
    static double values[1000];
    uint64_t state = 2;
    for (size_t i = 0; i < COUNT(values); i++)
        values[i] = noise(&state);
    expect_points(values, COUNT(values), 0.25, NULL, 0);
}

/* R: 2 * pt(-2, 5), qt(.975, 10), qt(.975, 1), 2 * pt(-50, 12). */
Test(stats, p_of_students_t)
{
    cr_expect(epsilon_eq(dbl, stats_student_p(2, 5), 0.1019394788, 1e-9));
    cr_expect(epsilon_eq(dbl, stats_student_p(-2.228138852, 10), 0.05, 1e-9));
    cr_expect(epsilon_eq(dbl, stats_student_p(12.7062047364, 1), 0.05, 1e-9));
    cr_expect(epsilon_eq(dbl, stats_student_p(50, 12) / 2.686412563e-15, 1, 1e-6));
    cr_expect(epsilon_eq(dbl, stats_student_p(0, 7), 1, 0));
}

/* R: qchisq(.95, 1), qchisq(.95, 8), 1 - pchisq(.771429, 2). */
Test(stats, p_of_chi_square)
{
    cr_expect(epsilon_eq(dbl, stats_chi_square_p(3.841458821, 1), 0.05, 1e-9));
    cr_expect(epsilon_eq(dbl, stats_chi_square_p(15.50731306, 8), 0.05, 1e-9));
    cr_expect(epsilon_eq(dbl, stats_chi_square_p(0.771429, 2), 0.679965, 5e-7));
    cr_expect(epsilon_eq(dbl, stats_chi_square_p(0, 5), 1, 0));
}
