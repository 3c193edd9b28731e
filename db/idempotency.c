#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "db/internal.h"

/* A client may retry for a day at least; after two nobody does. */
#define KEPT_MS (48 * 3600 * MS_PER_S)

static const char key_expire_sql[] = "DELETE FROM idempotency WHERE created_ms < ?";
static const char key_insert_sql[] =
    "INSERT INTO idempotency (key, body_hash, run_id, created_ms) VALUES (?, ?, ?, ?)";
static const char key_find_sql[] = "SELECT run_id, body_hash FROM idempotency WHERE key = ?";

static int expire(struct store *store, int64_t now_ms, struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "forget old idempotency keys", key_expire_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_integer(&statement, now_ms - KEPT_MS);
    return statement_run(&statement, err);
}

int idempotency_insert(struct store *store, int64_t run_id, int64_t now_ms,
                       const struct store_idempotency *idempotency, struct err *err)
{
    size_t length = strlen(idempotency->key);
    if (length > STORE_KEY_BYTES_MAX)
        return err_set(err, EINVAL, "an Idempotency-Key has at most %d bytes, got %zu",
                       (int)STORE_KEY_BYTES_MAX, length);
    int rc = expire(store, now_ms, err);
    if (rc < 0)
        return rc;
    AUTO_STATEMENT statement = STATEMENT_NONE;
    rc = statement_open(store, "remember the idempotency key", key_insert_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, idempotency->key);
    bind_text(&statement, idempotency->body_hash);
    bind_integer(&statement, run_id);
    bind_integer(&statement, now_ms);
    return statement_run(&statement, err);
}

int store_idempotency_find(struct store *store, const char *key, int64_t *run_id, char *body_hash,
                           struct err *err)
{
    AUTO_STATEMENT statement = STATEMENT_NONE;
    int rc = statement_open(store, "find the idempotency key", key_find_sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_text(&statement, key);
    rc = statement_step(&statement, err);
    if (rc == 0)
        return err_set(err, ENOENT, "no run was made with this Idempotency-Key");
    if (rc < 0)
        return rc;
    *run_id = read_integer(&statement);
    read_text_into(&statement, body_hash, STORE_HASH_BYTES);
    return statement_check(&statement, err);
}
