/* calls: the calls that write an archive, defined in front of libc's, for SQLite too, which takes some of
 * them under their 64-bit names. Each ends in one of three functions that the program that includes this
 * defines before. It is a header because a definition in the tests' library would stand in front of libc's in
 * every program. */
#ifndef IPCLAB_TESTS_FAULT_CALLS_H
#define IPCLAB_TESTS_FAULT_CALLS_H

#include <fcntl.h>
#include <stdarg.h>
#include <sys/types.h>
#include <unistd.h>

static int call_open(const char *path, int flags, mode_t mode);
static ssize_t call_write(int fd, const void *bytes, size_t length, off_t offset);
static int call_truncate(int fd, off_t length);

#define OPEN_UNDER(name)                                                                                     \
    int name(const char *path, int flags, ...)                                                               \
    {                                                                                                        \
        va_list arguments;                                                                                   \
        va_start(arguments, flags);                                                                          \
        mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;                                \
        va_end(arguments);                                                                                   \
        return call_open(path, flags, mode);                                                                 \
    }
OPEN_UNDER(open)
OPEN_UNDER(open64)

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    return call_write(fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    return call_write(fd, bytes, length, offset);
}

int ftruncate(int fd, off_t length)
{
    return call_truncate(fd, length);
}

int ftruncate64(int fd, off64_t length)
{
    return call_truncate(fd, length);
}

#endif
