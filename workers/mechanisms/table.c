#include "workers/mechanisms/mechanism.h"

#include <string.h>

extern const struct mechanism shm_sysv_mechanism, mmap_file_mechanism, pipe_mechanism, fifo_mechanism,
    unix_stream_mechanism, tcp_mechanism;

const struct mechanism *const mechanism_table[] = {
    &shm_sysv_mechanism,
    &mmap_file_mechanism,
    &pipe_mechanism,
    &fifo_mechanism,
    &unix_stream_mechanism,
    &tcp_mechanism,
    NULL,
};

const struct mechanism *mechanism_find(const char *name)
{
    for (const struct mechanism *const *at = mechanism_table; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}
