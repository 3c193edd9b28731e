#include "server/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/words.h"

enum { FACTS_BYTES_MAX = 32 * 1024 };

void ledger_fini(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++)
        store_check_fini(&ledger->checks[i]);
    free(ledger->checks);
    store_machine_fini(&ledger->machine);
    *ledger = (struct ledger){.count = 0};
}

/* Exactly length of these characters. */
static bool read_code(const struct json_node *object, const char *name, const char *alphabet, size_t length,
                      char *code)
{
    const char *value = json_string_or(json_member(object, name), "");
    if (strlen(value) != length || strspn(value, alphabet) != length)
        return false;
    memcpy(code, value, length + 1);
    return true;
}

static bool read_hash(const struct json_node *object, const char *name, char hash[STORE_HASH_BYTES])
{
    return read_code(object, name, "0123456789abcdef", STORE_HASH_BYTES - 1, hash);
}

/* NULL if memory runs out. */
static char *write_alone(const struct json_node *node)
{
    struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_write_node(&writer, NULL, node);
    char *taken = text_take(&text);
    text_fini(&text);
    return taken;
}

/* ---- the machine ---- */

static const struct json_node *find_machine(const struct json_node *document)
{
    const char *wanted = json_string_or(json_member(document, "machine"), "");
    const struct json_node *machine = json_first(json_member(document, "machines"));
    while (machine != NULL && strcmp(json_string_or(json_member(machine, "full"), ""), wanted) != 0)
        machine = json_next(machine);
    return machine;
}

static void read_machine(const struct json_node *document, struct store_machine *machine,
                         struct faults *faults)
{
    const struct json_node *found = find_machine(document);
    const struct json_node *facts = json_member(found, "facts");
    if (!read_hash(found, "full", machine->full) || !read_hash(found, "comparable", machine->comparable))
        faults_add(faults, "/machine", "must be the full hash of one of \"machines\"");
    else if (!json_is(facts, JSON_OBJECT))
        faults_add(faults, "/machines", "must have the facts of the machine");
    else
        machine->facts = write_alone(facts);
    if (machine->facts != NULL && strlen(machine->facts) > FACTS_BYTES_MAX)
        faults_add(faults, "/machines", "must have at most %d bytes of facts", FACTS_BYTES_MAX);
}

/* ---- the checks ---- */

/* As the worker said it: keys instead of the texts that were made from them. */
static char *write_result(const struct json_node *check)
{
    struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    const struct json_node *skipped = json_member(check, "skipped");
    json_begin_object(&writer, NULL);
    json_write_node(&writer, "evidence", json_member(check, "evidence"));
    json_write_string(&writer, "why", json_string_or(json_member(check, "why_key"), NULL));
    json_write_integer(&writer, "repeats", json_integer_or(json_member(check, "repeats"), 0));
    if (json_is(skipped, JSON_OBJECT)) {
        json_begin_object(&writer, "skipped");
        json_write_string(&writer, "call", json_string_or(json_member(skipped, "call"), NULL));
        json_write_string(&writer, "errno", json_string_or(json_member(skipped, "errno"), NULL));
        json_write_string(&writer, "what", json_string_or(json_member(skipped, "what_key"), NULL));
        json_end_object(&writer);
    }
    json_end_object(&writer);
    char *taken = text_take(&text);
    text_fini(&text);
    return taken;
}

static void read_check(const struct json_node *node, struct store_check *check, struct faults *faults)
{
    int64_t claim = 0;
    *check = (struct store_check){.state = ACTIVITY_DONE, .verdict = -1};
    if (!read_code(node, "uid", "0123456789ABCDEFGHJKMNPQRSTVWXYZ", STORE_UID_BYTES - 1, check->uid))
        faults_add(faults, "/uid", "must be a ULID");
    json_read_integer(node, "claim", 1, INT32_MAX, &claim, faults);
    json_read_integer(node, "created_ms", 0, JSON_INTEGER_MAX, &check->created_ms, faults);
    json_read_integer(node, "started_ms", 0, JSON_INTEGER_MAX, &check->started_ms, faults);
    json_read_integer(node, "finished_ms", 0, JSON_INTEGER_MAX, &check->finished_ms, faults);
    json_read_word(node, "verdict", verdict_names, VERDICT_COUNT, &check->verdict, faults);
    if (claim == 0 || check->verdict < 0 || !json_is(json_member(node, "evidence"), JSON_OBJECT))
        faults_add(faults, "", "must have claim, verdict and evidence");
    check->claim = (int)claim;
    check->result = write_result(node);
}

static void read_checks(const struct json_node *list, struct ledger *ledger, struct faults *faults)
{
    size_t place = 0;
    for (const struct json_node *node = json_first(list); node != NULL; node = json_next(node), place++) {
        char pointer[32];
        struct faults own = {.count = 0};
        if (strcmp(json_string_or(json_member(node, "state"), ""), "done") != 0)
            continue; /* one that failed says nothing about the claim */
        read_check(node, &ledger->checks[ledger->count++], &own);
        snprintf(pointer, sizeof pointer, "/checks/%zu", place);
        faults_add_below(faults, pointer, &own);
    }
}

int ledger_read(const struct json_node *document, struct ledger *ledger, struct faults *faults,
                struct err *err)
{
    const struct json_node *list = json_member(document, "checks");
    *ledger = (struct ledger){.count = 0};
    if (!json_is(list, JSON_ARRAY)) {
        faults_add(faults, "/checks", "must be an array");
        return 0;
    }
    ledger->checks = calloc(json_count(list) + 1, sizeof *ledger->checks);
    if (ledger->checks == NULL)
        return err_set(err, ENOMEM, "out of memory for a ledger");
    read_machine(document, &ledger->machine, faults);
    read_checks(list, ledger, faults);
    bool whole = ledger->machine.facts != NULL || faults->count > 0;
    for (size_t i = 0; i < ledger->count; i++)
        whole = whole && ledger->checks[i].result != NULL;
    return whole ? 0 : err_set(err, ENOMEM, "out of memory for a ledger");
}
