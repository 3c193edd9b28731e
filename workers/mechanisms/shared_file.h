/* shared_file: a piece of memory that the workers of a channel share beside what is measured, or to put
 * messages in: a mapped file of the crew's directory, which relatives inherit and strangers open. */
#ifndef IPCLAB_WORKERS_MECHANISMS_SHARED_FILE_H
#define IPCLAB_WORKERS_MECHANISMS_SHARED_FILE_H

#include <stddef.h>

#include "workers/mechanisms/mechanism.h"

/* Part of a state. Zeroed: nothing is mapped. */
struct shared_file {
    void *memory;
    size_t bytes;
};

/* Leader: zeroed memory of its own for this kind of use. */
int shared_file_create(struct shared_file *file, const struct channel *channel, const char *kind,
                       size_t bytes, struct err *err);
/* Worker: maps it, unless it was inherited. */
int shared_file_open(struct shared_file *file, const struct channel *channel, const char *kind,
                     struct err *err);
void shared_file_unmap(struct shared_file *file);
/* Leader: removes the name, and its own mapping. */
void shared_file_remove(struct shared_file *file, const struct channel *channel, const char *kind);

#endif
