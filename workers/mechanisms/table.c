#include "workers/mechanisms/mechanism.h"

#include <errno.h>
#include <string.h>

/* One line for each, in the order of the page. */
#define MECHANISMS(ENTRY)                                                                                    \
    ENTRY(shm_sysv)                                                                                          \
    ENTRY(shm_posix)                                                                                         \
    ENTRY(memfd)                                                                                             \
    ENTRY(mmap_file)                                                                                         \
    ENTRY(mmap_anon)                                                                                         \
    ENTRY(pipe)                                                                                              \
    ENTRY(fifo)                                                                                              \
    ENTRY(socketpair)                                                                                        \
    ENTRY(unix_stream)                                                                                       \
    ENTRY(unix_seqpacket)                                                                                    \
    ENTRY(unix_dgram)                                                                                        \
    ENTRY(tcp)                                                                                               \
    ENTRY(udp)                                                                                               \
    ENTRY(mq_posix)                                                                                          \
    ENTRY(mq_sysv)                                                                                           \
    ENTRY(eventfd)                                                                                           \
    ENTRY(signal_rt)                                                                                         \
    ENTRY(pipe_vmsplice)                                                                                     \
    ENTRY(process_vm_readv)                                                                                  \
    ENTRY(io_uring_unix)                                                                                     \
    ENTRY(null)                                                                                              \
    ENTRY(null_copy)

#define DECLARE(name) extern const struct mechanism name##_mechanism;
#define POINT_TO(name) &name##_mechanism,

MECHANISMS(DECLARE)

const struct mechanism *const mechanism_table[] = {MECHANISMS(POINT_TO) NULL};

const struct mechanism *mechanism_find(const char *name)
{
    for (const struct mechanism *const *at = mechanism_table; *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

int64_t mechanism_message_bytes_max(const struct mechanism *mechanism)
{
    int64_t max = mechanism->message_bytes_max;
    int64_t limit = mechanism->message_bytes_limit != NULL ? mechanism->message_bytes_limit() : max;
    return limit < max ? limit : max;
}

int mechanism_check_message_bytes(const struct mechanism *mechanism, int64_t bytes, struct err *err)
{
    int64_t max = mechanism_message_bytes_max(mechanism);
    if (bytes <= max)
        return 0;
    const char *settings = mechanism->message_bytes_settings;
    return err_set(err, EMSGSIZE, "%s carries messages of at most %lld bytes%s%s", mechanism->name,
                   (long long)max, settings != NULL ? " here: see " : "", settings != NULL ? settings : "");
}
