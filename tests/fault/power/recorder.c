#include "tests/fault/power/recorder.h"

#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/fault/calls.h"
#include "tests/support/scratch.h"

static struct {
    bool armed;
    char directory[SCRATCH_FILE_BYTES];
    struct deeds deeds;
    ino_t inodes[DEED_FILES_MAX];
} recorder;

static struct deed *note(enum deed_kind kind)
{
    struct deeds *deeds = &recorder.deeds;
    if (deeds->count == deeds->capacity) {
        deeds->capacity = deeds->capacity > 0 ? 2 * deeds->capacity : 4096;
        deeds->list = realloc(deeds->list, deeds->capacity * sizeof deeds->list[0]);
        if (deeds->list == NULL)
            errx(EXIT_FAILURE, "recorder: no memory");
    }
    deeds->list[deeds->count] = (struct deed){.kind = kind, .file = -1};
    return &deeds->list[deeds->count++];
}

/* The file's name, or NULL when it is none of those that are noted. */
static const char *noted_name(const char *path)
{
    size_t length = strlen(recorder.directory);
    if (!recorder.armed || strncmp(path, recorder.directory, length) != 0 || path[length] != '/')
        return NULL;
    const char *name = path + length + 1, *ending = strrchr(name, '-');
    bool is_index = ending != NULL && strcmp(ending, "-shm") == 0;
    return is_index || strcmp(name, "lock") == 0 ? NULL : name;
}

static int noted_file(int fd)
{
    struct stat status;
    if (!recorder.armed || fstat(fd, &status) < 0)
        return -1;
    for (int i = recorder.deeds.files - 1; i >= 0; i--) /* the newest: numbers of inodes come back */
        if (recorder.inodes[i] == status.st_ino)
            return i;
    return -1;
}

static void note_creation(const char *name, int fd)
{
    struct stat status;
    struct deeds *deeds = &recorder.deeds;
    if (deeds->files == DEED_FILES_MAX || fstat(fd, &status) < 0)
        errx(EXIT_FAILURE, "recorder: cannot note the file %s", name);
    struct deed *deed = note(DEED_CREATE);
    snprintf(deed->name, sizeof deed->name, "%s", name);
    deed->file = deeds->files;
    recorder.inodes[deeds->files++] = status.st_ino;
}

/* ---- the calls ---- */

static int call_open(const char *path, int flags, mode_t mode)
{
    const char *name = noted_name(path);
    bool is_new = name != NULL && (flags & O_CREAT) != 0 && access(path, F_OK) < 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && is_new)
        note_creation(name, fd);
    return fd;
}

static ssize_t call_write(int fd, const void *bytes, size_t length, off_t offset)
{
    ssize_t written = syscall(SYS_pwrite64, fd, bytes, length, offset);
    int file = noted_file(fd);
    if (written <= 0 || file < 0)
        return written;
    struct deed *deed = note(DEED_WRITE);
    deed->file = file;
    deed->offset = (size_t)offset;
    deed->length = (size_t)written;
    deed->bytes = malloc(deed->length);
    if (deed->bytes == NULL)
        errx(EXIT_FAILURE, "recorder: no memory");
    memcpy(deed->bytes, bytes, deed->length);
    return written;
}

static int call_truncate(int fd, off_t length)
{
    int rc = (int)syscall(SYS_ftruncate, fd, length);
    int file = noted_file(fd);
    if (rc < 0 || file < 0)
        return rc;
    struct deed *deed = note(DEED_TRUNCATE);
    deed->file = file;
    deed->length = (size_t)length;
    return rc;
}

int rename(const char *from, const char *to)
{
    int rc = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (rc < 0 || noted_name(from) == NULL)
        return rc;
    struct deed *deed = note(DEED_RENAME);
    snprintf(deed->name, sizeof deed->name, "%s", noted_name(from));
    snprintf(deed->to, sizeof deed->to, "%s", noted_name(to));
    return rc;
}

int unlink(const char *path)
{
    int rc = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (rc == 0 && noted_name(path) != NULL)
        snprintf(note(DEED_UNLINK)->name, DEED_NAME_BYTES, "%s", noted_name(path));
    return rc;
}

int fsync(int fd)
{
    struct stat status;
    int file = noted_file(fd);
    if (file >= 0)
        note(DEED_SYNC)->file = file;
    else if (recorder.armed && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        note(DEED_SYNC_DIRECTORY);
    return 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

/* ---- the door ---- */

void recorder_start(const char *directory)
{
    snprintf(recorder.directory, sizeof recorder.directory, "%s", directory);
    recorder.armed = true;
}

void recorder_stop(void)
{
    recorder.armed = false;
}

void recorder_mark(size_t mark)
{
    note(DEED_MARK)->mark = mark;
}

const struct deeds *recorder_deeds(void)
{
    return &recorder.deeds;
}

void recorder_free(void)
{
    for (size_t i = 0; i < recorder.deeds.count; i++)
        free(recorder.deeds.list[i].bytes);
    free(recorder.deeds.list);
    recorder.deeds = (struct deeds){.list = NULL};
}

size_t deeds_count(const struct deeds *deeds, enum deed_kind kind, size_t from)
{
    size_t count = 0;
    for (size_t i = from; i < deeds->count; i++)
        count += deeds->list[i].kind == kind;
    return count;
}
