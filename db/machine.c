#include <errno.h>
#include <stdlib.h>

#include "db/internal.h"

static const char machine_insert_sql[] = "INSERT INTO machine (comparable_hash, full_hash, facts)"
                                         " VALUES (?, ?, ?) ON CONFLICT (full_hash) DO NOTHING";
static const char machine_find_sql[] = "SELECT id FROM machine WHERE full_hash = ?";

static const char machine_get_sql[] =
    "SELECT comparable_hash, full_hash, facts FROM machine WHERE full_hash = ?";

static int insert(struct store *store, const struct store_machine *machine, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "archive the machine", machine_insert_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, machine->comparable);
    bind_text(&statement, machine->full);
    bind_text(&statement, machine->facts);
    return statement_run(&statement, err);
}

/* 1 = found. */
static int find(struct store *store, const char *full, int64_t *id, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "find the machine", machine_find_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, full);
    rc = statement_step(&statement, err);
    if (rc > 0)
        *id = read_integer(&statement);
    return rc;
}

int store_machine_put(struct store *store, const struct store_machine *machine, int64_t *id, struct err *err)
{
    int rc = find(store, machine->full, id, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    AUTO_TRANSACTION transaction = TRANSACTION_NONE;
    rc = transaction_begin(store, "archive the machine", &transaction, err);
    if (rc == 0)
        rc = insert(store, machine, err);
    if (rc == 0)
        rc = find(store, machine->full, id, err);
    return rc < 0 ? rc : transaction_commit(&transaction, err);
}

void store_machine_fini(struct store_machine *machine)
{
    free(machine->facts);
    machine->facts = NULL;
}

int store_machine_get(struct store *store, const char *full, struct store_machine *machine, struct err *err)
{
    *machine = (struct store_machine){.facts = NULL};
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "read the machine", machine_get_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, full);
    rc = statement_step(&statement, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(err, ENOENT, "no run was taken on a machine with this hash");
    read_text_into(&statement, machine->comparable, sizeof machine->comparable);
    read_text_into(&statement, machine->full, sizeof machine->full);
    machine->facts = read_text(&statement);
    rc = statement_check(&statement, err);
    if (rc < 0)
        store_machine_fini(machine);
    return rc;
}
