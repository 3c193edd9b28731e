#include "tests/support/random.h"

#include <stdlib.h>

uint64_t random_seeded(void)
{
    const char *seed = getenv("IPCLAB_SEED");
    return (seed != NULL ? strtoull(seed, NULL, 10) : 1) * UINT64_C(0x9E3779B97F4A7C15) | 1; /* never 0 */
}

uint64_t random_below(uint64_t *state, uint64_t bound)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 11) % bound;
}
