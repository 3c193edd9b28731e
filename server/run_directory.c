#include "server/run_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/log.h"

static void close_directory(DIR **directory)
{
    if (*directory != NULL)
        closedir(*directory);
}

int run_directory_sweep(const struct worker_program *program, const char *crew_directory, struct err *err)
{
    AUTO(text_fini) struct text output = TEXT_EMPTY;
    char *arguments[] = {"sweep", (char *)crew_directory, NULL};
    int result = worker_program_capture(program, arguments, 0, &output, err);
    if (output.length > 0)
        log_write(LOG_INFO, "swept what a crew had left", "%s", text_string(&output));
    return result;
}

/* Everything in it is from an earlier life. */
static int sweep_all(const char *path, const struct worker_program *program, struct err *err)
{
    AUTO(close_directory) DIR *directory = opendir(path);
    if (directory == NULL)
        return err_errno(err, errno, "open %s", path);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char inner[RUN_DIRECTORY_BYTES + 256];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (unlink(inner) == 0)
            continue;
        int result = run_directory_sweep(program, inner, err);
        if (result < 0)
            return result;
    }
    return 0;
}

int run_directory_open(const char *data_directory, const struct worker_program *program,
                       char path[RUN_DIRECTORY_BYTES], struct err *err)
{
    AUTO_FREE char *real = realpath(data_directory, NULL);
    if (real == NULL)
        return err_errno(err, errno, "find %s", data_directory);
    char hash[BYTES_HASH_HEX_BYTES];
    bytes_hash_hex(real, strlen(real), hash);
    const char *base = getenv("XDG_RUNTIME_DIR");
    if (base == NULL || base[0] != '/' || strlen(base) > RUN_DIRECTORY_BYTES - 28 || access(base, W_OK) < 0)
        base = "/tmp";
    snprintf(path, RUN_DIRECTORY_BYTES, "%s/ipclab-%.16s", base, hash);
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_errno(err, errno, "create %s", path);
    struct stat status;
    if (lstat(path, &status) < 0)
        return err_errno(err, errno, "look at %s", path);
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        return err_set(err, EPERM, "%s is not a directory of this user's alone: remove it", path);
    return sweep_all(path, program, err);
}

void run_directory_close(const char *path)
{
    char socket[RUN_DIRECTORY_BYTES + 16];
    snprintf(socket, sizeof socket, "%s/metrics.sock", path);
    unlink(socket);
    rmdir(path);
}
