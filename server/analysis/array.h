/* array: room for one more element at the end of a heap array that grows by doubling. */
#ifndef IPCLAB_SERVER_ANALYSIS_ARRAY_H
#define IPCLAB_SERVER_ANALYSIS_ARRAY_H

#include <stddef.h>

/* *array points to the array, or NULL before the first element; count elements are in use. -ENOMEM leaves it
 * as it is. */
int array_reserve(void *array, size_t count, size_t *capacity, size_t element_bytes);

#endif
