/* file: a whole file as text. */
#ifndef IPCLAB_TESTS_SUPPORT_FILE_H
#define IPCLAB_TESTS_SUPPORT_FILE_H

#include "common/text.h"

/* Appends it. 0 or -errno; -EFBIG when it is longer than bytes_max. */
int file_read(struct text *text, const char *path, size_t bytes_max);

#endif
