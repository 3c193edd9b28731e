#include "workers/mechanisms/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

int mapped_allocate(int fd, const struct channel *channel, struct err *err)
{
    /* ftruncate alone would make a hole: a store into it on a full file system is a SIGBUS. posix_fallocate
     * finds out here. */
    size_t bytes = ring_object_bytes(channel);
    int failed = posix_fallocate(fd, 0, (off_t)bytes);
    return failed != 0 ? err_errno(err, failed, "allocate %zu bytes of shared memory", bytes) : 0;
}

int mapped_map(struct mapped *mapped, int fd, const struct channel *channel, struct err *err)
{
    size_t bytes = ring_object_bytes(channel);
    /* The mapping keeps the object alive by itself: the descriptor may be closed after it. MAP_POPULATE
     * brings the pages in now rather than at the first touch. */
    int flags = MAP_SHARED | MAP_POPULATE | (fd < 0 ? MAP_ANONYMOUS : 0);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED)
        return err_errno(err, errno, "mmap of %zu bytes", bytes);
    mapped->memory = memory;
    mapped->bytes = bytes;
    return 0;
}

int mapped_open(struct mapped *mapped, int fd, const struct channel *channel, struct err *err)
{
    int result = mapped_map(mapped, fd, channel, err);
    return result < 0 ? result : ring_open(&mapped->ring, mapped->memory, channel, err);
}

int mapped_sit(struct mapped *mapped, const struct channel *channel, struct seat seat, struct err *err)
{
    return ring_attach(&mapped->ring, mapped->memory, channel, seat, err);
}

static void unmap(struct mapped *mapped)
{
    if (mapped->memory != NULL)
        munmap(mapped->memory, mapped->bytes);
    mapped->memory = NULL;
}

void mapped_detach(void *state)
{
    struct mapped *mapped = state;
    ring_detach(&mapped->ring);
    unmap(mapped);
}

void mapped_close(struct mapped *mapped)
{
    ring_close(&mapped->ring);
    unmap(mapped);
}
