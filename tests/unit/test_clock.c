#include "common/clock.h"
#include "tests/support/criterion.h"

Test(clock, rounds_to_the_nearest_millisecond)
{
    static const struct {
        int64_t ns, ms;
    } cases[] = {
        {0, 0},           {499999, 0},      {500000, 1},  {499500000, 500},
        {500897984, 501}, {499499999, 499}, {-499999, 0}, {-500000, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(eq(i64, clock_nearest_ms(cases[i].ns), cases[i].ms), "%lld", (long long)cases[i].ns);
}
