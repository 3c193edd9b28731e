/* parse: a whole number that is the whole text. */
#ifndef IPCLAB_WORKERS_PARSE_H
#define IPCLAB_WORKERS_PARSE_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* Base as for strtoll (0: a prefix decides). *rest, if it is not NULL, is where the number ended; else it
 * must end with the text. 0, or -EINVAL when it is no number or not within the bounds. */
static inline int parse_integer(const char *text, int base, int64_t min, int64_t max, int64_t *value,
                                const char **rest)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, base);
    if (errno != 0 || end == text || (rest == NULL && *end != '\0') || number < min || number > max)
        return -EINVAL;
    *value = number;
    if (rest != NULL)
        *rest = end;
    return 0;
}

#endif
