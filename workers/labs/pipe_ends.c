/* Lab 9. One of two processes leaves their pipe. Is the other told, does it wait, or die?
 *
 * A pipe has no end of its own: the kernel counts who could still write and who could still read. A reader
 * sees the end of the stream when the last descriptor of the write end is closed, wherever that is; a writer
 * is told by SIGPIPE, or by EPIPE if it ignores the signal, when the last descriptor of the read end is. A
 * forgotten descriptor of one's own counts like anybody else's. pipe(7), signal(7). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workers/labs/lab.h"

enum { FORGOTTEN, LEAVES, BY, SIGPIPE_IS };
enum { NOTHING, READERS_WRITE_END, WRITERS_READ_END };
enum { WRITER_LEAVES, READER_LEAVES };
enum { BY_EXIT, BY_SIGKILL };
enum { DEFAULT, IGNORED };
static const char *const forgotten[] = {"nothing", "write_end_in_reader", "read_end_in_writer", NULL};
static const char *const leavers[] = {"writer", "reader", NULL};
static const char *const ways[] = {"exit", "sigkill", NULL};
static const char *const dispositions[] = {"default", "ignored", NULL};

enum { WRITER, READER };
enum { READY_TO_LEAVE, OTHER_HAS_LEFT }; /* gates */
enum { HANG_MS = 700, LINE_BYTES = 16 };

struct ends {
    int ends[2];
    ssize_t last_read, last_write;
    int write_error;
    int64_t bytes_written;
};

/* What a process holds of the pipe, as it says itself. */
static void show_descriptors(struct lab *lab, const char *worker, const struct ends *pipe, bool reads,
                             bool writes)
{
    lab_panel_descriptors(lab, worker,
                          (const struct lab_descriptor[]){{"read end", pipe->ends[0], reads},
                                                          {"write end", pipe->ends[1], writes},
                                                          {.what = NULL}});
}

/* It goes, of its own will or by the leader's hand. */
static void leave(struct lab *lab)
{
    lab_gate_open(lab, READY_TO_LEAVE);
    while (lab_value(lab, BY) == BY_SIGKILL)
        pause();
    _exit(EXIT_SUCCESS); /* no close: the kernel does it */
}

static void reader(struct lab *lab, struct timeline *me)
{
    struct ends *pipe = lab_shared(lab);
    char line[LINE_BYTES];
    bool forgets = lab_value(lab, FORGOTTEN) == READERS_WRITE_END;
    if (!forgets)
        TRACE(me, close(pipe->ends[1]), "%d", pipe->ends[1]);
    show_descriptors(lab, "reader", pipe, true, forgets);

    TRACE(me, read(pipe->ends[0], line, sizeof line), "%d, …, %zu", pipe->ends[0], sizeof line);
    if (lab_value(lab, LEAVES) == READER_LEAVES)
        leave(lab);
    lab_gate_wait(lab, OTHER_HAS_LEFT);
    pipe->last_read =
        TRACE(me, read(pipe->ends[0], line, sizeof line), "%d, …, %zu", pipe->ends[0], sizeof line);
}

/* Until the kernel objects: into a pipe with a reader that does not read this goes on until it is full. */
static void write_on(struct ends *pipe, struct timeline *me)
{
    static char page[4096];
    do {
        pipe->last_write =
            TRACE(me, write(pipe->ends[1], page, sizeof page), "%d, …, %zu", pipe->ends[1], sizeof page);
        pipe->write_error = pipe->last_write < 0 ? errno : 0;
        pipe->bytes_written += pipe->last_write > 0 ? pipe->last_write : 0;
    } while (pipe->last_write > 0);
}

static void writer(struct lab *lab, struct timeline *me)
{
    struct ends *pipe_ends = lab_shared(lab);
    bool forgets = lab_value(lab, FORGOTTEN) == WRITERS_READ_END;
    if (lab_value(lab, SIGPIPE_IS) == IGNORED)
        TRACE(me, signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0, "SIGPIPE, SIG_IGN");
    TRACE(me, pipe(pipe_ends->ends), "ends");
    lab_fork(lab, me, "reader", reader);
    if (!forgets)
        TRACE(me, close(pipe_ends->ends[0]), "%d", pipe_ends->ends[0]);
    show_descriptors(lab, "writer", pipe_ends, forgets, true);

    TRACE(me, write(pipe_ends->ends[1], "hello", 5), "%d, \"hello\", 5", pipe_ends->ends[1]);
    if (lab_value(lab, LEAVES) == WRITER_LEAVES)
        leave(lab);
    lab_gate_wait(lab, OTHER_HAS_LEFT);
    write_on(pipe_ends, me);
}

/* ---- the leader ---- */

static void part(struct lab *lab, int leaver)
{
    lab_gate_await(lab, READY_TO_LEAVE);
    if (lab_value(lab, BY) == BY_SIGKILL)
        lab_kill(lab, leaver);
    lab_await(lab, leaver, 0);
    lab_gate_open(lab, OTHER_HAS_LEFT);
}

/* And not at the gate, which is no call of the experiment's. */
static bool sleeps_in_call(const struct lab *lab, int worker)
{
    char doing[LAB_NAME_BYTES];
    lab_doing(lab, worker, doing, sizeof doing);
    return strcmp(doing, "running") != 0 && lab_is_asleep(lab_pid(lab, worker));
}

static const char *outcome_of(struct lab *lab, int stayer)
{
    while (!lab_await(lab, stayer, HANG_MS) && !lab_is_over(lab))
        if (sleeps_in_call(lab, stayer))
            return "hangs";
    if (WIFSIGNALED(lab_status(lab, stayer)))
        return "sigpipe";
    return stayer == READER ? "eof" : "epipe";
}

static int run(struct lab *lab, struct err *err)
{
    const struct ends *pipe = lab_shared(lab);
    int leaver = lab_value(lab, LEAVES) == WRITER_LEAVES ? WRITER : READER;
    int stayer = leaver == WRITER ? READER : WRITER;
    lab_expect_signal(lab, SIGPIPE);
    if (lab_start(lab, "writer", writer, err) < 0)
        return -err->code;
    part(lab, leaver);
    const char *outcome = outcome_of(lab, stayer);

    struct json_writer *evidence = lab_evidence(lab);
    json_write_string(evidence, "who_stayed", stayer == READER ? "reader" : "writer");
    json_write_string(evidence, "forgotten", forgotten[lab_value(lab, FORGOTTEN)]);
    json_write_boolean(evidence, "asleep",
                       strcmp(outcome, "hangs") == 0 && lab_is_asleep(lab_pid(lab, stayer)));
    if (strcmp(outcome, "eof") == 0)
        json_write_integer(evidence, "read_returned", pipe->last_read);
    if (stayer == WRITER)
        json_write_integer(evidence, "bytes_written", pipe->bytes_written);
    if (pipe->write_error != 0)
        json_write_string(evidence, "write_errno", strerrorname_np(pipe->write_error));
    lab_outcome_word(lab, outcome);
    lab_explain(lab, strcmp(outcome, "hangs") != 0 ? outcome
                     : stayer == READER            ? "hangs_reading"
                                                   : "hangs_writing");
    return 0;
}

const struct lab_definition pipe_ends_lab = {
    .name = "pipe_ends",
    .number = 9,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"pipe", NULL},
    .panels = (const char *const[]){"lanes", "descriptors", NULL},
    .claims = (const int[]){35, 39, 40, 41, 0},
    .parameters = {[FORGOTTEN] = {.name = "forgotten", .type = LAB_CHOICE, .choices = forgotten},
                   [LEAVES] = {.name = "leaves", .type = LAB_CHOICE, .choices = leavers},
                   [BY] = {.name = "by", .type = LAB_CHOICE, .choices = ways},
                   [SIGPIPE_IS] = {.name = "sigpipe", .type = LAB_CHOICE, .choices = dispositions}},
    .prediction = {.type = LAB_CHOICE,
                   .choices = (const char *const[]){"eof", "hangs", "sigpipe", "epipe", NULL}},
    .shared_bytes = sizeof(struct ends),
    .run = run,
};
