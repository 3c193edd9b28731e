/* random: a course of events that follows from IPCLAB_SEED (default 1), so that it can be had again.
 *
 * xorshift64 (Marsaglia 2003). Its lowest bits are its worst and are left out. */
#ifndef IPCLAB_TESTS_SUPPORT_RANDOM_H
#define IPCLAB_TESTS_SUPPORT_RANDOM_H

#include <stdint.h>

/* The state to begin with. */
uint64_t random_seeded(void);
/* 0 … bound - 1. */
uint64_t random_below(uint64_t *state, uint64_t bound);

#endif
