/* figures: short measurements for a verdict, on a machine that others use as well.
 *
 * What is compared is measured in turn, many times over, and the ratio is taken within each turn, so that
 * what slows the machine down slows both. A ratio counts as above a bound when three quarters of the turns
 * are, as below when three quarters are; otherwise the figures do not tell. */
#ifndef IPCLAB_WORKERS_CLAIMS_FIGURES_H
#define IPCLAB_WORKERS_CLAIMS_FIGURES_H

enum { FIGURES_TURNS_MAX = 32 };

struct figures {
    double values[FIGURES_TURNS_MAX];
    int count;
};

enum figures_order { FIGURES_BELOW, FIGURES_UNCLEAR, FIGURES_ABOVE };

void figures_add(struct figures *figures, double value);
double figures_median(const struct figures *figures);
/* The ratios of each turn, one to other. */
struct figures figures_ratios(const struct figures *one, const struct figures *other);
enum figures_order figures_compare(const struct figures *ratios, double bound);

#endif
