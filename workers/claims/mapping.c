#include "workers/claims/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

void mapping_path(const struct check *check, char *path, size_t path_bytes)
{
    snprintf(path, path_bytes, "%s/file", check->enclosure->directory);
}

int mapping_make_file(struct check *check, const void *content, size_t bytes)
{
    char path[ENCLOSURE_PATH_BYTES + 8];
    mapping_path(check, path, sizeof path);
    unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return check_skip(check, "open", errno, "refused");
    return write(fd, content, bytes) == (ssize_t)bytes ? fd : check_skip(check, "write", errno, "refused");
}

int mapping_of(struct check *check, int fd, int sharing, char **memory)
{
    *memory = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, sharing, fd, 0);
    return *memory == MAP_FAILED ? check_skip(check, "mmap", errno, "refused") : 0;
}
