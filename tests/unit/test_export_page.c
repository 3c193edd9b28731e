/* The report's charts take any number that a bundle from elsewhere may hold. */
#include <float.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/export_page.h"
#include "tests/support/criterion.h"

/* A chart whose ticks never reach its end takes all memory: better stopped early. */
TestSuite(export_page, .timeout = 120);

static const double extremes[] = {DBL_MAX, DBL_MIN, 0x1p-1074, -1, 0, 1e30, 1e-30};

Test(export_page, rows_of_any_value_end)
{
    for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
        AUTO(text_fini) struct text out = TEXT_EMPTY;
        const struct page_row rows[] = {{.label = "odd", .value = extremes[i]},
                                        {.label = "usual", .value = 1000}};
        page_chart_rows(&out, "both", rows, 2, "B/s");
        cr_assert(ne(ptr, strstr(text_string(&out), "usual"), NULL));
        cr_expect(lt(sz, out.length, 256 * 1024), "%g takes %zu bytes", extremes[i], out.length);
    }
}

Test(export_page, lines_of_any_value_end)
{
    for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
        AUTO(text_fini) struct text out = TEXT_EMPTY;
        struct page_line lines[] = {{.label = "odd"}, {.label = "usual"}};
        for (size_t k = 0; k < PAGE_POINTS; k++) {
            lines[0].ns[k] = extremes[i];
            lines[1].ns[k] = 1000;
        }
        page_chart_percentiles(&out, "both", lines, 2);
        cr_assert(ne(ptr, strstr(text_string(&out), "usual"), NULL));
        cr_expect(lt(sz, out.length, 256 * 1024), "%g takes %zu bytes", extremes[i], out.length);
    }
}
