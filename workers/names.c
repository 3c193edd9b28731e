#include "workers/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/enclosure.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/ring_semaphores.h"

enum { LINE_BYTES_MAX = 256, PATH_BYTES_MAX = 512 };

int names_record(const char *directory, const char *mechanism, struct err *err, const char *format, ...)
{
    char path[PATH_BYTES_MAX], name[LINE_BYTES_MAX], line[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    snprintf(path, sizeof path, "%s/names", directory);
    int used = snprintf(line, sizeof line, "%s %s\n", mechanism, name);
    if ((size_t)used >= sizeof line)
        return err_set(err, ENAMETOOLONG, "record a name of %s: longer than %d bytes", mechanism,
                       LINE_BYTES_MAX - 2);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, errno, "open %s", path);
    if (write(fd, line, (size_t)used) != used)
        return err_errno(err, errno, "write %s", path);
    return 0;
}

int names_random(char *name, size_t name_bytes, struct err *err)
{
    uint64_t bits[2];
    if (getrandom(bits, sizeof bits, 0) != sizeof bits)
        return err_errno(err, errno, "getrandom");
    snprintf(name, name_bytes, "/ipclab-%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
    return 0;
}

static int keep_first(int first, int result)
{
    return first < 0 ? first : result;
}

/* Recorders that are no mechanism: what a mechanism may use beside its channel. */
static const struct {
    const char *recorder;
    int (*remove_name)(const char *name, struct err *err);
} beside[] = {{SEM_SYSV_RECORDER, sem_sysv_remove_name}, {ENCLOSURE_RECORDER, enclosure_remove_name}};

static int remove_recorded(char *line, struct err *err)
{
    char *name = strchr(line, ' ');
    if (name == NULL)
        return 0; /* cut short by the kill: then nothing was created after it either */
    *name++ = '\0';
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if (strcmp(line, beside[i].recorder) == 0)
            return beside[i].remove_name(name, err);
    const struct mechanism *mechanism = mechanism_find(line);
    if (mechanism == NULL || mechanism->remove_name == NULL)
        return err_set(err, EINVAL, "sweep: \"%s\" is no mechanism with names of its own", line);
    return mechanism->remove_name(name, err);
}

static int sweep_names(int directory, struct err *err)
{
    AUTO_CLOSE int fd = openat(directory, "names", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_errno(err, errno, "open the names file");
    AUTO_FCLOSE FILE *file = fdopen(fd, "r");
    if (file == NULL)
        return err_errno(err, errno, "open the names file");
    take_fd(&fd); /* the stream's */
    char line[LINE_BYTES_MAX];
    int result = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        char *end = strchr(line, '\n');
        if (end == NULL)
            break;
        *end = '\0';
        result = keep_first(result, remove_recorded(line, result == 0 ? err : NULL));
    }
    return result;
}

/* The crew makes no subdirectories. */
static int remove_files(int directory, struct err *err)
{
    AUTO_CLOSE int copy = fcntl(directory, F_DUPFD_CLOEXEC, 0);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (stream == NULL)
        return err_errno(err, errno, "read the crew's directory");
    take_fd(&copy); /* the stream's */
    int result = 0;
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(directory, entry->d_name, 0) != 0 && errno != ENOENT)
            result =
                keep_first(result, err_errno(result == 0 ? err : NULL, errno, "remove %s", entry->d_name));
    }
    closedir(stream);
    return result;
}

int names_clear(const char *path, struct err *err)
{
    AUTO_CLOSE int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return errno == ENOENT ? 0 : err_errno(err, errno, "open %s", path);
    int result = sweep_names(directory, err);
    if (result == 0 && unlinkat(directory, "names", 0) != 0 && errno != ENOENT)
        return err_errno(err, errno, "remove %s/names", path);
    return result;
}

int names_sweep(const char *path, struct err *err)
{
    AUTO_CLOSE int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return errno == ENOENT ? 0 : err_errno(err, errno, "open %s", path);
    int result = sweep_names(directory, err);
    if (result < 0)
        return result; /* the file is still needed: the next sweep tries again */
    result = remove_files(directory, err);
    if (result == 0 && rmdir(path) != 0 && errno != ENOENT)
        return err_errno(err, errno, "remove %s", path);
    return result;
}
