#include "workers/labs/lab.h"

#include <string.h>

/* One line for each, in the order of the page. */
#define LABS(ENTRY)                                                                                          \
    ENTRY(shm_alone)                                                                                         \
    ENTRY(shm_server)                                                                                        \
    ENTRY(shm_keys)                                                                                          \
    ENTRY(lost_update)                                                                                       \
    ENTRY(torn_record)                                                                                       \
    ENTRY(mmap_doubled)                                                                                      \
    ENTRY(pipe_stdio)                                                                                        \
    ENTRY(pipe_gauge)                                                                                        \
    ENTRY(pipe_ends)                                                                                         \
    ENTRY(fifo_session)                                                                                      \
    ENTRY(fifo_atomicity)                                                                                    \
    ENTRY(socket_echo)                                                                                       \
    ENTRY(backlog)                                                                                           \
    ENTRY(raw_get)                                                                                           \
    ENTRY(reach)                                                                                             \
    ENTRY(fastest)

#define DECLARE(name) extern const struct lab_definition name##_lab;
#define POINT_TO(name) &name##_lab,

LABS(DECLARE)

const struct lab_definition *const lab_table[] = {LABS(POINT_TO) NULL};

const struct lab_definition *lab_find(const char *name)
{
    for (const struct lab_definition *const *at = lab_table; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}
