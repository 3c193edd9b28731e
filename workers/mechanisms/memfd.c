/* memfd: memfd_create, posix_fallocate, mmap with MAP_SHARED (memfd_create(2)).
 *
 * A file in memory that stands in no directory: as anonymous as memory from malloc, but with a descriptor,
 * and whoever holds a descriptor of it can map it. So the right to the memory is handed from process to
 * process (inherited, sent with SCM_RIGHTS, taken with pidfd_getfd) instead of being looked up by a name
 * that somebody else might guess or forget to remove. Its pages go with its last descriptor and mapping.
 *
 * The mapping does not synchronise: the ring (workers/ring.h) does. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/descriptor.h"
#include "workers/mechanisms/mapped.h"
#include "workers/parse.h"

struct memfd {
    struct mapped mapped; /* first: mapped_detach and the ring take the state */
    int fd;               /* the leader's; -1 closed, 0 in a stranger's zeroed state */
};

static int memfd_open(void *state, struct channel *channel, struct err *err)
{
    struct memfd *memory = state;
    memory->fd = -1;
    /* The name is only for people: it shows in /proc/PID/maps and need not be unique. MFD_ALLOW_SEALING could
     * promise the others that the file will not shrink under their mappings; these trust each other. */
    AUTO_CLOSE int fd = memfd_create("ipclab-memfd", MFD_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "memfd_create");
    int result = mapped_allocate(fd, channel, err);
    if (result == 0)
        result = mapped_open(&memory->mapped, fd, channel, err);
    if (result < 0)
        return result;
    /* Kept open for strangers: a number means something only together with the process that has it. */
    snprintf(channel->address, sizeof channel->address, "%d %d", (int)getpid(), fd);
    descriptor_allow();
    memory->fd = take_fd(&fd);
    return 0;
}

static int map_taken(struct memfd *memory, const struct channel *channel, struct err *err)
{
    int64_t pid, number;
    const char *rest;
    if (parse_integer(channel->address, 10, 1, INT32_MAX, &pid, &rest) < 0 ||
        parse_integer(rest, 10, 0, INT32_MAX, &number, NULL) < 0)
        return err_set(err, EINVAL, "\"%s\" is no process and descriptor", channel->address);
    AUTO_CLOSE int fd = descriptor_take((pid_t)pid, (int)number, err);
    return fd < 0 ? fd : mapped_map(&memory->mapped, fd, channel, err);
}

static void close_descriptor(struct memfd *memory)
{
    if (memory->fd > 0)
        close(memory->fd);
    memory->fd = -1;
}

static int memfd_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct memfd *memory = state;
    close_descriptor(memory); /* the copy a relative inherited: the mapping is enough */
    if (memory->mapped.memory == NULL) {
        int result = map_taken(memory, channel, err);
        if (result < 0)
            return result;
    }
    return mapped_sit(&memory->mapped, channel, seat, err);
}

static void memfd_close(void *state, const struct channel *channel)
{
    struct memfd *memory = state;
    (void)channel;
    close_descriptor(memory);
    mapped_close(&memory->mapped);
}

static int memfd_probe(struct err *err)
{
    AUTO_CLOSE int fd = memfd_create("ipclab-probe", MFD_CLOEXEC);
    return fd < 0 ? err_errno(err, errno, "memfd_create") : 0;
}

const struct mechanism memfd_mechanism = {
    .name = "memfd",
    .title = "Memory file (memfd)",
    .family = "memory",
    .traits = MAPPED_TRAITS,
    .waits = RING_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct memfd),
    .probe = memfd_probe,
    .open = memfd_open,
    .attach = memfd_attach,
    .send = ring_send,
    .receive = ring_receive,
    .detach = mapped_detach,
    .close = memfd_close,
};
