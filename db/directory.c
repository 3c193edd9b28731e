#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/internal.h"

/* https://sqlite.org/fileformat2.html §1.3 */
enum { HEADER_BYTES = 100, HEADER_APPLICATION_ID = 68 };
static const char header_magic[16] = "SQLite format 3";

enum { DIRECTORY_MODE = 0700, LOCK_MODE = 0600, PID_TEXT_BYTES = 32 };

/* What a user has to change is said with it; an ENOSPC or EMFILE is none of the directory's. */
static int directory_is_unusable(const char *task, const char *path, int code, struct err *err)
{
    if (code != EACCES && code != EPERM && code != EROFS && code != ENOTDIR && code != ENOENT)
        return err_errno(err, code, "%s %s", task, path);
    return err_set(err, code,
                   "%s %s: %s. Name a directory that user %ld may write, by --data DIR or IPCLAB_DATA", task,
                   path, strerror(code), (long)geteuid());
}

/* mkdir -p, for us alone. */
int directory_prepare(const char *directory, struct err *err)
{
    AUTO_FREE char *path = strdup(directory);
    if (path == NULL)
        return err_errno(err, ENOMEM, "open the archive in %s", directory);
    size_t length = strlen(path);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        path[i] = '\0';
        if (mkdir(path, DIRECTORY_MODE) < 0 && errno != EEXIST)
            return directory_is_unusable("make the directory", path, errno, err);
        path[i] = directory[i];
    }
    return 0;
}

static int lock_is_held(const char *path, int fd, struct err *err)
{
    char pid[PID_TEXT_BYTES];
    ssize_t got = pread(fd, pid, sizeof pid - 1, 0);
    pid[got > 0 ? got : 0] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    return err_set(err, EBUSY, "another ipclab (pid %s) holds %s", pid[0] != '\0' ? pid : "unknown", path);
}

int directory_lock(const char *directory, int *lock_fd, struct err *err)
{
    AUTO_FREE char *path = NULL;
    if (asprintf(&path, "%s/lock", directory) < 0) {
        path = NULL;
        return err_errno(err, ENOMEM, "lock %s", directory);
    }
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, LOCK_MODE);
    if (fd < 0)
        return directory_is_unusable("open the lock", path, errno, err);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? lock_is_held(path, fd, err) : err_errno(err, errno, "lock %s", path);

    /* The pid is for the other server's message only; on a full disk it is missing there. */
    char pid[PID_TEXT_BYTES];
    int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)length, 0) < 0)
        errno = 0;
    *lock_fd = take_fd(&fd);
    return 0;
}

/* A log without its file holds committed changes; SQLite would replay it into the next file of that name. */
static int inspect_orphaned_log(const char *path, struct err *err)
{
    AUTO_FREE char *log = NULL;
    if (asprintf(&log, "%s-wal", path) < 0) {
        log = NULL;
        return err_errno(err, ENOMEM, "look at %s", path);
    }
    struct stat status;
    if (stat(log, &status) == 0 && status.st_size > 0)
        return err_set(err, EBADMSG, "%s is missing, but its log %s is there", path, log);
    return 0;
}

static uint32_t big_endian_32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

int directory_inspect(const char *path, bool *present, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    *present = fd >= 0;
    if (fd < 0)
        return errno == ENOENT ? inspect_orphaned_log(path, err) : err_errno(err, errno, "open %s", path);
    unsigned char header[HEADER_BYTES];
    ssize_t got = pread(fd, header, sizeof header, 0);
    if (got < 0)
        return err_errno(err, errno, "read %s", path);
    if (got == 0)
        return err_set(err, EBADMSG, "%s is empty", path);
    if ((size_t)got < sizeof header || memcmp(header, header_magic, sizeof header_magic) != 0)
        return err_set(err, EBADMSG, "%s is no SQLite database", path);
    if (big_endian_32(header + HEADER_APPLICATION_ID) != STORE_APPLICATION_ID)
        return err_set(err, EBADMSG, "%s is a database of another program", path);
    return 0;
}

int directory_sync(const char *path, struct err *err)
{
    AUTO_FREE char *directory = strdup(path);
    if (directory == NULL)
        return err_errno(err, ENOMEM, "sync the directory of %s", path);
    char *slash = strrchr(directory, '/');
    if (slash != NULL)
        slash[slash == directory ? 1 : 0] = '\0';
    AUTO_CLOSE int fd = open(slash != NULL ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_errno(err, errno, "sync the directory of %s", path);
    return 0;
}

int directory_rename(const char *from, const char *to, struct err *err)
{
    if (rename(from, to) < 0)
        return err_errno(err, errno, "rename %s to %s", from, to);
    return directory_sync(to, err);
}

void directory_remove_database(const char *path)
{
    static const char *const endings[] = {"", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        AUTO_FREE char *name = NULL;
        if (asprintf(&name, "%s%s", path, endings[i]) < 0) {
            name = NULL;
            continue;
        }
        unlink(name);
    }
}
