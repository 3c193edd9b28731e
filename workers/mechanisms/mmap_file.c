/* Mapped file: open, posix_fallocate, mmap with MAP_SHARED, munmap (mmap(2)).
 *
 * Every process that maps the same file with MAP_SHARED has the same pages of the page cache in its address
 * space; a store by one is at once a load of the other, and also what read(2) of the file returns. Nothing is
 * copied and no system call is made. The kernel writes dirty pages back to the disk in its own time; a crew's
 * directory is a tmpfs where it has a cage, and then there is no disk. MAP_PRIVATE would give each process
 * its own copy of a page on the first store, and they would never hear of each other.
 *
 * The mapping does not synchronise: the ring (workers/ring.h) does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/mechanisms/mapped.h"

static int mmap_file_open(void *state, struct channel *channel, struct err *err)
{
    snprintf(channel->address, sizeof channel->address, "%s/mapped.%d", channel->directory, channel->number);
    AUTO_CLOSE int fd = open(channel->address, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, errno, "open %s", channel->address);
    int result = mapped_allocate(fd, channel, err);
    return result < 0 ? result : mapped_open(state, fd, channel, err);
}

static int mmap_file_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct mapped *file = state;
    if (file->memory == NULL) {
        /* A stranger opens the path. A relative inherited the leader's mapping across fork. */
        AUTO_CLOSE int fd = open(channel->address, O_RDWR | O_CLOEXEC);
        if (fd < 0)
            return err_errno(err, errno, "open %s", channel->address);
        int result = mapped_map(file, fd, channel, err);
        if (result < 0)
            return result;
    }
    return mapped_sit(file, channel, seat, err);
}

static void mmap_file_close(void *state, const struct channel *channel)
{
    mapped_close(state);
    /* The name goes; the file lives until the last mapping of it is gone. */
    if (channel->address[0] != '\0')
        unlink(channel->address);
}

static int mmap_file_probe(struct err *err)
{
    (void)err;
    return 0; /* every Linux maps files; a file system that cannot is found by open */
}

const struct mechanism mmap_file_mechanism = {
    .name = "mmap_file",
    .title = "Mapped file",
    .family = "memory",
    .traits = MAPPED_TRAITS | TRAIT_PERSISTS,
    .waits = RING_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct mapped),
    .probe = mmap_file_probe,
    .open = mmap_file_open,
    .attach = mmap_file_attach,
    .send = ring_send,
    .receive = ring_receive,
    .detach = mapped_detach,
    .close = mmap_file_close,
};
