#include "workers/claims/claim.h"

#include <stddef.h>

/* By number. */
#define CLAIMS(ENTRY)                                                                                        \
    ENTRY(1)                                                                                                 \
    ENTRY(2)                                                                                                 \
    ENTRY(3)                                                                                                 \
    ENTRY(4)                                                                                                 \
    ENTRY(5)                                                                                                 \
    ENTRY(6)                                                                                                 \
    ENTRY(7)                                                                                                 \
    ENTRY(8)                                                                                                 \
    ENTRY(9)                                                                                                 \
    ENTRY(10)                                                                                                \
    ENTRY(11)                                                                                                \
    ENTRY(12)                                                                                                \
    ENTRY(13)                                                                                                \
    ENTRY(14)                                                                                                \
    ENTRY(15)                                                                                                \
    ENTRY(16)                                                                                                \
    ENTRY(17)                                                                                                \
    ENTRY(18)                                                                                                \
    ENTRY(19)                                                                                                \
    ENTRY(20)                                                                                                \
    ENTRY(21)                                                                                                \
    ENTRY(22)                                                                                                \
    ENTRY(23)                                                                                                \
    ENTRY(24)                                                                                                \
    ENTRY(25)                                                                                                \
    ENTRY(26)                                                                                                \
    ENTRY(27)                                                                                                \
    ENTRY(28)                                                                                                \
    ENTRY(29)                                                                                                \
    ENTRY(30)                                                                                                \
    ENTRY(31)                                                                                                \
    ENTRY(32)                                                                                                \
    ENTRY(33)                                                                                                \
    ENTRY(34)                                                                                                \
    ENTRY(35)                                                                                                \
    ENTRY(36)                                                                                                \
    ENTRY(37)                                                                                                \
    ENTRY(38)                                                                                                \
    ENTRY(39)                                                                                                \
    ENTRY(40)                                                                                                \
    ENTRY(41)                                                                                                \
    ENTRY(42)                                                                                                \
    ENTRY(43)                                                                                                \
    ENTRY(44)                                                                                                \
    ENTRY(45)                                                                                                \
    ENTRY(46)                                                                                                \
    ENTRY(47)                                                                                                \
    ENTRY(48)                                                                                                \
    ENTRY(49)                                                                                                \
    ENTRY(50)                                                                                                \
    ENTRY(51)                                                                                                \
    ENTRY(52)                                                                                                \
    ENTRY(53)                                                                                                \
    ENTRY(54)                                                                                                \
    ENTRY(55)                                                                                                \
    ENTRY(56)                                                                                                \
    ENTRY(57)                                                                                                \
    ENTRY(58)                                                                                                \
    ENTRY(59)                                                                                                \
    ENTRY(60)                                                                                                \
    ENTRY(61)                                                                                                \
    ENTRY(62)                                                                                                \
    ENTRY(63)                                                                                                \
    ENTRY(64)                                                                                                \
    ENTRY(65)                                                                                                \
    ENTRY(66)                                                                                                \
    ENTRY(67)                                                                                                \
    ENTRY(68)                                                                                                \
    ENTRY(69)                                                                                                \
    ENTRY(70)                                                                                                \
    ENTRY(71)                                                                                                \
    ENTRY(72)                                                                                                \
    ENTRY(73)                                                                                                \
    ENTRY(74)

#define DECLARE(number) extern const struct claim claim_##number;
#define POINT_TO(number) &claim_##number,

CLAIMS(DECLARE)

const struct claim *const claim_table[] = {CLAIMS(POINT_TO) NULL};

const struct claim *claim_find(int64_t number)
{
    for (const struct claim *const *at = claim_table; *at != NULL; at++)
        if ((*at)->number == number)
            return *at;
    return NULL;
}
