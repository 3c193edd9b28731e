#include "server/attempt_record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

enum {
    WORKERS_MAX = 64,
    WORKER_NAME_BYTES = 48,
    LINE_DEPTH_MAX = JSON_DEPTH_MAX - 4, /* so that a record, which nests it deeper, can be read again */
};

struct worker {
    char name[WORKER_NAME_BYTES];
    int64_t pid;        /* 0 = not said */
    struct text states; /* the elements of an array */
};

/* A call is written in two halves, as it comes: members without the braces around. */
struct call {
    int64_t number;
    int worker;
    char *begun, *ended; /* ended NULL: it has not returned */
};

struct attempt_record {
    size_t worker_count;
    struct worker workers[WORKERS_MAX];
    size_t call_count, call_capacity;
    struct call *calls;
    struct text panels; /* the elements of an array */
    size_t bytes;       /* of the lines that were kept */
    uint64_t cut_lines;
    struct json_node *result, *refusal, *failure;
};

struct attempt_record *attempt_record_new(void)
{
    return calloc(1, sizeof(struct attempt_record));
}

void attempt_record_free(struct attempt_record *record)
{
    if (record == NULL)
        return;
    for (size_t i = 0; i < record->worker_count; i++)
        text_fini(&record->workers[i].states);
    for (size_t i = 0; i < record->call_count; i++) {
        free(record->calls[i].begun);
        free(record->calls[i].ended);
    }
    free(record->calls);
    text_fini(&record->panels);
    json_free(record->result);
    json_free(record->refusal);
    json_free(record->failure);
    free(record);
}

void attempt_record_note_cut(struct attempt_record *record, uint64_t count)
{
    record->cut_lines += count;
}

/* ---- the kinds of lines: 1 = kept, 0 = not ---- */

/* Its place; -1 if there are too many. */
static int worker_of(struct attempt_record *record, const struct json_node *line)
{
    const char *name = json_string_or(json_member(line, "worker"), "");
    for (size_t i = 0; i < record->worker_count; i++)
        if (strncmp(record->workers[i].name, name, WORKER_NAME_BYTES - 1) == 0)
            return (int)i;
    if (record->worker_count == WORKERS_MAX)
        return -1;
    text_copy(record->workers[record->worker_count].name, WORKER_NAME_BYTES, name);
    return (int)record->worker_count++;
}

static int take_worker(struct attempt_record *record, const struct json_node *line)
{
    int worker = worker_of(record, line);
    if (worker >= 0)
        record->workers[worker].pid = json_integer_or(json_member(line, "pid"), 0);
    return worker >= 0;
}

/* Appends members of the line to an object, null for one that is missing. */
static void write_members(struct json_writer *writer, const struct json_node *line, const char *const *names,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct json_node *member = json_member(line, names[i]);
        if (member != NULL)
            json_write_node(writer, names[i], member);
        else
            json_write_null(writer, names[i]);
    }
}

static int append_element(struct text *list, const struct json_node *line, const char *const *names,
                          size_t count)
{
    if (list->length > 0)
        text_append_char(list, ',');
    struct json_writer writer = json_writer_on(list);
    json_begin_object(&writer, NULL);
    write_members(&writer, line, names, count);
    json_end_object(&writer);
    return text_ok(list);
}

static int take_state(struct attempt_record *record, const struct json_node *line)
{
    static const char *const names[] = {"at_ns", "state", "cause"};
    int worker = worker_of(record, line);
    return worker >= 0 &&
           append_element(&record->workers[worker].states, line, names, sizeof names / sizeof *names);
}

static int take_panel(struct attempt_record *record, const struct json_node *line)
{
    static const char *const names[] = {"panel", "at_ns", "data"};
    return append_element(&record->panels, line, names, sizeof names / sizeof *names);
}

/* NULL if memory runs out. */
static char *half_of(const struct json_node *line, const char *const *names, size_t count)
{
    struct text half = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&half);
    write_members(&writer, line, names, count);
    char *taken = text_take(&half);
    text_fini(&half);
    return taken;
}

static bool has_room(struct attempt_record *record)
{
    if (record->call_count < record->call_capacity)
        return true;
    size_t capacity = record->call_capacity > 0 ? 2 * record->call_capacity : 64;
    struct call *grown = realloc(record->calls, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    record->calls = grown;
    record->call_capacity = capacity;
    return true;
}

static int take_call(struct attempt_record *record, const struct json_node *line)
{
    static const char *const names[] = {"begin_ns", "call", "arguments"};
    struct call call = {.number = json_integer_or(json_member(line, "number"), 0),
                        .worker = worker_of(record, line)};
    if (call.worker < 0 || !has_room(record))
        return 0;
    call.begun = half_of(line, names, sizeof names / sizeof *names);
    if (call.begun != NULL)
        record->calls[record->call_count++] = call;
    return call.begun != NULL;
}

/* Labs number their calls as they tell them, so it is nearly always where it should be. */
static struct call *find_call(struct attempt_record *record, int64_t number)
{
    if (number >= 1 && number <= (int64_t)record->call_count && record->calls[number - 1].number == number)
        return &record->calls[number - 1];
    for (size_t i = record->call_count; i > 0; i--)
        if (record->calls[i - 1].number == number)
            return &record->calls[i - 1];
    return NULL;
}

static int take_return(struct attempt_record *record, const struct json_node *line)
{
    static const char *const names[] = {"end_ns", "returned", "errno", "bytes"};
    struct call *call = find_call(record, json_integer_or(json_member(line, "number"), 0));
    if (call == NULL || call->ended != NULL)
        return 0;
    call->ended = half_of(line, names, sizeof names / sizeof *names);
    return call->ended != NULL;
}

static const struct {
    const char *type;
    int (*take)(struct attempt_record *record, const struct json_node *line);
} kinds[] = {
    {"worker", take_worker}, {"call", take_call},   {"return", take_return},
    {"state", take_state},   {"panel", take_panel},
};

/* ---- taking ---- */

/* Those that end an attempt keep their document. */
static bool take_last(struct attempt_record *record, const char *type, struct json_node **line)
{
    struct json_node **slot = strcmp(type, "result") == 0    ? &record->result
                              : strcmp(type, "refused") == 0 ? &record->refusal
                              : strcmp(type, "failed") == 0  ? &record->failure
                                                             : NULL;
    if (slot == NULL)
        return false;
    if (*slot == NULL)
        *slot = take_pointer(*line);
    return true;
}

static int take_by_type(struct attempt_record *record, const struct json_node *line, size_t length,
                        const char *type, struct err *err)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(type, kinds[i].type) != 0)
            continue;
        bool fits = record->bytes + length <= ATTEMPT_RECORD_BYTES_MAX;
        int kept = fits ? kinds[i].take(record, line) : 0;
        if (kept > 0)
            record->bytes += length;
        else
            record->cut_lines++;
        return kept;
    }
    return err_set(err, EPROTO, "it said a line of type \"%.40s\"", type);
}

static int depth_of(const struct json_node *node)
{
    int deepest = 0;
    for (const struct json_node *child = json_first(node); child != NULL; child = json_next(child)) {
        int depth = depth_of(child);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

int attempt_record_take(struct attempt_record *record, const char *line, size_t length, struct err *err)
{
    AUTO(json_cleanup) struct json_node *document = json_parse(line, length, err);
    if (document == NULL) {
        err_prefix(err, "it said what is no JSON");
        return -EPROTO;
    }
    if (depth_of(document) > LINE_DEPTH_MAX)
        return err_set(err, EPROTO, "it said a line nested more than %d deep", LINE_DEPTH_MAX);
    AUTO_FREE char *type = strdup(json_string_or(json_member(document, "type"), ""));
    if (type == NULL)
        return 0;
    if (take_last(record, type, &document))
        return 1;
    return take_by_type(record, document, length, type, err);
}

const struct json_node *attempt_record_result(const struct attempt_record *record)
{
    return record->result;
}

const struct json_node *attempt_record_refusal(const struct attempt_record *record)
{
    return record->refusal;
}

const struct json_node *attempt_record_failure(const struct attempt_record *record)
{
    return record->failure;
}

/* ---- writing ---- */

static void write_worker(struct json_writer *writer, const struct worker *worker)
{
    json_begin_object(writer, NULL);
    json_write_string(writer, "worker", worker->name);
    json_write_positive(writer, "pid", worker->pid);
    json_begin_array(writer, "states");
    text_append(writer->out, text_string(&worker->states));
    json_end_array(writer);
    json_end_object(writer);
}

static void write_call(struct json_writer *writer, const struct attempt_record *record,
                       const struct call *call)
{
    static const char open_end[] = "\"end_ns\":null,\"returned\":null,\"errno\":null,\"bytes\":null";
    const struct worker *worker = &record->workers[call->worker];
    json_begin_object(writer, NULL);
    json_write_integer(writer, "number", call->number);
    json_write_string(writer, "worker", worker->name);
    json_write_positive(writer, "pid", worker->pid);
    text_append_char(writer->out, ',');
    text_append(writer->out, call->begun);
    text_append_char(writer->out, ',');
    text_append(writer->out, call->ended != NULL ? call->ended : open_end);
    json_end_object(writer);
}

void attempt_record_write(struct json_writer *writer, const struct attempt_record *record)
{
    json_begin_array(writer, "workers");
    for (size_t i = 0; i < record->worker_count; i++)
        write_worker(writer, &record->workers[i]);
    json_end_array(writer);
    json_begin_array(writer, "panels");
    text_append(writer->out, text_string(&record->panels));
    json_end_array(writer);
    json_begin_array(writer, "timeline");
    for (size_t i = 0; i < record->call_count; i++)
        write_call(writer, record, &record->calls[i]);
    json_end_array(writer);
    json_write_unsigned(writer, "cut_lines", record->cut_lines);
}
