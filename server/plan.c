#include "server/plan.h"

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

void plan_round(int64_t seed, uint64_t round, int *order, size_t case_count)
{
    uint64_t state = (uint64_t)seed;
    state = splitmix64(&state) ^ round;
    for (size_t i = 0; i < case_count; i++)
        order[i] = (int)i;
    for (size_t left = case_count; left > 1; left--) {
        size_t pick = (size_t)(splitmix64(&state) % left); /* bias below 2^-50 for any count a run may have */
        int swapped = order[left - 1];
        order[left - 1] = order[pick];
        order[pick] = swapped;
    }
}
