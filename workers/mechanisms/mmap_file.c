/* Mapped file: open, ftruncate, mmap with MAP_SHARED, munmap (mmap(2)).
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
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/ring.h"

struct mmap_file {
    struct ring ring; /* first: ring_send and ring_receive take the state */
    void *memory;     /* NULL: not mapped */
    size_t bytes;
};

static int map(struct mmap_file *file, int fd, size_t bytes, struct err *err)
{
    /* The mapping keeps the file alive by itself: the descriptor may be closed after it. MAP_POPULATE reads
     * the pages in now rather than at the first touch. */
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (memory == MAP_FAILED)
        return err_errno(err, errno, "mmap of %zu bytes", bytes);
    file->memory = memory;
    file->bytes = bytes;
    return 0;
}

static int mmap_file_open(void *state, struct channel *channel, struct err *err)
{
    struct mmap_file *file = state;
    file->memory = NULL;
    size_t bytes = ring_object_bytes(channel);
    snprintf(channel->address, sizeof channel->address, "%s/mapped.%d", channel->directory, channel->number);
    AUTO_CLOSE int fd = open(channel->address, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, errno, "open %s", channel->address);
    /* ftruncate alone would make a hole: a store into it on a full file system is a SIGBUS. posix_fallocate
     * finds out here. */
    int failed = posix_fallocate(fd, 0, (off_t)bytes);
    if (failed != 0)
        return err_errno(err, failed, "allocate %zu bytes for %s", bytes, channel->address);
    return map(file, fd, bytes, err);
}

static int mmap_file_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct mmap_file *file = state;
    if (file->memory == NULL) {
        /* A stranger opens the path. A relative inherited the leader's mapping across fork. */
        AUTO_CLOSE int fd = open(channel->address, O_RDWR | O_CLOEXEC);
        if (fd < 0)
            return err_errno(err, errno, "open %s", channel->address);
        int result = map(file, fd, ring_object_bytes(channel), err);
        if (result < 0)
            return result;
    }
    return ring_attach(&file->ring, file->memory, channel, seat, err);
}

static void unmap(struct mmap_file *file)
{
    if (file->memory != NULL)
        munmap(file->memory, file->bytes);
    file->memory = NULL;
}

static void mmap_file_detach(void *state)
{
    struct mmap_file *file = state;
    ring_detach(&file->ring);
    unmap(file);
}

static void mmap_file_close(void *state, const struct channel *channel)
{
    struct mmap_file *file = state;
    unmap(file);
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
    .traits = TRAIT_DUPLEX | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS | TRAIT_PERSISTS,
    .waits = RING_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct mmap_file),
    .probe = mmap_file_probe,
    .open = mmap_file_open,
    .attach = mmap_file_attach,
    .send = ring_send,
    .receive = ring_receive,
    .detach = mmap_file_detach,
    .close = mmap_file_close,
};
