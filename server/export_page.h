/* export_page: what the offline report is made of: its style, escaped text, figures with units, and charts as
 * SVG. Everything is appended to a struct text; colours follow the reader's theme, and paper.
 *
 * Text is escaped here and nowhere else: whatever comes from the archive goes through page_text. */
#ifndef IPCLAB_SERVER_EXPORT_PAGE_H
#define IPCLAB_SERVER_EXPORT_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/text.h"

extern const char page_style[];

/* The five characters that mean something, as entities; what is no text in XML is left out. */
void page_text(struct text *out, const char *text);
/* 6.1 µs; NAN is a dash. */
void page_duration(struct text *out, double ns);
/* 4.2 GB/s, 160 k/s: unit stands behind the prefix. */
void page_quantity(struct text *out, double value, const char *unit);
void page_date(struct text *out, int64_t wall_ms);

/* A row for each: a point and its interval on a logarithmic axis. */
struct page_row {
    const char *label;       /* not yet escaped */
    double value, low, high; /* low and high NAN: no interval */
    int shade;               /* 0 … PAGE_SHADES-1 */
};
enum { PAGE_SHADES = 8 };
/* unit NULL: durations in ns. */
void page_chart_rows(struct text *out, const char *title, const struct page_row *rows, size_t count,
                     const char *unit);

/* Latency by percentile: x in nines, y logarithmic. Lines end where the samples do. */
enum { PAGE_POINTS = 10 };
extern const double page_quantiles[PAGE_POINTS];
struct page_line {
    const char *label;
    double ns[PAGE_POINTS]; /* NAN from the first one on that is not supported */
    int shade;              /* -1: quiet */
};
void page_chart_percentiles(struct text *out, const char *title, const struct page_line *lines, size_t count);

#endif
