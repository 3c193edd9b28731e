/* POSIX shared memory: shm_open, posix_fallocate, mmap, shm_unlink (shm_overview(7)).
 *
 * The same as System V's with the interface of files: a name that begins with a slash, a descriptor, a
 * mapping. On Linux the objects are the files of a tmpfs at /dev/shm, where ls and rm see them, and the
 * limit is that file system's size. Like a file an object stays until it is unlinked and until the last
 * mapping is gone, even when every process that knew it is dead.
 *
 * The mapping does not synchronise: the ring (workers/ring.h) does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/mechanisms/mapped.h"
#include "workers/names.h"

static int shm_posix_open(void *state, struct channel *channel, struct err *err)
{
    char name[CHANNEL_ADDRESS_BYTES];
    int result = names_random(name, sizeof name, err);
    if (result == 0)
        result = names_record(channel->directory, "shm_posix", err, "%s", name);
    if (result < 0)
        return result;
    /* O_EXCL: never an object that somebody else made. The mode is as strict as for any file. */
    AUTO_CLOSE int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600); /* close-on-exec by itself */
    if (fd < 0)
        return err_errno(err, errno, "shm_open %s (is /dev/shm mounted?)", name);
    snprintf(channel->address, sizeof channel->address, "%s", name);
    result = mapped_allocate(fd, channel, err);
    return result < 0 ? result : mapped_open(state, fd, channel, err);
}

static int shm_posix_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct mapped *memory = state;
    if (memory->memory == NULL) {
        /* A stranger opens the name. A relative inherited the leader's mapping across fork. */
        AUTO_CLOSE int fd = shm_open(channel->address, O_RDWR, 0);
        if (fd < 0)
            return err_errno(err, errno, "shm_open %s", channel->address);
        int result = mapped_map(memory, fd, channel, err);
        if (result < 0)
            return result;
    }
    return mapped_sit(memory, channel, seat, err);
}

static void shm_posix_close(void *state, const struct channel *channel)
{
    mapped_close(state);
    /* The name goes; the memory lives until the last mapping of it is gone. */
    if (channel->address[0] != '\0')
        shm_unlink(channel->address);
}

static int shm_posix_remove_name(const char *name, struct err *err)
{
    AUTO_CLOSE int fd = shm_open(name, O_RDWR, 0);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0 || status.st_uid != geteuid())
        return 0; /* gone, or not ours */
    if (shm_unlink(name) != 0 && errno != ENOENT)
        return err_errno(err, errno, "shm_unlink %s", name);
    return 0;
}

static int shm_posix_probe(struct err *err)
{
    if (access("/dev/shm", W_OK) != 0)
        return err_errno(err, errno, "/dev/shm: mount a tmpfs there that you may write to");
    return 0;
}

const struct mechanism shm_posix_mechanism = {
    .name = "shm_posix",
    .title = "Shared memory (POSIX)",
    .family = "memory",
    .traits = MAPPED_TRAITS | TRAIT_PERSISTS,
    .waits = RING_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct mapped),
    .probe = shm_posix_probe,
    .open = shm_posix_open,
    .attach = shm_posix_attach,
    .send = ring_send,
    .receive = ring_receive,
    .detach = mapped_detach,
    .close = shm_posix_close,
    .remove_name = shm_posix_remove_name,
};
