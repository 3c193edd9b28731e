#include <errno.h>
#include <string.h>

#include "db/internal.h"

#define STORE_SORT_NAME_OF(symbol, name) [symbol] = (name),
const char *const store_sort_names[STORE_SORT_COUNT] = {STORE_SORT_WORDS(STORE_SORT_NAME_OF)};

/* One statement for each order, with every filter in it: a filter that is not asked for is NULL. The order
 * comes from an index, the page begins inside it, nothing is sorted. Text, mechanism and tag become sets of
 * ids when the first run comes to them, so that their cost is the same however many runs match; they stand
 * first, because in the order of names a run they refuse is never looked up. */
#define RUN_FILTERS                                                                                          \
    " AND (?4 IS NULL OR r.id IN ("                                                                          \
    "SELECT id FROM run WHERE name LIKE ?4 ESCAPE '\\' OR note LIKE ?4 ESCAPE '\\' UNION ALL "               \
    "SELECT run_id FROM run_tag WHERE tag_id IN (SELECT id FROM tag WHERE name LIKE ?4 ESCAPE '\\')))"       \
    " AND (?5 IS NULL OR r.id IN (SELECT run_id FROM run_mechanism WHERE mechanism = ?5))"                   \
    " AND (?6 IS NULL OR r.id IN"                                                                            \
    " (SELECT run_id FROM run_tag WHERE tag_id = (SELECT id FROM tag WHERE name = ?6)))"                     \
    " AND r.deleted_ms IS NULL"                                                                              \
    " AND (?7 IS NULL OR r.state = ?7)"                                                                      \
    " AND (?8 IS NULL OR r.machine_id IN"                                                                    \
    " (SELECT id FROM machine WHERE comparable_hash = ?8 OR full_hash = ?8))"                                \
    " AND (?9 IS NULL OR r.created_ms >= ?9)"                                                                \
    " AND (?10 IS NULL OR r.created_ms < ?10)"
#define RUN_LIST(after, order)                                                                               \
    "SELECT " RUN_COLUMNS " FROM " RUN_TABLES " WHERE " after RUN_FILTERS " ORDER BY " order " LIMIT ?1"

/* ?1 limit, ?2 id and ?3 name of the last run of the page before. */
static const char list_newest_sql[] = RUN_LIST("r.id < ?2 AND ?3 IS NOT NULL", "r.id DESC");
static const char list_oldest_sql[] = RUN_LIST("r.id > ?2 AND ?3 IS NOT NULL", "r.id");
static const char list_name_sql[] = RUN_LIST("(r.name, r.id) > (?3, ?2)", "r.name, r.id");

static const struct {
    const char *sql;
    int64_t first_id; /* before the first page */
} orders[STORE_SORT_COUNT] = {
    [STORE_SORT_NEWEST] = {list_newest_sql, INT64_MAX},
    [STORE_SORT_OLDEST] = {list_oldest_sql, 0},
    [STORE_SORT_NAME] = {list_name_sql, 0},
};

void store_run_list_fini(struct store_run_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        store_run_fini(&list->runs[i]);
    list->count = 0;
}

/* %text% with LIKE's own characters escaped. */
static void append_pattern(struct text *pattern, const char *text)
{
    text_append_char(pattern, '%');
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr("%_\\", *c) != NULL)
            text_append_char(pattern, '\\');
        text_append_char(pattern, *c);
    }
    text_append_char(pattern, '%');
}

static void bind_query(struct statement *statement, const struct store_run_query *query,
                       const struct cursor *after, const char *pattern)
{
    bind_integer(statement, query->limit + 1); /* one more tells whether there is a next page */
    bind_integer(statement, after->id);
    bind_text(statement, after->name);
    bind_text(statement, pattern);
    bind_text(statement, query->mechanism);
    bind_text(statement, query->tag);
    bind_text(statement, query->state >= 0 ? run_state_names[query->state] : NULL);
    bind_text(statement, query->machine);
    bind_integer_or_null(statement, query->since_ms);
    bind_integer_or_null(statement, query->until_ms);
}

static int read_page(struct statement *statement, int limit, struct store_run_list *list, bool *more,
                     struct err *err)
{
    int rc;
    while ((rc = statement_step(statement, err)) > 0 && list->count < (size_t)limit)
        run_read(statement, &list->runs[list->count++]);
    *more = rc > 0;
    return rc < 0 ? rc : statement_check(statement, err);
}

static int name_next_page(struct store_run_list *list, enum store_sort sort, struct err *err)
{
    const struct store_run *last = &list->runs[list->count - 1];
    struct cursor cursor = {.sort = sort, .id = last->id};
    if (sort == STORE_SORT_NAME)
        text_copy(cursor.name, sizeof cursor.name, last->name);
    cursor_encode(&cursor, list->next_cursor, sizeof list->next_cursor);
    if (list->next_cursor[0] == '\0')
        return err_errno(err, ENOMEM, "name the next page");
    return 0;
}

static int check_query(const struct store_run_query *query, struct err *err)
{
    if (query->limit < 1 || query->limit > STORE_LIST_MAX)
        return err_set(err, EINVAL, "a list's limit is 1 to %d, got %d", (int)STORE_LIST_MAX, query->limit);
    if ((unsigned)query->sort >= STORE_SORT_COUNT || query->state >= RUN_STATE_COUNT)
        return err_set(err, EINVAL, "a list has no such order or state");
    return 0;
}

int store_run_list(struct store *store, const struct store_run_query *query, struct store_run_list *list,
                   struct err *err)
{
    list->count = 0;
    list->next_cursor[0] = '\0';
    int rc = check_query(query, err);
    if (rc < 0)
        return rc;
    struct cursor after = {.id = orders[query->sort].first_id};
    if (query->cursor != NULL)
        rc = cursor_decode(query->cursor, query->sort, &after, err);
    if (rc < 0)
        return rc;
    AUTO(text_fini) struct text pattern = TEXT_EMPTY;
    if (query->text != NULL)
        append_pattern(&pattern, query->text);
    if (!text_ok(&pattern))
        return err_errno(err, ENOMEM, "list the runs");

    AUTO_STATEMENT statement = STATEMENT_NONE;
    rc = statement_open(store, "list the runs", orders[query->sort].sql, &statement, err);
    if (rc < 0)
        return rc;
    bind_query(&statement, query, &after, query->text != NULL ? text_string(&pattern) : NULL);
    bool more = false;
    rc = read_page(&statement, query->limit, list, &more, err);
    if (rc == 0 && more)
        rc = name_next_page(list, query->sort, err);
    if (rc < 0)
        store_run_list_fini(list);
    return rc;
}
