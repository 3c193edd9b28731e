#include "server/analysis/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 16 };

int array_reserve(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
    if (count < *capacity)
        return 0;
    void *elements;
    memcpy(&elements, array, sizeof elements); /* a pointer to any type of object */
    size_t wanted = *capacity > 0 ? 2 * *capacity : CAPACITY_MIN;
    void *grown = realloc(elements, wanted * element_bytes);
    if (grown == NULL)
        return -ENOMEM;
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return 0;
}
