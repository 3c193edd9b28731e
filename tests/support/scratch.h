/* scratch: a temporary directory of one test's own.
 *
 * AUTO(scratch_fini) struct scratch scratch; scratch_init(&scratch); everything in it goes with it. What
 * cannot be set up ends the program with a message: a test has no use for a half-made place. Needs no test
 * framework. */
#ifndef IPCLAB_TESTS_SUPPORT_SCRATCH_H
#define IPCLAB_TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

enum { SCRATCH_PATH_BYTES = 128, SCRATCH_FILE_BYTES = 256 };

struct scratch {
    char path[SCRATCH_PATH_BYTES];
    char file[SCRATCH_FILE_BYTES]; /* of the last scratch_file */
};

void scratch_init(struct scratch *scratch);
void scratch_fini(struct scratch *scratch);
/* path/name, valid until the next call. */
const char *scratch_file(struct scratch *scratch, const char *name);

/* Whole files; they end the program on failure. scratch_read allocates. */
void scratch_write(const char *path, const void *bytes, size_t length);
unsigned char *scratch_read(const char *path, size_t *length);

#endif
