#include "workers/mechanisms/mechanism.h"

#include <errno.h>
#include <string.h>

extern const struct mechanism shm_sysv_mechanism, shm_posix_mechanism, memfd_mechanism, mmap_file_mechanism,
    mmap_anon_mechanism, pipe_mechanism, fifo_mechanism, socketpair_mechanism, unix_stream_mechanism,
    unix_seqpacket_mechanism, unix_dgram_mechanism, tcp_mechanism, udp_mechanism, mq_posix_mechanism,
    mq_sysv_mechanism;

const struct mechanism *const mechanism_table[] = {
    &shm_sysv_mechanism,    &shm_posix_mechanism,      &memfd_mechanism, &mmap_file_mechanism,
    &mmap_anon_mechanism,   &pipe_mechanism,           &fifo_mechanism,  &socketpair_mechanism,
    &unix_stream_mechanism, &unix_seqpacket_mechanism, &tcp_mechanism,   NULL,
};

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
