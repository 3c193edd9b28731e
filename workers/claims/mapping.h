/* mapping: a file of an experiment and its mappings. */
#ifndef IPCLAB_WORKERS_CLAIMS_MAPPING_H
#define IPCLAB_WORKERS_CLAIMS_MAPPING_H

#include <stddef.h>

#include "workers/claims/check.h"

void mapping_path(const struct check *check, char *path, size_t path_bytes);
/* The file with this content, in the place of one that was there; a descriptor for both directions, or what
 * check_skip returned. */
int mapping_make_file(struct check *check, const void *content, size_t bytes);
/* Its first page, to load and to store; sharing is MAP_SHARED or MAP_PRIVATE. 0 or what check_skip returned.
 */
int mapping_of(struct check *check, int fd, int sharing, char **memory);

#endif
