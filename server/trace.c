#include "server/trace.h"

#include <stdio.h>
#include <string.h>

/* Times of the format are in microseconds; fractions are allowed. */
static void write_time(struct json_writer *writer, const char *name, double ns)
{
    json_write_number(writer, name, ns / 1000);
}

static double number_of(const struct json_node *object, const char *name)
{
    return json_number_or(json_member(object, name), 0);
}

/* Every process needs a pid of its own: a worker that died before it said its own gets its place in the list.
 */
static int64_t pid_of(const struct json_node *workers, const char *name)
{
    int64_t place = 1;
    for (const struct json_node *worker = json_first(workers); worker != NULL; worker = json_next(worker)) {
        if (strcmp(json_string_or(json_member(worker, "worker"), ""), name) == 0)
            return json_integer_or(json_member(worker, "pid"), place);
        place++;
    }
    return place;
}

static void begin_event(struct json_writer *writer, const char *phase, const char *name, int64_t pid)
{
    json_begin_object(writer, NULL);
    json_write_string(writer, "ph", phase);
    json_write_string(writer, "name", name);
    json_write_integer(writer, "pid", pid);
    json_write_integer(writer, "tid", pid);
}

/* Metadata ("M"): what a process is called, and its place among the others. */
static void write_process(struct json_writer *writer, int64_t pid, const char *name, int64_t place)
{
    begin_event(writer, "M", "process_name", pid);
    json_begin_object(writer, "args");
    json_write_string(writer, "name", name);
    json_end_object(writer);
    json_end_object(writer);
    begin_event(writer, "M", "process_sort_index", pid);
    json_begin_object(writer, "args");
    json_write_integer(writer, "sort_index", place);
    json_end_object(writer);
    json_end_object(writer);
}

/* An instant ("i") of the process ("p"): its states. */
static void write_states(struct json_writer *writer, const struct json_node *worker, int64_t pid)
{
    const struct json_node *state = json_first(json_member(worker, "states"));
    for (; state != NULL; state = json_next(state)) {
        begin_event(writer, "i", json_string_or(json_member(state, "state"), ""), pid);
        json_write_string(writer, "cat", "state");
        json_write_string(writer, "s", "p");
        write_time(writer, "ts", number_of(state, "at_ns"));
        json_begin_object(writer, "args");
        json_write_node(writer, "cause", json_member(state, "cause"));
        json_end_object(writer);
        json_end_object(writer);
    }
}

static void write_workers(struct json_writer *writer, const struct json_node *workers)
{
    int64_t place = 0;
    for (const struct json_node *worker = json_first(workers); worker != NULL; worker = json_next(worker)) {
        const char *name = json_string_or(json_member(worker, "worker"), "");
        int64_t pid = pid_of(workers, name);
        write_process(writer, pid, name, place++);
        write_states(writer, worker, pid);
    }
}

/* A complete event ("X"), or one that has only begun ("B"): a call that never returned. */
static void write_call(struct json_writer *writer, const struct json_node *call,
                       const struct json_node *workers)
{
    static const char *const arguments[] = {"arguments", "returned", "errno", "bytes"};
    bool has_returned = json_is(json_member(call, "end_ns"), JSON_NUMBER);
    double begin_ns = number_of(call, "begin_ns");
    begin_event(writer, has_returned ? "X" : "B", json_string_or(json_member(call, "call"), ""),
                pid_of(workers, json_string_or(json_member(call, "worker"), "")));
    json_write_string(writer, "cat", "call");
    write_time(writer, "ts", begin_ns);
    if (has_returned)
        write_time(writer, "dur", number_of(call, "end_ns") - begin_ns);
    json_begin_object(writer, "args");
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
        json_write_node(writer, arguments[i], json_member(call, arguments[i]));
    json_end_object(writer);
    json_end_object(writer);
}

void trace_write(struct json_writer *writer, const struct json_node *record, const char *title)
{
    const struct json_node *workers = json_member(record, "workers");
    json_begin_object(writer, NULL);
    json_write_string(writer, "displayTimeUnit", "ns");
    json_begin_object(writer, "otherData");
    json_write_string(writer, "title", title);
    json_end_object(writer);
    json_begin_array(writer, "traceEvents");
    write_workers(writer, workers);
    const struct json_node *call = json_first(json_member(record, "timeline"));
    for (; call != NULL; call = json_next(call))
        write_call(writer, call, workers);
    json_end_array(writer);
    json_end_object(writer);
}
