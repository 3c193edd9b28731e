/* Lab 7. A program prints lines into a pipe. When do they come out at the other end?
 *
 * The course's own example: a parent prints lines into a pipe, a child reads them from it and prints them.
 * Both use FILE streams, so three queues stand between the two programs and the screen, and only one of them
 * is the pipe: a stream keeps what is printed in a buffer of the process until the buffer is full, until
 * fflush, or, if it is a terminal, until the line ends. setvbuf(3), fdopen(3), pipe(7). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/labs/lab.h"

enum { LINES, INTERVAL_MS, FLUSHES, SCREEN };
enum { TERMINAL, FILE_OR_PIPE };
static const char *const screens[] = {[TERMINAL] = "terminal", [FILE_OR_PIPE] = "pipe", NULL};
enum { LINES_MAX = 20, LINE_BYTES = 64, TOTAL_MS_MAX = 8000 };

struct stdio {
    int ends[2];                /* of the pipe between the two */
    int screen_in, screen_out;  /* what the screen reads, and the child's standard output */
    int error;                  /* that kept us from a terminal */
    size_t pending_after_first; /* bytes that were still in the parent's stream, and in the child's */
    size_t unseen_after_first;
    size_t buffer_bytes; /* of the parent's stream */
    int64_t printed_ns[LINES_MAX], appeared_ns[LINES_MAX];
    int printed, appeared;
};

/* ---- the child: from the pipe to its standard output ---- */

static void child(struct lab *lab, struct timeline *me)
{
    struct stdio *seen = lab_shared(lab);
    char line[LINE_BYTES];
    TRACE(me, close(seen->ends[1]), "%d", seen->ends[1]);
    dup2(seen->screen_out, STDOUT_FILENO);
    close(seen->screen_out);

    FILE *in = fdopen(seen->ends[0], "r");
    if (in == NULL)
        lab_give_up(lab, errno, "fdopen");
    for (int count = 0; TRACE(me, fgets(line, sizeof line, in), "line, %d, in", LINE_BYTES) != NULL;
         count++) {
        TRACE(me, printf("%s", line), "\"%.6s\\n\"", line);
        if (count == 0)
            seen->unseen_after_first = __fpending(stdout);
    }
    TRACE(me, fclose(stdout), "stdout"); /* as exit does, which hands on what is left */
    fclose(in);
}

/* ---- the parent: prints lines into the pipe ---- */

static void parent(struct lab *lab, struct timeline *me)
{
    struct stdio *seen = lab_shared(lab);
    unsigned interval_us = (unsigned)lab_value(lab, INTERVAL_MS) * 1000;
    TRACE(me, pipe(seen->ends), "ends");
    lab_fork(lab, me, "child", child);
    TRACE(me, close(seen->ends[0]), "%d", seen->ends[0]);
    close(seen->screen_out);

    FILE *out = fdopen(seen->ends[1], "w");
    if (out == NULL)
        lab_give_up(lab, errno, "fdopen");
    for (int i = 0; i < lab_value(lab, LINES); i++) {
        if (i > 0 && interval_us > 0)
            TRACE(me, usleep(interval_us), "%u", interval_us);
        TRACE(me, fprintf(out, "line %d\n", i), "out, \"line %d\\n\"", i);
        if (lab_value(lab, FLUSHES))
            TRACE(me, fflush(out), "out");
        seen->printed_ns[seen->printed++] = clock_now_ns();
        if (i == 0)
            seen->pending_after_first = __fpending(out);
        seen->buffer_bytes = __fbufsize(out);
    }
    TRACE(me, fclose(out), "out");
}

/* ---- the screen: starts the program with its standard output here, like a shell ---- */

static void open_screen(struct lab *lab, struct stdio *seen)
{
    int ends[2] = {-1, -1};
    if (lab_value(lab, SCREEN) == FILE_OR_PIPE) {
        if (pipe(ends) != 0)
            lab_give_up(lab, errno, "pipe");
    } else if ((ends[0] = posix_openpt(O_RDWR | O_NOCTTY)) < 0 || unlockpt(ends[0]) != 0 ||
               (ends[1] = ioctl(ends[0], TIOCGPTPEER, O_RDWR | O_NOCTTY)) < 0) {
        seen->error = errno;
    }
    seen->screen_in = ends[0];
    seen->screen_out = ends[1];
}

static void screen(struct lab *lab, struct timeline *me)
{
    struct stdio *seen = lab_shared(lab);
    struct err err;
    char text[1024];
    open_screen(lab, seen);
    if (seen->error != 0)
        return;
    if (lab_start(lab, "parent", parent, &err) < 0)
        lab_give_up(lab, err.code, "start the parent");
    close(seen->screen_out);
    for (;;) { /* a terminal whose last program ended says EIO, a pipe says 0 */
        ssize_t got =
            TRACE(me, read(seen->screen_in, text, sizeof text), "%d, …, %zu", seen->screen_in, sizeof text);
        if (got <= 0)
            return;
        for (ssize_t i = 0; i < got && seen->appeared < LINES_MAX; i++)
            if (text[i] == '\n')
                seen->appeared_ns[seen->appeared++] = clock_now_ns();
    }
}

/* ---- the conclusion ---- */

static int64_t ms_after_first_print(const struct stdio *seen, int64_t at_ns)
{
    return clock_nearest_ms(at_ns - seen->printed_ns[0]);
}

static void conclude(struct lab *lab, const struct stdio *seen)
{
    struct json_writer *evidence = lab_evidence(lab);
    json_write_integer(evidence, "lines", seen->appeared);
    if (seen->appeared > 0 && seen->printed > 0) {
        json_write_integer(evidence, "last_line_printed_ms",
                           ms_after_first_print(seen, seen->printed_ns[seen->printed - 1]));
        json_write_integer(evidence, "first_line_appeared_ms",
                           ms_after_first_print(seen, seen->appeared_ns[0]));
        json_write_integer(evidence, "last_line_appeared_ms",
                           ms_after_first_print(seen, seen->appeared_ns[seen->appeared - 1]));
    }
    json_write_unsigned(evidence, "bytes_kept_by_parent_stream", seen->pending_after_first);
    json_write_unsigned(evidence, "bytes_kept_by_child_stream", seen->unseen_after_first);
    json_write_unsigned(evidence, "stream_buffer_bytes", seen->buffer_bytes);
    bool is_kept = seen->pending_after_first > 0 || seen->unseen_after_first > 0;
    lab_outcome_word(lab, is_kept ? "all_at_the_end" : "one_by_one");
    lab_explain(lab, seen->pending_after_first > 0  ? "kept_by_parent"
                     : seen->unseen_after_first > 0 ? "kept_by_child"
                                                    : "flushed");
}

static int run(struct lab *lab, struct err *err)
{
    const struct stdio *seen = lab_shared(lab);
    if (lab_start(lab, "screen", screen, err) < 0)
        return -err->code;
    lab_await(lab, LAB_ALL, 0);
    if (seen->error != 0)
        lab_skip(lab, "posix_openpt", seen->error, "no_terminal");
    else
        conclude(lab, seen);
    return 0;
}

const struct lab_definition pipe_stdio_lab = {
    .name = "pipe_stdio",
    .number = 7,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"pipe", NULL},
    .panels = (const char *const[]){"lanes", NULL},
    .claims = (const int[]){33, 43, 45, 0},
    .parameters = {[LINES] = {.name = "lines", .min = 1, .max = LINES_MAX, .standard = 5},
                   [INTERVAL_MS] = {.name = "interval_ms", .min = 0, .max = 2000, .standard = 1000},
                   [FLUSHES] = {.name = "fflush", .type = LAB_BOOLEAN, .standard = true},
                   [SCREEN] = {.name = "screen", .type = LAB_CHOICE, .choices = screens}},
    .bounds = {{INTERVAL_MS, LINES, LAB_BOUND_PRODUCT, .limit = TOTAL_MS_MAX}},
    .prediction = {.type = LAB_CHOICE,
                   .choices = (const char *const[]){"one_by_one", "all_at_the_end", NULL}},
    .shared_bytes = sizeof(struct stdio),
    .run = run,
};
