#include "tests/support/scratch.h"

#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

enum { WALK_DESCRIPTORS = 16 };

void scratch_init(struct scratch *scratch)
{
    const char *root = getenv("TMPDIR");
    snprintf(scratch->path, sizeof scratch->path, "%s/ipclab-test-XXXXXX", root != NULL ? root : "/tmp");
    if (mkdtemp(scratch->path) == NULL)
        err(EXIT_FAILURE, "mkdtemp %s", scratch->path);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void scratch_fini(struct scratch *scratch)
{
    umount2(scratch->path, MNT_DETACH); /* a small_disk, where there is one */
    nftw(scratch->path, remove_one, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_file(struct scratch *scratch, const char *name)
{
    snprintf(scratch->file, sizeof scratch->file, "%s/%s", scratch->path, name);
    return scratch->file;
}

void scratch_write(const char *path, const void *bytes, size_t length)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
        err(EXIT_FAILURE, "write %s", path);
}

unsigned char *scratch_read(const char *path, size_t *length)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        err(EXIT_FAILURE, "read %s", path);
    *length = (size_t)status.st_size;
    unsigned char *bytes = malloc(*length + 1);
    if (bytes == NULL || read(fd, bytes, *length) != (ssize_t)*length)
        err(EXIT_FAILURE, "read %s", path);
    return bytes;
}
