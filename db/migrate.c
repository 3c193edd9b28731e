#include "db/migrate.h"

#include <stdio.h>

#include "db/internal.h"

static int apply(struct store *store, const struct migration *migration, struct err *err)
{
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    char set_version[48];
    snprintf(set_version, sizeof set_version, "PRAGMA user_version = %d", migration->version);
    int rc = transaction_begin(store, "migrate the archive", &transaction, err);
    if (rc == 0)
        rc = connection_run(store, migration->name, migration->sql, err);
    if (rc == 0)
        rc = connection_run(store, "note the schema version", set_version, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}

int migrate_run(struct store *store, int64_t version, const struct migration *list, size_t count,
                struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].version <= version)
            continue;
        int rc = apply(store, &list[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
