#include <errno.h>
#include <stdio.h>

#include "db/internal.h"

static int copy_pages(struct store *store, struct store *copy, struct err *err)
{
    errno = 0;
    sqlite3_backup *backup = sqlite3_backup_init(copy->db, "main", store->db, "main");
    int status = backup != NULL ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(copy->db);
    int finished = sqlite3_backup_finish(backup);
    if (status == SQLITE_DONE && finished == SQLITE_OK)
        return 0;
    return store_fail(copy, "copy the archive", status == SQLITE_DONE ? finished : status, err);
}

/* Under another name until it is whole, so that a copy that is there is a good one. The copy has a health of
 * its own: where it is written is not where the archive is. */
int store_backup(struct store *store, const char *path, struct err *err)
{
    AUTO_FREE char *unfinished = NULL;
    if (asprintf(&unfinished, "%s.new", path) < 0) {
        unfinished = NULL;
        return err_errno(err, ENOMEM, "copy the archive to %s", path);
    }
    struct store copy = {.lock_fd = -1, .path = unfinished};
    directory_remove_database(unfinished);
    int rc = connection_open(&copy, unfinished, CONNECTION_CREATE, err);
    if (rc == 0)
        rc = copy_pages(store, &copy, err);
    connection_close(&copy);
    if (rc == 0)
        rc = store_must_be_unchanged(store, err);
    if (rc == 0)
        rc = directory_rename(unfinished, path, err);
    if (rc < 0) {
        directory_remove_database(unfinished);
        err_prefix(err, "back up to %s", path);
    }
    return rc;
}
