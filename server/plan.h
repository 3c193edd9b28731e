/* plan: in which order the trials of a run are taken.
 *
 * A run of C cases and T trials has C·T slots. They come in T rounds, each round all cases in an order of its
 * own, shuffled by the run's seed; so slow drift of the machine falls on every case alike, and neighbours
 * differ from round to round. A pure function of (seed, cases, slot): a run that was interrupted needs no
 * memory but its archive. Source: the shuffle is Fisher-Yates over splitmix64 (Steele, Lea & Flood,
 * OOPSLA'14). */
#ifndef IPCLAB_SERVER_PLAN_H
#define IPCLAB_SERVER_PLAN_H

#include <stddef.h>
#include <stdint.h>

/* Fills order[0..case_count) with the case numbers of one round. */
void plan_round(int64_t seed, uint64_t round, int *order, size_t case_count);

#endif
