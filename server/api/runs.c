/* runs, the collection: what there is, and asking for one more. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/experiment.h"
#include "server/api/routes.h"
#include "server/api/support.h"
#include "server/problem.h"
#include "server/run_json.h"
#include "server/runner.h"

enum { RUNS_LIMIT = 50, FILTER_BYTES_MAX = 200 };

/* ---- list ---- */

static void read_filter(const struct request *request, const char *name, const char **value,
                        struct faults *faults)
{
    *value = request_parameter(request, name);
    if (*value == NULL || (strlen(*value) > 0 && strlen(*value) <= FILTER_BYTES_MAX))
        return;
    char pointer[FAULT_POINTER_BYTES];
    snprintf(pointer, sizeof pointer, "?%s", name);
    faults_add(faults, pointer, "must be 1 to %d bytes", FILTER_BYTES_MAX);
}

static void read_mechanism(const struct app *app, const struct request *request, const char **value,
                           struct faults *faults)
{
    const char *names[CATALOGUE_MAX];
    for (size_t i = 0; i < app->catalogue.count; i++)
        names[i] = app->catalogue.mechanisms[i].name;
    int index;
    if (request_read_word(request, "mechanism", names, app->catalogue.count, &index, faults))
        *value = names[index];
}

static void read_query(const struct app *app, const struct request *request, struct store_run_query *query,
                       struct faults *faults)
{
    int64_t limit = RUNS_LIMIT;
    int sort = STORE_SORT_NEWEST;
    *query = (struct store_run_query){.state = -1};
    request_read_integer(request, "limit", 1, STORE_LIST_MAX, &limit, faults);
    request_read_word(request, "sort", store_sort_names, STORE_SORT_COUNT, &sort, faults);
    request_read_word(request, "state", run_state_names, RUN_STATE_COUNT, &query->state, faults);
    request_read_integer(request, "since", 0, JSON_INTEGER_MAX, &query->since_ms, faults);
    request_read_integer(request, "until", 0, JSON_INTEGER_MAX, &query->until_ms, faults);
    read_mechanism(app, request, &query->mechanism, faults);
    read_filter(request, "tag", &query->tag, faults);
    query->machine = request_parameter(request, "machine");
    if (query->machine != NULL)
        api_check_hash("machine", query->machine, faults);
    read_filter(request, "q", &query->text, faults);
    read_filter(request, "cursor", &query->cursor, faults);
    query->limit = (int)limit;
    query->sort = (enum store_sort)sort;
}

static void append_encoded(struct text *out, const char *value)
{
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~", c) != NULL;
        if (plain)
            text_append_char(out, (char)c);
        else
            text_printf(out, "%%%02X", c);
    }
}

/* The same question from the cursor on (RFC 8288). */
static void add_next_link(const struct request *request, const char *cursor, struct answer *answer)
{
    AUTO(text_fini) struct text target = TEXT_EMPTY;
    text_append(&target, "/api/v1/runs?");
    for (size_t i = 0; i < request->target.parameter_count; i++) {
        const struct parameter *parameter = &request->target.parameters[i];
        if (strcmp(parameter->name, "cursor") == 0)
            continue;
        text_printf(&target, "%s=", parameter->name); /* a known one, so it needs no encoding */
        append_encoded(&target, parameter->value);
        text_append_char(&target, '&');
    }
    text_append(&target, "cursor=");
    append_encoded(&target, cursor);
    answer_add_header(answer, "Link", "<%s>; rel=\"next\"", text_string(&target));
}

static void write_list(const struct app *app, const struct request *request,
                       const struct store_run_list *list, struct answer *answer)
{
    answer_begin_json(answer, 200);
    struct json_writer writer = json_writer_on(&answer->body);
    json_begin_object(&writer, NULL);
    json_begin_array(&writer, "runs");
    for (size_t i = 0; i < list->count; i++)
        run_json_write(&writer, NULL, app, &list->runs[i]);
    json_end_array(&writer);
    bool has_next = list->next_cursor[0] != '\0';
    json_write_string(&writer, "next_cursor", has_next ? list->next_cursor : NULL);
    json_end_object(&writer);
    if (has_next)
        add_next_link(request, list->next_cursor, answer);
}

void api_list_runs(struct app *app, const struct request *request, struct answer *answer)
{
    struct faults faults = {.count = 0};
    struct store_run_query query;
    read_query(app, request, &query, &faults);
    if (faults.count > 0) {
        problem_answer_faults(answer, &faults);
        return;
    }
    struct err err;
    AUTO_FREE struct store_run_list *list = calloc(1, sizeof *list);
    if (list == NULL) {
        problem_answer(answer, 500, "Out of memory for a page of runs.");
        return;
    }
    int status = store_run_list(app->store, &query, list, &err);
    if (status == -EINVAL && query.cursor != NULL) {
        faults_add(&faults, "?cursor", "is not one that a page of this list gave");
        problem_answer_faults(answer, &faults);
        return;
    }
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return;
    }
    write_list(app, request, list, answer);
    store_run_list_fini(list);
}

/* ---- create ---- */

static bool read_key(const struct request *request, const char **key, struct answer *answer)
{
    const struct header_value *header = &request->headers[HEADER_IDEMPOTENCY_KEY];
    *key = header->value;
    if (header->count == 0)
        return true;
    size_t length = strlen(header->value);
    bool printable = true;
    for (size_t i = 0; i < length; i++)
        printable = printable && header->value[i] > 0x20 && header->value[i] < 0x7f;
    if (header->count == 1 && length > 0 && length <= STORE_KEY_BYTES_MAX && printable)
        return true;
    problem_answer_format(answer, 400,
                          "An Idempotency-Key is one field of 1 to %d printable ASCII characters.",
                          STORE_KEY_BYTES_MAX);
    return false;
}

static void answer_created(struct app *app, int64_t id, struct answer *answer)
{
    api_answer_run_id(app, id, 202, answer);
    if (answer->status == 202)
        answer_add_header(answer, "Location", "/api/v1/runs/%" PRId64, id);
}

/* Was this request made before? Then it is answered as it was, or refused if it was another one. */
static bool answer_repeated(struct app *app, const struct store_idempotency *idempotency,
                            struct answer *answer)
{
    int64_t id;
    char body_hash[STORE_HASH_BYTES];
    struct err err;
    int status = store_idempotency_find(app->store, idempotency->key, &id, body_hash, &err);
    if (status == -ENOENT)
        return false;
    if (status < 0)
        problem_answer_err(answer, status, &err);
    else if (strcmp(body_hash, idempotency->body_hash) != 0)
        problem_answer_format(
            answer, 422, "This Idempotency-Key came with another experiment before, as run %" PRId64 ".", id);
    else
        answer_created(app, id, answer);
    return true;
}

/* 53 bits: every JSON reader keeps it. */
static int64_t random_seed(void)
{
    uint64_t bits = 0;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits)
        bits = (uint64_t)clock_now_ns();
    return (int64_t)(bits & (uint64_t)JSON_INTEGER_MAX);
}

static void submit(struct app *app, const struct experiment_request *experiment,
                   const struct store_idempotency *idempotency, struct answer *answer)
{
    int64_t id;
    struct err err;
    int status = runner_submit(app->runner, experiment, idempotency, &id, &err);
    if (status < 0)
        problem_answer_err(answer, status, &err);
    else
        answer_created(app, id, answer);
}

void api_create_run(struct app *app, const struct request *request, struct answer *answer)
{
    char body_hash[BYTES_HASH_HEX_BYTES];
    struct store_idempotency idempotency = {.body_hash = body_hash};
    if (!read_key(request, &idempotency.key, answer))
        return;
    AUTO(json_cleanup) struct json_node *document = api_read_body(request, answer);
    if (document == NULL)
        return;
    bytes_hash_hex(text_string(&request->body), request->body.length, body_hash);
    if (idempotency.key != NULL && answer_repeated(app, &idempotency, answer))
        return;

    struct experiment_context context = {
        .catalogue = &app->catalogue, .cpus = app->machine.cpus, .random_seed = random_seed()};
    struct experiment_request experiment = {.skip_count = 0};
    struct faults faults = {.count = 0};
    experiment_read(document, &context, &experiment, &faults);
    if (faults.count > 0)
        problem_answer_faults(answer, &faults);
    else
        submit(app, &experiment, &idempotency, answer);
}
