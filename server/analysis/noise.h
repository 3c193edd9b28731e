/* noise: by how much equal runs differ on a machine, so that less is not called a difference.
 *
 * Every archive holds such runs by itself: two runs of the same experiment on the same machine (equal full
 * hash), one right after the other among the runs of that experiment and begun within NOISE_GAP_MS of the
 * other's end. Nothing was meant to change between them, as in an A/A test. Of each case that both have, the
 * ratio of the two runs is taken as in a comparison (compare.h: Hodges-Lehmann, trials of one distance); its
 * distance from 1, in the direction that makes it larger, is one reading. The floor of a pattern is the 95 %
 * quantile of its readings by nearest rank, over the newest NOISE_PAIRS_MAX pairs: below 20 readings the
 * largest one. With fewer than NOISE_PAIRS_MIN pairs it is not known.
 *
 * The spread between trials of one run does not tell this: what differs from run to run (memory layout, the
 * host's other guests, temperature) is the same for all trials of a run. T. Kalibera & R. Jones, Rigorous
 * Benchmarking in Reasonable Time, ISMM'13; A. Maricq et al., Taming Performance Variability, OSDI'18;
 * A. Abedi & T. Brecht, Conducting Repeatable Experiments in Highly Variable Cloud Computing Environments,
 * ICPE'17. */
#ifndef IPCLAB_SERVER_ANALYSIS_NOISE_H
#define IPCLAB_SERVER_ANALYSIS_NOISE_H

#include "common/words.h"
#include "db/store.h"
#include "server/analysis/statistic.h"

enum { NOISE_PAIRS_MIN = 3, NOISE_PAIRS_MAX = 20, NOISE_GAP_MS = 24 * 3600 * 1000 };
#define NOISE_QUANTILE 0.95

struct noise_pairs {
    size_t count;
    int64_t trials; /* to be read for them */
    struct noise_pair {
        int64_t earlier, later;
    } pairs[NOISE_PAIRS_MAX];
};
/* The newest pairs of a machine, by its full hash, in which none of the runs in except is. */
int noise_find_pairs(struct store *store, const char *machine, const int64_t *except, size_t except_count,
                     struct noise_pairs *pairs, struct err *err);

struct noise {
    struct noise_floor {
        enum statistic statistic;
        double value; /* of |ratio - 1|; NAN = not known */
        size_t pairs, readings;
    } floors[PATTERN_COUNT];
};
/* statistic: as for figures_read. */
int noise_read(struct store *store, const struct noise_pairs *pairs, int statistic, struct noise *noise,
               struct err *err);

#endif
