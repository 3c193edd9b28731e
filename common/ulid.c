#include "common/ulid.h"

#include <stdlib.h>
#include <sys/random.h>

void ulid_make(int64_t wall_ms, char ulid[ULID_BYTES])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    unsigned char random[16];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        abort(); /* 16 bytes are never cut short once the kernel is up: getrandom(2) */
    uint64_t time = (uint64_t)wall_ms;
    for (int i = 9; i >= 0; i--, time >>= 5)
        ulid[i] = digits[time & 31];
    for (int i = 0; i < 16; i++)
        ulid[10 + i] = digits[random[i] & 31];
    ulid[26] = '\0';
}
