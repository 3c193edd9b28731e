/* Lab 10. What does "cat > fifo" wait for?
 *
 * The course's own example: mkfifo, and in one terminal `cat > fifo`, in another `cat < fifo`. Each seems to
 * hang until the other one is there. What hangs is not cat: the shell opens the file before it starts cat,
 * and open(2) of a FIFO waits for the other side. Then lines travel; Ctrl-D is the terminal's business: it
 * hands over what was typed so far, and what was typed so far may be nothing, which is an end of file.
 * fifo(7), termios(3). Both terminals are real pseudo terminals, typed into by a script or by you. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/labs/lab.h"
#include "workers/labs/lab_terminal.h"

enum { ORDER, FLAGS, TYPING };
enum { WRITER_FIRST, READER_FIRST };
enum { PLAIN, NONBLOCK, RDWR };
enum { SCRIPT, LIVE };
static const char *const orders[] = {"writer_first", "reader_first", NULL};
static const char *const flags[] = {"plain", "nonblock", "rdwr", NULL};
static const char *const typings[] = {"script", "live", NULL};
enum { LOOK_AROUND_MS = 500, TYPING_MS = 400, END_MS = 1000, OPEN_MS = 5000, FIFO_PATH_BYTES = 300 };

enum { WRITER, READER, SIDES };
static const char *const side_names[SIDES] = {"writer", "reader"};

struct session {
    struct lab_terminal terminals[SIDES];
    int workers[SIDES];
    int64_t open_began_ns[SIDES], open_ended_ns[SIDES];
    int open_error[SIDES];
    _Atomic int64_t bytes_read;
    int reads;
    bool saw_end;
};

static void path_of(const struct lab *lab, char *path)
{
    snprintf(path, FIFO_PATH_BYTES, "%s/fifo", lab_directory(lab));
}

/* ---- the shell's part of `cat > fifo` and `cat < fifo` ---- */

/* The choice of flags is for whoever comes first; the second always opens as a shell does. */
static int open_side(struct lab *lab, struct timeline *me, int side)
{
    struct session *session = lab_shared(lab);
    static const char *const names[SIDES][3] = {{"O_WRONLY", "O_WRONLY|O_NONBLOCK", "O_RDWR"},
                                                {"O_RDONLY", "O_RDONLY|O_NONBLOCK", "O_RDWR"}};
    bool is_first = (lab_value(lab, ORDER) == WRITER_FIRST) == (side == WRITER);
    int kind = is_first ? (int)lab_value(lab, FLAGS) : PLAIN;
    int way = kind == RDWR ? O_RDWR : side == WRITER ? O_WRONLY : O_RDONLY;
    char path[FIFO_PATH_BYTES];
    path_of(lab, path);
    if (is_first)
        TRACE(me, mkfifo(path, 0600), "\"fifo\", 0600");
    session->open_began_ns[side] = clock_now_ns();
    int fd =
        TRACE(me, open(path, way | (kind == NONBLOCK ? O_NONBLOCK : 0)), "\"fifo\", %s", names[side][kind]);
    session->open_error[side] = fd < 0 ? errno : 0;
    session->open_ended_ns[side] = clock_now_ns();
    return fd;
}

/* ---- cat ---- */

static void writer(struct lab *lab, struct timeline *me)
{
    struct session *session = lab_shared(lab);
    char typed[1024];
    ssize_t got;
    lab_terminal_enter(&session->terminals[WRITER]);
    int fifo = open_side(lab, me, WRITER);
    if (fifo < 0)
        return;
    while ((got = TRACE(me, read(STDIN_FILENO, typed, sizeof typed), "0, …, %zu", sizeof typed)) > 0)
        TRACE(me, write(fifo, typed, (size_t)got), "%d, …, %zd", fifo, got);
    TRACE(me, close(fifo), "%d", fifo);
}

static void reader(struct lab *lab, struct timeline *me)
{
    struct session *session = lab_shared(lab);
    char text[1024];
    ssize_t got;
    lab_terminal_enter(&session->terminals[READER]);
    int fifo = open_side(lab, me, READER);
    if (fifo < 0)
        return;
    if (lab_value(lab, FLAGS) == NONBLOCK) /* it was for open; cat reads as ever */
        fcntl(fifo, F_SETFL, 0);
    while ((got = TRACE(me, read(fifo, text, sizeof text), "%d, …, %zu", fifo, sizeof text)) > 0) {
        session->reads++;
        session->bytes_read += got;
        TRACE(me, write(STDOUT_FILENO, text, (size_t)got), "1, …, %zd", got);
    }
    session->saw_end = got == 0;
}

/* ---- the terminals ---- */

static void show_terminals(struct lab *lab)
{
    struct session *session = lab_shared(lab);
    struct lab_panel panel;
    bool is_new = false;
    for (int side = 0; side < SIDES; side++)
        is_new |= lab_terminal_look(&session->terminals[side], lab, session->workers[side]);
    if (!is_new)
        return;
    struct json_writer *data = lab_panel_begin(&panel, lab, "terminals");
    for (int side = 0; side < SIDES; side++)
        lab_terminal_write(&session->terminals[side], data, side_names[side]);
    lab_panel_end(&panel);
}

static void type(struct lab *lab, const struct lab_input *input)
{
    struct session *session = lab_shared(lab);
    for (int side = 0; side < SIDES; side++)
        if (strcmp(input->terminal, side_names[side]) == 0)
            lab_terminal_type(&session->terminals[side], input->text, input->is_end);
}

/* At a person's pace, and not before the last line has come through. */
static void type_script(struct lab *lab)
{
    static const struct {
        struct lab_input input;
        int64_t bytes_read; /* of all so far, by the reader */
    } script[] = {{{.terminal = "writer", .text = "hello\n"}, 6},
                  {{.terminal = "writer", .text = "two words\n"}, 16},
                  {{.terminal = "writer", .text = "no newline"}, 16},
                  {{.terminal = "writer", .is_end = true}, 26},
                  {{.terminal = "writer", .is_end = true}, 26}};
    struct session *session = lab_shared(lab);
    for (size_t i = 0; i < sizeof script / sizeof *script; i++) {
        type(lab, &script[i].input);
        lab_watch(lab, TYPING_MS);
        for (int ms = 0; ms < END_MS && atomic_load(&session->bytes_read) < script[i].bytes_read; ms += 10)
            if (lab_await(lab, session->workers[READER], 10))
                break; /* nobody will read it */
    }
}

/* ---- the leader ---- */

static int start_side(struct lab *lab, int side, struct err *err)
{
    struct session *session = lab_shared(lab);
    session->workers[side] = lab_start(lab, side_names[side], side == WRITER ? writer : reader, err);
    return session->workers[side];
}

static bool has_opened(const struct session *session, int side)
{
    return session->open_ended_ns[side] != 0;
}

/* In open, or in the read that comes after it. */
static bool sleeps(const struct lab *lab, const struct session *session, int side)
{
    return session->open_began_ns[side] != 0 && lab_is_asleep(lab_pid(lab, session->workers[side]));
}

/* Until whoever comes first can do no more alone: a reader that does not wait for a writer finds the end. */
static void await_settled(struct lab *lab, const struct session *session, int side)
{
    while (!sleeps(lab, session, side) && !lab_is_over(lab))
        if (lab_await(lab, session->workers[side], 10))
            return;
}

static void await_open(struct lab *lab, const struct session *session, int first)
{
    for (int waited_ms = 0; waited_ms < OPEN_MS; waited_ms += 10)
        if ((has_opened(session, WRITER) && has_opened(session, READER)) ||
            lab_await(lab, session->workers[first], 10))
            return; /* both are there, or the first has left and the second finds nobody */
}

static int play(struct lab *lab, struct session *session, int first, struct err *err)
{
    int result = start_side(lab, first, err);
    if (result < 0)
        return result;
    lab_watch(lab, LOOK_AROUND_MS);
    await_settled(lab, session, first);
    if (session->open_error[first] != 0)
        return 0;
    result = start_side(lab, first == WRITER ? READER : WRITER, err);
    if (result < 0)
        return result;
    await_open(lab, session, first);
    if (lab_value(lab, TYPING) == LIVE) {
        lab_await(lab, session->workers[WRITER], 0);
    } else {
        type_script(lab);
        lab_await(lab, session->workers[WRITER], END_MS);
    }
    lab_await(lab, LAB_ALL, END_MS);
    return 0;
}

static void conclude(struct lab *lab, const struct session *session, int first)
{
    struct json_writer *evidence = lab_evidence(lab);
    int second = first == WRITER ? READER : WRITER;
    int64_t waited_ns = session->open_ended_ns[first] - session->open_began_ns[first];
    bool waited_for_other =
        session->open_began_ns[second] != 0 && session->open_ended_ns[first] > session->open_began_ns[second];
    json_write_string(evidence, "first", side_names[first]);
    json_write_integer(evidence, "first_open_us", waited_ns / 1000);
    json_write_integer(evidence, "first_open_ms", clock_nearest_ms(waited_ns));
    json_write_boolean(evidence, "returned_after_other_opened", waited_for_other);
    json_write_string(evidence, "open_errno",
                      session->open_error[first] != 0 ? strerrorname_np(session->open_error[first]) : NULL);
    json_write_integer(evidence, "reads", session->reads);
    json_write_integer(evidence, "bytes_read", session->bytes_read);
    json_write_boolean(evidence, "reader_saw_end", session->saw_end);
    const char *outcome = session->open_error[first] == ENXIO ? "enxio"
                          : waited_for_other                  ? "other_side"
                                                              : "at_once";
    lab_outcome_word(lab, outcome);
    bool is_own_writer = lab_value(lab, FLAGS) == RDWR && first == READER;
    bool ended_early = lab_value(lab, FLAGS) == NONBLOCK && first == READER && session->reads == 0;
    lab_explain(lab, is_own_writer ? "own_writer" : ended_early ? "early_end" : outcome);
}

static int run(struct lab *lab, struct err *err)
{
    struct session *session = lab_shared(lab);
    int first = lab_value(lab, ORDER) == WRITER_FIRST ? WRITER : READER;
    for (int side = 0; side < SIDES; side++) {
        int error = lab_terminal_open(&session->terminals[side]);
        if (error != 0) {
            lab_skip(lab, "posix_openpt", error, "no_terminal");
            return 0;
        }
        session->workers[side] = -1;
    }
    lab_on_look(lab, show_terminals);
    lab_on_input(lab, type);
    int result = play(lab, session, first, err);
    if (result == 0)
        conclude(lab, session, first);
    return result;
}

const struct lab_definition fifo_session_lab = {
    .name = "fifo_session",
    .number = 10,
    .is_interactive = true,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"fifo", NULL},
    .panels = (const char *const[]){"terminals", "lanes", NULL},
    .claims = (const int[]){46, 49, 52, 53, 55, 0},
    .parameters = {[ORDER] = {.name = "order", .type = LAB_CHOICE, .choices = orders},
                   [FLAGS] = {.name = "flags", .type = LAB_CHOICE, .choices = flags},
                   [TYPING] = {.name = "typing", .type = LAB_CHOICE, .choices = typings}},
    .prediction = {.type = LAB_CHOICE,
                   .choices = (const char *const[]){"other_side", "first_line", "at_once", "enxio", NULL}},
    .shared_bytes = sizeof(struct session),
    .run = run,
};
