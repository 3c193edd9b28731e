/* A copy takes the archive's place. The archive is a file and its log, and no call renames two at once; so a
 * checked copy takes the name DIR/ipclab.db.restored first, which decides it: whoever opens the archive then
 * finishes what is left. Killed before that, there is the old archive; after it, the new one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/clock.h"
#include "db/internal.h"

static char *path_with(const char *path, const char *ending)
{
    char *whole = NULL;
    return asprintf(&whole, "%s%s", path, ending) < 0 ? NULL : whole;
}

/* DIR/ipclab.db.before-20260131T235959.123Z, from the time of the copy, so that it is the same whoever
 * finishes. With their logs the names go together: what was set aside can be restored in turn. */
static char *name_aside(const char *path, const struct timespec *copied)
{
    char stamp[32];
    struct tm utc;
    char *name = NULL;
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", gmtime_r(&copied->tv_sec, &utc));
    int ms = (int)(copied->tv_nsec / NS_PER_MS);
    return asprintf(&name, "%s.before-%s.%03dZ", path, stamp, ms) < 0 ? NULL : name;
}

static int set_aside(const char *path, const char *aside, struct err *err)
{
    static const char *const endings[] = {"-shm", "-wal", "-journal", ""};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        AUTO_FREE char *from = path_with(path, endings[i]);
        AUTO_FREE char *to = path_with(aside, endings[i]);
        if (from == NULL || to == NULL)
            return err_errno(err, ENOMEM, "set %s aside", path);
        if (rename(from, to) < 0 && errno != ENOENT)
            return err_errno(err, errno, "rename %s to %s", from, to);
    }
    /* Before the copy has the archive's name: no log of another file may be found beside it. */
    return directory_sync(path, err);
}

/* What a restore leaves that was killed before its copy was checked. */
static void remove_unchecked(const char *path)
{
    AUTO_FREE char *unchecked = path_with(path, ".unchecked");
    AUTO_FREE char *unfinished = path_with(path, ".unchecked.new");
    if (unchecked == NULL || unfinished == NULL)
        return;
    directory_remove_database(unchecked);
    directory_remove_database(unfinished);
}

int restore_finish(const char *path, char **aside, struct err *err)
{
    AUTO_FREE char *restored = path_with(path, ".restored");
    struct stat status;
    if (restored == NULL)
        return err_errno(err, ENOMEM, "look for a copy that was restored");
    remove_unchecked(path);
    if (stat(restored, &status) < 0)
        return errno == ENOENT ? 0 : err_errno(err, errno, "look at %s", restored);
    AUTO_FREE char *name = name_aside(path, &status.st_mtim);
    if (name == NULL)
        return err_errno(err, ENOMEM, "set %s aside", path);
    int rc = set_aside(path, name, err);
    if (rc == 0)
        rc = directory_rename(restored, path, err);
    if (rc == 0 && aside != NULL && access(name, F_OK) == 0)
        *aside = take_pointer(name);
    return rc;
}

bool restore_is_unfinished(const char *path)
{
    AUTO_FREE char *restored = path_with(path, ".restored");
    return restored == NULL || access(restored, F_OK) == 0;
}

/* ---- the copy ---- */

static int check_source(const char *file, const char *path, struct err *err)
{
    struct stat from, to;
    if (stat(file, &from) == 0 && stat(path, &to) == 0 && from.st_dev == to.st_dev &&
        from.st_ino == to.st_ino)
        return err_set(err, EINVAL, "%s is the archive itself", file);
    return 0;
}

static int copy_file(const char *file, const char *to, struct err *err)
{
    struct store *store = NULL;
    int rc = store_open_file(file, &store, err);
    if (rc == 0)
        rc = store_backup(store, to, err);
    store_close(store);
    return rc;
}

static int verify_copy(const char *path, void (*report)(void *context, const char *finding), void *context,
                       int64_t *findings, struct err *err)
{
    struct store *store = NULL;
    int rc = store_open_file(path, &store, err);
    if (rc == 0)
        rc = store_verify(store, report, context, findings, err);
    store_close(store);
    return rc;
}

static int restore(const char *path, const char *file, struct store_restoring *restoring, struct err *err)
{
    AUTO_FREE char *unchecked = path_with(path, ".unchecked");
    AUTO_FREE char *restored = path_with(path, ".restored");
    if (unchecked == NULL || restored == NULL)
        return err_errno(err, ENOMEM, "restore %s", file);
    int rc = check_source(file, path, err);
    if (rc == 0)
        rc = copy_file(file, unchecked, err);
    if (rc == 0)
        rc = verify_copy(unchecked, restoring->report, restoring->context, &restoring->findings, err);
    if (rc < 0 || restoring->findings > 0) {
        directory_remove_database(unchecked);
        return rc;
    }
    rc = directory_rename(unchecked, restored, err);
    return rc < 0 ? rc : restore_finish(path, &restoring->aside, err);
}

/* Before a directory is made that nothing would come into. */
static int check_file(const char *file, struct err *err)
{
    struct store *store = NULL;
    int rc = store_open_file(file, &store, err);
    store_close(store);
    return rc;
}

int store_restore(const char *directory, const char *file, struct store_restoring *restoring, struct err *err)
{
    AUTO_FREE char *path = path_with(directory, "/ipclab.db");
    AUTO_CLOSE int lock_fd = -1;
    restoring->findings = 0;
    restoring->aside = NULL;
    if (path == NULL)
        return err_errno(err, ENOMEM, "restore %s", file);
    int rc = check_file(file, err);
    if (rc == 0)
        rc = directory_prepare(directory, err);
    if (rc == 0)
        rc = directory_lock(directory, &lock_fd, err);
    if (rc == 0)
        rc = restore_finish(path, NULL, err);
    return rc < 0 ? rc : restore(path, file, restoring, err);
}
