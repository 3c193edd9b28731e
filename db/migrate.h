/* migrate: the archive's schema, version by version.
 *
 * A migration is one file db/migrations/NNNN_name.sql, embedded at build time by db/embed_migrations.sh. Its
 * number is the schema version it leads to (PRAGMA user_version). Published migrations never change; a new
 * schema is a new file. */
#ifndef IPCLAB_DB_MIGRATE_H
#define IPCLAB_DB_MIGRATE_H

#include <stddef.h>

#include "common/err.h"

struct store;

struct migration {
    int version; /* 1, 2, … without gaps */
    const char *name;
    const char *sql;
};

/* Generated: every file of db/migrations in order. */
extern const struct migration migrations[];
extern const size_t migrations_count;

/* store_open with another table of migrations: how the next version's programs meet this one's archives. */
int store_open_migrating(const char *directory, const struct migration *list, size_t count,
                         struct store **store, struct err *err);

#endif
