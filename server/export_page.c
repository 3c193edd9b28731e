#include "server/export_page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"

const char page_style[] =
    ":root{color-scheme:light dark;--page:#faf9f5;--ink:#1a2130;--quiet:#565e6c;--line:#dcd9d0;--card:#fff;"
    "--s0:#c2410c;--s1:#0f766e;--s2:#3247c5;--s3:#b01e63;--s4:#4d7c0f;--s5:#7a6200;--s6:#7559d9;--s7:#4b5563}"
    "\n"
    "@media (prefers-color-scheme:dark){:root{--page:#12151b;--ink:#e7eaef;--quiet:#9ea7b5;--line:#2b303a;"
    "--card:#1a1e26;--s0:#ff8a4c;--s1:#35cdbb;--s2:#7f9bff;--s3:#ff7fb2;--s4:#a9d84a;--s5:#e6cf4e;--s6:#"
    "b3a1ff;"
    "--s7:#b6bfcc}}\n"
    "body{margin:0 auto;padding:2rem 1.5rem;max-width:76rem;background:var(--page);color:var(--ink);"
    "font:14px/1.5 system-ui,\"Noto Sans\",\"DejaVu Sans\",sans-serif}\n"
    "h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.1rem;margin:2.5rem 0 .5rem}\n"
    "p{max-width:48rem}.quiet{color:var(--quiet)}.tag{border:1px solid var(--line);border-radius:9px;"
    "padding:0 .5em;margin-right:.4em}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "caption{text-align:left;color:var(--quiet);padding-bottom:.3rem}\n"
    "th,td{padding:.2rem .7rem .2rem 0;border-bottom:1px solid var(--line);text-align:left;"
    "vertical-align:top;white-space:nowrap}td.n,th.n{text-align:right}td.w{white-space:normal;"
    "overflow-wrap:anywhere}th.n{white-space:normal}\n"
    "figure{margin:1rem 0;padding:1rem;background:var(--card);border:1px solid "
    "var(--line);border-radius:10px}"
    "svg{display:block;width:100%;height:auto}svg text{fill:currentColor;font-size:12px}"
    "svg .q{fill:var(--quiet)}svg .g{stroke:var(--line);fill:none}figcaption{font-weight:600}\n"
    ".s0{color:var(--s0)}.s1{color:var(--s1)}.s2{color:var(--s2)}.s3{color:var(--s3)}.s4{color:var(--s4)}"
    ".s5{color:var(--s5)}.s6{color:var(--s6)}.s7{color:var(--s7)}.sq{color:var(--line)}"
    "svg .l{stroke:currentColor;fill:none;stroke-width:1.75}svg .p{fill:currentColor}\n"
    "@media print{:root{color-scheme:light;--page:#fff;--ink:#000;--quiet:#444;--line:#bbb;--card:#fff;"
    "--s0:#c2410c;--s1:#0f766e;--s2:#3247c5;--s3:#b01e63;--s4:#4d7c0f;--s5:#7a6200;--s6:#7559d9;--s7:#4b5563}"
    "@page{margin:12mm}body{padding:0;max-width:none;font-size:7pt}.scroll{overflow:visible}"
    "th,td{white-space:normal;"
    "padding-right:.4rem}figure,tr{break-inside:avoid}h2{break-after:avoid}thead{display:table-header-group}}"
    "\n";

/* ---- text ---- */

void page_text(struct text *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        static const char special[] = "&<>\"'";
        static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
        const char *found = strchr(special, *c);
        if (found != NULL)
            text_append(out, entities[found - special]);
        else if ((unsigned char)*c >= 0x20 || strchr("\t\n", *c) != NULL)
            text_append_char(out, *c);
    }
}

/* Three digits. */
static void write_scaled(struct text *out, double value, double base, const char *const *units, int count)
{
    int unit = 0;
    while (unit < count - 1 && fabs(value) >= 999.5 * base) {
        value /= 1000;
        unit++;
    }
    value /= base;
    int decimals = fabs(value) >= 99.95 ? 0 : fabs(value) >= 9.995 ? 1 : 2;
    text_printf(out, "%.*f\u00a0%s", decimals, value, units[unit]);
}

void page_duration(struct text *out, double ns)
{
    static const char *const units[] = {"ns", "\u00b5s", "ms", "s"};
    if (isfinite(ns))
        write_scaled(out, ns, 1, units, 4);
    else
        text_append(out, "\u2013");
}

void page_quantity(struct text *out, double value, const char *unit)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T"};
    if (isfinite(value)) {
        write_scaled(out, value, 1, prefixes, 5);
        text_append(out, unit);
    } else {
        text_append(out, "\u2013");
    }
}

void page_date(struct text *out, int64_t wall_ms)
{
    char date[40];
    struct tm utc;
    time_t seconds = (time_t)(wall_ms / MS_PER_S);
    if (wall_ms == 0 || gmtime_r(&seconds, &utc) == NULL) {
        text_append(out, "\u2013");
        return;
    }
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S UTC", &utc);
    text_append(out, date);
}

/* ---- charts ---- */

enum { WIDTH = 960, LABEL_WIDTH = 300, VALUE_WIDTH = 110, ROW_HEIGHT = 22, AXIS_HEIGHT = 28 };

struct axis {
    double low, high; /* values, above 0 */
    double from, to;  /* pixels */
};

/* An imported run may hold any number. Beyond these there is no next tick to go on to, or no end of them. */
#define AXIS_MIN 1e-30
#define AXIS_MAX 1e30

static void axis_take(struct axis *axis, double value)
{
    if (!(value >= AXIS_MIN && value <= AXIS_MAX))
        return;
    axis->low = fmin(axis->low, value);
    axis->high = fmax(axis->high, value);
}

/* Room at both ends; false when there is nothing to show. */
static bool axis_close(struct axis *axis)
{
    if (!(axis->high >= axis->low))
        return false;
    axis->low /= 1.15;
    axis->high *= 1.15;
    return true;
}

static double axis_at(const struct axis *axis, double value)
{
    double share = log(value / axis->low) / log(axis->high / axis->low);
    return axis->from + share * (axis->to - axis->from);
}

/* The next of 1, 2, 5, 10, … at or above the value. */
static double round_up(double value)
{
    double power = pow(10, floor(log10(value)));
    static const double steps[] = {1, 2, 5, 10};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] * power >= value * (1 - 1e-9))
            return steps[i] * power;
    return 10 * power;
}

/* Over a long axis only powers of ten. */
static double next_tick(const struct axis *axis, double tick)
{
    bool is_long = axis->high / axis->low > 2000;
    double next = round_up(tick * 1.01);
    while (is_long && fabs(log10(next) - round(log10(next))) > 1e-6)
        next = round_up(next * 1.01);
    return next;
}

static void write_figure(struct text *out, double value, const char *unit)
{
    if (unit == NULL)
        page_duration(out, value);
    else
        page_quantity(out, value, unit);
}

static void begin_chart(struct text *out, const char *title, int height)
{
    text_append(out, "<figure><figcaption>");
    page_text(out, title);
    text_printf(out, "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, height);
    page_text(out, title);
    text_append(out, "\">\n");
}

static void end_chart(struct text *out)
{
    text_append(out, "</svg></figure>\n");
}

static void write_row(struct text *out, const struct axis *axis, const struct page_row *row, int y,
                      const char *unit)
{
    text_printf(out, "<g class=\"s%d\"><text class=\"t\" x=\"0\" y=\"%d\" style=\"fill:var(--ink)\">",
                row->shade, y + 4);
    page_text(out, row->label);
    text_append(out, "</text>");
    if (row->value > 0) {
        if (row->low > 0 && row->high > 0)
            text_printf(out, "<line class=\"l\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>",
                        axis_at(axis, row->low), axis_at(axis, row->high), y, y);
        text_printf(out, "<circle class=\"p\" r=\"4\" cx=\"%.1f\" cy=\"%d\"/>", axis_at(axis, row->value), y);
    }
    text_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" style=\"fill:var(--ink)\">", WIDTH, y + 4);
    write_figure(out, row->value, unit);
    text_append(out, "</text></g>\n");
}

void page_chart_rows(struct text *out, const char *title, const struct page_row *rows, size_t count,
                     const char *unit)
{
    struct axis axis = {.low = HUGE_VAL, .high = -HUGE_VAL, .from = LABEL_WIDTH, .to = WIDTH - VALUE_WIDTH};
    for (size_t i = 0; i < count; i++) {
        axis_take(&axis, rows[i].value);
        axis_take(&axis, rows[i].low);
        axis_take(&axis, rows[i].high);
    }
    if (!axis_close(&axis))
        return;
    int bottom = (int)count * ROW_HEIGHT + 8;
    begin_chart(out, title, bottom + AXIS_HEIGHT);
    double last_x = 0, tick = round_up(axis.low);
    while (tick <= axis.high) {
        double shown = tick, x = axis_at(&axis, tick);
        tick = next_tick(&axis, tick);
        text_printf(out, "<line class=\"g\" x1=\"%.1f\" x2=\"%.1f\" y1=\"4\" y2=\"%d\"/>", x, x, bottom);
        if (x - last_x < 60)
            continue;
        last_x = x;
        text_printf(out, "<text class=\"q\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x, bottom + 18);
        write_figure(out, shown, unit);
        text_append(out, "</text>\n");
    }
    for (size_t i = 0; i < count; i++)
        write_row(out, &axis, &rows[i], (int)i * ROW_HEIGHT + ROW_HEIGHT / 2 + 4, unit);
    end_chart(out);
}

const double page_quantiles[PAGE_POINTS] = {0.5,   0.75,  0.9,    0.95,   0.99,
                                            0.995, 0.999, 0.9995, 0.9999, 0.99999};

enum { LINES_TOP = 10, LINES_BOTTOM = 330, LINES_LEFT = 70, LINES_RIGHT = 690, LEGEND_LEFT = 710 };

/* In nines: 0.9 is 1, 0.99 is 2. */
static double x_of_quantile(double q)
{
    const double most = -log10(1 - page_quantiles[PAGE_POINTS - 1]);
    return LINES_LEFT + -log10(1 - q) / most * (LINES_RIGHT - LINES_LEFT);
}

static void write_percentile_axes(struct text *out, const struct axis *y)
{
    static const struct {
        double q;
        const char *label;
    } marks[] = {{0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}, {0.9999, "p99.99"}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        double x = x_of_quantile(marks[i].q);
        text_printf(out, "<line class=\"g\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, LINES_TOP,
                    LINES_BOTTOM);
        text_printf(out, "<text class=\"q\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x,
                    LINES_BOTTOM + 18, marks[i].label);
    }
    double last = HUGE_VAL, tick = round_up(y->low);
    while (tick <= y->high) {
        double shown = tick, at = axis_at(y, tick);
        tick = next_tick(y, tick);
        text_printf(out, "<line class=\"g\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LINES_LEFT,
                    LINES_RIGHT, at, at);
        if (last - at < 16)
            continue;
        last = at;
        text_printf(out, "<text class=\"q\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LINES_LEFT - 8,
                    at + 4);
        page_duration(out, shown);
        text_append(out, "</text>\n");
    }
}

static void write_line(struct text *out, const struct axis *y, const struct page_line *line, int *legend_y)
{
    char shade[16] = "q";
    if (line->shade >= 0)
        snprintf(shade, sizeof shade, "%d", line->shade);
    text_printf(out, "<g class=\"s%s\"><title>", shade);
    page_text(out, line->label);
    text_append(out, "</title><polyline class=\"l\" points=\"");
    for (size_t i = 0; i < PAGE_POINTS && line->ns[i] > 0; i++)
        text_printf(out, "%.1f,%.1f ", x_of_quantile(page_quantiles[i]), axis_at(y, line->ns[i]));
    text_append(out, "\"/>");
    for (size_t i = 0; line->shade >= 0 && i < PAGE_POINTS && line->ns[i] > 0; i++)
        text_printf(out, "<circle class=\"p\" r=\"2.5\" cx=\"%.1f\" cy=\"%.1f\"/>",
                    x_of_quantile(page_quantiles[i]), axis_at(y, line->ns[i]));
    if (line->shade >= 0) {
        text_printf(out,
                    "<circle class=\"p\" r=\"4\" cx=\"%d\" cy=\"%d\"/><text x=\"%d\" y=\"%d\" "
                    "style=\"fill:var(--ink)\">",
                    LEGEND_LEFT, *legend_y, LEGEND_LEFT + 10, *legend_y + 4);
        page_text(out, line->label);
        text_append(out, "</text>");
        *legend_y += ROW_HEIGHT;
    }
    text_append(out, "</g>\n");
}

void page_chart_percentiles(struct text *out, const char *title, const struct page_line *lines, size_t count)
{
    struct axis y = {.low = HUGE_VAL, .high = -HUGE_VAL, .from = LINES_BOTTOM, .to = LINES_TOP};
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < PAGE_POINTS; k++)
            axis_take(&y, lines[i].ns[k]);
    if (!axis_close(&y))
        return;
    int legend_y = LINES_TOP + 8;
    begin_chart(out, title, LINES_BOTTOM + AXIS_HEIGHT);
    write_percentile_axes(out, &y);
    /* Quiet lines first, so that they lie below. */
    for (size_t i = 0; i < count; i++)
        if (lines[i].shade < 0)
            write_line(out, &y, &lines[i], &legend_y);
    for (size_t i = 0; i < count; i++)
        if (lines[i].shade >= 0)
            write_line(out, &y, &lines[i], &legend_y);
    end_chart(out);
}
