#include "workers/mechanisms/shared_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"

enum { PATH_BYTES = CHANNEL_ADDRESS_BYTES + 32 };

static void path_of(const struct channel *channel, const char *kind, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s.%d", channel->directory, kind, channel->number);
}

static int map(struct shared_file *file, int fd, size_t bytes, struct err *err)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (memory == MAP_FAILED)
        return err_errno(err, errno, "mmap of %zu bytes", bytes);
    *file = (struct shared_file){.memory = memory, .bytes = bytes};
    return 0;
}

int shared_file_create(struct shared_file *file, const struct channel *channel, const char *kind,
                       size_t bytes, struct err *err)
{
    char path[PATH_BYTES];
    path_of(channel, kind, path);
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, errno, "open %s", path);
    int failed = posix_fallocate(fd, 0, (off_t)bytes);
    return failed != 0 ? err_errno(err, failed, "allocate %zu bytes for %s", bytes, path)
                       : map(file, fd, bytes, err);
}

int shared_file_open(struct shared_file *file, const struct channel *channel, const char *kind,
                     struct err *err)
{
    if (file->memory != NULL)
        return 0;
    char path[PATH_BYTES];
    path_of(channel, kind, path);
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
    off_t bytes = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    return bytes < 0 ? err_errno(err, errno, "open %s", path) : map(file, fd, (size_t)bytes, err);
}

void shared_file_unmap(struct shared_file *file)
{
    if (file->memory != NULL)
        munmap(file->memory, file->bytes);
    file->memory = NULL;
}

void shared_file_remove(struct shared_file *file, const struct channel *channel, const char *kind)
{
    char path[PATH_BYTES];
    path_of(channel, kind, path);
    unlink(path);
    shared_file_unmap(file);
}
