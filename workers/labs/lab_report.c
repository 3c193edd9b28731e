#include "workers/labs/lab_session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

/* A call that takes this long is worth telling whatever the budget; one that sleeps this long is blocked. */
#define LONG_CALL_NS (5 * NS_PER_MS)

/* ---- lines ---- */

static struct json_writer begin_line(struct lab *lab, const char *type)
{
    struct json_writer writer = json_writer_on(&lab->lines);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "type", type);
    return writer;
}

static void end_line(struct json_writer *writer)
{
    json_end_object(writer);
    text_append_char(writer->out, '\n');
}

void lab_flush(struct lab *lab)
{
    const char *bytes = text_string(&lab->lines);
    size_t left = lab->lines.length;
    while (left > 0 && lab->is_observed) {
        ssize_t written = write(STDOUT_FILENO, bytes, left);
        if (written < 0 && errno != EINTR)
            lab->is_observed = false;
        if (written > 0) {
            bytes += written;
            left -= (size_t)written;
        }
    }
    text_clear(&lab->lines);
}

static void tell_worker(struct lab *lab, int number)
{
    struct json_writer writer = begin_line(lab, "worker");
    json_write_string(&writer, "worker", lab->memory->workers[number].name);
    json_write_integer(&writer, "pid", lab_pid(lab, number));
    end_line(&writer);
}

static void tell_state(struct lab *lab, int number, int64_t at_ns, const char *state, const char *cause)
{
    struct json_writer writer = begin_line(lab, "state");
    json_write_string(&writer, "worker", lab->memory->workers[number].name);
    json_write_integer(&writer, "at_ns", at_ns - lab->origin_ns);
    json_write_string(&writer, "state", state);
    json_write_string(&writer, "cause", cause);
    end_line(&writer);
}

/* ---- calls ---- */

/* What is before the first parenthesis, but for a cast's. */
static void name_of_call(const struct timeline_call *call, char *name, size_t name_bytes)
{
    const char *from = call->expression;
    if (*from == '(')
        from += strcspn(from, ")") + 1;
    snprintf(name, name_bytes, "%.*s", (int)strcspn(from, "("), from);
}

void lab_doing(const struct lab *lab, int worker, char *text, size_t text_bytes)
{
    const struct lab_follower *follower = worker >= 0 ? &lab->followers[worker] : NULL;
    memset(text, 0, text_bytes);
    if (follower != NULL && follower->open.expression != NULL && !follower->has_ended)
        name_of_call(&follower->open, text, text_bytes);
    else
        text_copy(text, text_bytes, follower == NULL ? "absent" : follower->has_ended ? "ended" : "running");
}

static void tell_begin(struct lab *lab, int number)
{
    struct lab_follower *follower = &lab->followers[number];
    char name[48];
    name_of_call(&follower->open, name, sizeof name);
    follower->open_number = ++lab->call_count;
    follower->told++;
    struct json_writer writer = begin_line(lab, "call");
    json_write_integer(&writer, "number", follower->open_number);
    json_write_string(&writer, "worker", lab->memory->workers[number].name);
    json_write_integer(&writer, "begin_ns", follower->open.begin_ns - lab->origin_ns);
    json_write_string(&writer, "call", name);
    json_write_string(&writer, "arguments", follower->open.arguments);
    end_line(&writer);
}

/* Those whose result counts bytes. */
static bool moves_bytes(const char *name)
{
    static const char *const movers[] = {"read",   "write",    "pread",   "pwrite",  "send",  "recv",
                                         "sendto", "recvfrom", "sendmsg", "recvmsg", "splice"};
    return text_index_of(name, movers, sizeof movers / sizeof *movers) >= 0;
}

static void tell_end(struct lab *lab, int number, const struct timeline_call *call)
{
    char name[48], address[24];
    name_of_call(call, name, sizeof name);
    struct json_writer writer = begin_line(lab, "return");
    json_write_integer(&writer, "number", lab->followers[number].open_number);
    json_write_integer(&writer, "end_ns", call->end_ns - lab->origin_ns);
    snprintf(address, sizeof address, "0x%llx", (unsigned long long)call->returned);
    if (call->is_address && call->error == 0)
        json_write_string(&writer, "returned", address);
    else
        json_write_integer(&writer, "returned", call->returned);
    json_write_string(&writer, "errno", call->error != 0 ? strerrorname_np(call->error) : NULL);
    if (moves_bytes(name) && call->returned >= 0)
        json_write_integer(&writer, "bytes", call->returned);
    else
        json_write_null(&writer, "bytes");
    end_line(&writer);
}

static bool is_sleep(const struct timeline_call *call)
{
    char name[48];
    static const char *const sleeps[] = {"sleep", "usleep", "nanosleep", "lab_sleep_ms"};
    name_of_call(call, name, sizeof name);
    return text_index_of(name, sleeps, sizeof sleeps / sizeof *sleeps) >= 0;
}

/* A call that has been open for a while. */
static void watch_open(struct lab *lab, int number)
{
    struct lab_follower *follower = &lab->followers[number];
    if (follower->open.expression == NULL || clock_now_ns() - follower->open.begin_ns < LONG_CALL_NS)
        return;
    if (follower->open_number == 0)
        tell_begin(lab, number);
    if (!follower->is_blocked && !follower->has_ended && lab_is_asleep(lab_pid(lab, number))) {
        follower->is_blocked = true;
        tell_state(lab, number, follower->open.begin_ns, is_sleep(&follower->open) ? "sleeping" : "blocked",
                   NULL);
    }
}

static void take_begin(struct lab *lab, int number, const struct timeline_call *call)
{
    struct lab_follower *follower = &lab->followers[number];
    follower->open = *call;
    follower->open_number = 0;
    if (follower->told < LAB_CALLS_TOLD_MAX)
        tell_begin(lab, number);
}

static void take_end(struct lab *lab, int number, const struct timeline_call *call)
{
    struct lab_follower *follower = &lab->followers[number];
    if (follower->open_number == 0 && (call->error != 0 || call->end_ns - call->begin_ns >= LONG_CALL_NS))
        tell_begin(lab, number);
    if (follower->open_number != 0)
        tell_end(lab, number, call);
    else
        follower->untold++;
    if (follower->is_blocked)
        tell_state(lab, number, call->end_ns, "running", NULL);
    follower->is_blocked = false;
    follower->open = (struct timeline_call){.expression = NULL};
}

static void tell_calls(struct lab *lab, int number)
{
    struct timeline *timeline = &lab->memory->workers[number].timeline;
    struct lab_follower *follower = &lab->followers[number];
    struct timeline_call call;
    for (;;) {
        enum timeline_news news = timeline_next(timeline, &follower->reader, &call);
        if (news == TIMELINE_NOTHING)
            return;
        if (news == TIMELINE_BEGUN)
            take_begin(lab, number, &call);
        else
            take_end(lab, number, &call);
    }
}

/* ---- everything that is new ---- */

static void tell_end_of_worker(struct lab *lab, int number)
{
    struct lab_follower *follower = &lab->followers[number];
    char cause[32];
    if (WIFSIGNALED(follower->status))
        snprintf(cause, sizeof cause, "SIG%s", sigabbrev_np(WTERMSIG(follower->status)));
    else
        snprintf(cause, sizeof cause, "exit %d", WEXITSTATUS(follower->status));
    tell_state(lab, number, follower->ended_ns, "ended", cause);
    follower->is_ended_told = true;
}

static void tell_notes(struct lab *lab)
{
    uint32_t count = atomic_load(&lab->memory->note_count);
    for (; lab->notes_told < count && lab->notes_told < LAB_PANELS_MAX; lab->notes_told++) {
        struct lab_note *note = &lab->memory->notes[lab->notes_told];
        if (!atomic_load(&note->is_ready))
            return; /* being written; its turn comes */
        lab_tell_panel(lab, note->panel, note->at_ns, note->data);
    }
}

void lab_tell(struct lab *lab)
{
    uint32_t count = atomic_load(&lab->memory->worker_count);
    for (uint32_t i = 0; i < count && i < LAB_WORKERS_MAX; i++) {
        struct lab_follower *follower = &lab->followers[i];
        if (lab_pid(lab, (int)i) == 0 || follower->is_ended_told)
            continue;
        if (!follower->is_told)
            tell_worker(lab, (int)i);
        follower->is_told = true;
        bool has_ended = follower->has_ended; /* before its last calls are read */
        tell_calls(lab, (int)i);
        watch_open(lab, (int)i);
        if (has_ended)
            tell_end_of_worker(lab, (int)i);
    }
    tell_notes(lab);
}

void lab_tell_panel(struct lab *lab, const char *panel, int64_t at_ns, const char *data)
{
    struct json_writer writer = begin_line(lab, "panel");
    json_write_string(&writer, "panel", panel);
    json_write_integer(&writer, "at_ns", at_ns - lab->origin_ns);
    json_write_raw(&writer, "data", data);
    end_line(&writer);
}

/* ---- the end ---- */

static void write_skip(struct lab *lab, struct json_writer *writer)
{
    if (lab->skip_call == NULL) {
        json_write_null(writer, "skipped");
        return;
    }
    json_begin_object(writer, "skipped");
    json_write_string(writer, "call", lab->skip_call);
    json_write_string(writer, "errno", strerrorname_np(lab->skip_error));
    json_write_string(writer, "what", lab->skip_what);
    json_end_object(writer);
}

static int64_t dropped_calls(const struct lab *lab)
{
    int64_t dropped = 0;
    for (int i = 0; i < LAB_WORKERS_MAX; i++)
        dropped += lab->followers[i].untold + (int64_t)timeline_dropped(&lab->memory->workers[i].timeline);
    return dropped;
}

/* Of a lab that was cut short only why: what its function concluded from half of it is no evidence. */
static void write_evidence(struct lab *lab, struct json_writer *writer)
{
    json_end_object(&lab->evidence_writer);
    if (lab->over == NULL) {
        json_write_raw(writer, "evidence", text_string(&lab->evidence));
        return;
    }
    json_begin_object(writer, "evidence");
    if (lab->killed_worker != NULL)
        json_write_string(writer, "killed_worker", lab->killed_worker);
    json_end_object(writer);
}

void lab_tell_result(struct lab *lab)
{
    struct json_writer writer = begin_line(lab, "result");
    bool is_whole = lab->over == NULL && lab->outcome.length > 0;
    json_write_raw(&writer, "outcome", is_whole ? text_string(&lab->outcome) : "null");
    write_evidence(lab, &writer);
    json_write_string(&writer, "explanation", lab->over != NULL ? lab->over : lab->explanation);
    json_begin_array(&writer, "claims");
    for (const int *claim = lab->definition->claims; *claim != 0; claim++)
        json_write_integer(&writer, NULL, *claim);
    json_end_array(&writer);
    write_skip(lab, &writer);
    json_write_integer(&writer, "dropped_calls", dropped_calls(lab));
    end_line(&writer);
}
