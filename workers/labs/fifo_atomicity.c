/* Lab 11. Several programs write into one FIFO. Do their messages stay in one piece?
 *
 * Several writers put messages of one size into a FIFO, one reader takes what comes. Up to PIPE_BUF bytes
 * (4096 here) the kernel writes a message in one piece or waits; a longer one it may put in by parts, with
 * somebody else's bytes in between. Nothing of the kind holds for reads. pipe(7), "PIPE_BUF". */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workers/labs/lab.h"

enum { WRITERS, MESSAGE_BYTES, READ_BYTES };
enum { WRITERS_MAX = 8, SIZE_MAX_BYTES = 65536, MESSAGES = 200, READS_MAX = 400000, ROUNDS_MAX = 4 };
enum { SEGMENTS = 120, PATH_BYTES = 300, READER_NUMBER = 0 };
/* Two gates each round. */
#define IS_MADE(round) (2 * (round))
#define ALL_OPEN(round) (2 * (round) + 1)

struct atomicity {
    int round;
    int64_t messages_each;
    int64_t bytes, torn, reads, reads_cutting;
    struct {
        char writer;
        int64_t bytes;
        bool is_torn;
    } segments[SEGMENTS];
    int segment_count;
};

static void path_of(const struct lab *lab, int round, char *path)
{
    snprintf(path, PATH_BYTES, "%s/fifo%d", lab_directory(lab), round);
}

/* ---- a writer: its letter, over and over ---- */

static void write_all(struct timeline *me, int fd, const char *message, size_t bytes)
{
    while (bytes > 0) { /* a blocking write is only cut short by a signal */
        ssize_t wrote = TRACE(me, write(fd, message, bytes), "%d, \"%c…\", %zu", fd, *message, bytes);
        if (wrote < 0)
            return;
        message += wrote;
        bytes -= (size_t)wrote;
    }
}

static void writer(struct lab *lab, struct timeline *me)
{
    static char message[SIZE_MAX_BYTES];
    struct atomicity *seen = lab_shared(lab);
    char path[PATH_BYTES];
    size_t bytes = (size_t)lab_value(lab, MESSAGE_BYTES);
    /* A reader comes before the writers of each round. */
    memset(message, 'A' + lab_number(lab) % ((int)lab_value(lab, WRITERS) + 1) - 1, sizeof message);
    path_of(lab, seen->round, path);
    lab_gate_wait(lab, IS_MADE(seen->round));
    int fd = TRACE(me, open(path, O_WRONLY), "\"fifo\", O_WRONLY");
    lab_meet(lab, ALL_OPEN(seen->round),
             (uint32_t)lab_value(lab, WRITERS)); /* or the first is done too soon */
    for (int64_t i = 0; i < seen->messages_each; i++)
        write_all(me, fd, message, bytes);
}

/* ---- the reader: takes what comes, and counts whose bytes end where ---- */

struct tally {
    int64_t message_bytes;
    char current;                    /* whose bytes are coming */
    int64_t in_message[WRITERS_MAX]; /* bytes that have come of each one's present message */
    bool is_counted[WRITERS_MAX];    /* and whether it has been seen torn */
};

static void add_to_strip(struct atomicity *seen, char writer, int64_t bytes)
{
    bool is_new = seen->segment_count == 0 || seen->segments[seen->segment_count - 1].writer != writer;
    if (is_new && seen->segment_count == SEGMENTS)
        return;
    if (is_new)
        seen->segments[seen->segment_count++].writer = writer;
    seen->segments[seen->segment_count - 1].bytes += bytes;
}

/* Somebody else's bytes come: is the message before them whole? */
static void change_writer(struct atomicity *seen, struct tally *tally, char writer)
{
    int before = tally->current - 'A';
    if (tally->current != 0 && tally->in_message[before] != 0 && !tally->is_counted[before]) {
        tally->is_counted[before] = true;
        seen->torn++;
    }
    if (tally->current != 0 && tally->in_message[before] != 0 && seen->segment_count > 0)
        seen->segments[seen->segment_count - 1].is_torn = true;
    tally->current = writer;
}

static void count_run(struct atomicity *seen, struct tally *tally, char writer, int64_t bytes)
{
    int index = writer - 'A';
    if (writer != tally->current)
        change_writer(seen, tally, writer);
    add_to_strip(seen, writer, bytes);
    int64_t all = tally->in_message[index] + bytes;
    if (all >= tally->message_bytes)
        tally->is_counted[index] = false; /* that one is over */
    tally->in_message[index] = all % tally->message_bytes;
}

static void count(struct atomicity *seen, struct tally *tally, const char *bytes, ssize_t length)
{
    for (ssize_t from = 0, to; from < length; from = to) {
        for (to = from + 1; to < length && bytes[to] == bytes[from]; to++)
            ;
        count_run(seen, tally, bytes[from], to - from);
    }
    seen->bytes += length;
    seen->reads++;
    seen->reads_cutting += tally->in_message[tally->current - 'A'] != 0;
}

static void reader(struct lab *lab, struct timeline *me)
{
    static char bytes[SIZE_MAX_BYTES];
    struct atomicity *seen = lab_shared(lab);
    struct tally tally = {.message_bytes = lab_value(lab, MESSAGE_BYTES)};
    size_t ask = (size_t)lab_value(lab, READ_BYTES);
    char path[PATH_BYTES];
    ssize_t got;
    path_of(lab, seen->round, path);
    TRACE(me, mkfifo(path, 0600), "\"fifo\", 0600");
    lab_gate_open(lab, IS_MADE(seen->round));
    int fd = TRACE(me, open(path, O_RDONLY), "\"fifo\", O_RDONLY");
    while ((got = TRACE(me, read(fd, bytes, ask), "%d, …, %zu", fd, ask)) > 0)
        count(seen, &tally, bytes, got);
}

/* ---- the conclusion ---- */

static void show_strip(struct lab *lab, const struct atomicity *seen)
{
    struct lab_panel panel;
    struct json_writer *writer = lab_panel_begin(&panel, lab, "strip");
    json_begin_array(writer, "segments");
    for (int i = 0; i < seen->segment_count; i++) {
        json_begin_object(writer, NULL);
        json_write_string_bytes(writer, "label", &seen->segments[i].writer, 1);
        json_write_integer(writer, "bytes", seen->segments[i].bytes);
        json_write_boolean(writer, "torn", seen->segments[i].is_torn);
        json_end_object(writer);
    }
    json_end_array(writer);
    lab_panel_end(&panel);
}

static void conclude(struct lab *lab, const struct atomicity *seen)
{
    struct json_writer *evidence = lab_evidence(lab);
    int64_t messages = seen->messages_each * lab_value(lab, WRITERS) * (seen->round + 1);
    bool is_bounded = lab_value(lab, MESSAGE_BYTES) <= PIPE_BUF;
    json_write_integer(evidence, "pipe_buf_bytes", PIPE_BUF);
    json_write_integer(evidence, "message_bytes", lab_value(lab, MESSAGE_BYTES));
    json_write_integer(evidence, "messages", messages);
    json_write_integer(evidence, "torn", seen->torn);
    json_write_integer(evidence, "reads", seen->reads);
    json_write_integer(evidence, "reads_cutting_messages", seen->reads_cutting);
    json_write_integer(evidence, "bytes", seen->bytes);
    json_write_integer(evidence, "rounds", seen->round + 1);
    lab_outcome_word(lab, seen->torn > 0 ? "some" : "none");
    lab_explain(lab, seen->torn > 0                 ? "torn"
                     : lab_value(lab, WRITERS) == 1 ? "alone"
                     : is_bounded                   ? "atomic"
                                                    : "lucky");
}

static int play(struct lab *lab, struct err *err)
{
    struct atomicity *seen = lab_shared(lab);
    if (lab_start(lab, seen->round == 0 ? "reader" : "next reader", reader, err) < 0)
        return -err->code;
    for (int i = 0; i < lab_value(lab, WRITERS); i++) {
        char name[24];
        snprintf(name, sizeof name, "writer %c%s", 'A' + i, seen->round == 0 ? "" : "'");
        if (lab_start(lab, name, writer, err) < 0)
            return -err->code;
    }
    lab_await(lab, LAB_ALL, 0);
    return 0;
}

/* Few processes may try again: a race that did not show is no proof. */
static bool is_worth_another(const struct lab *lab, const struct atomicity *seen)
{
    bool may_tear = lab_value(lab, WRITERS) > 1 && lab_value(lab, MESSAGE_BYTES) > PIPE_BUF;
    int64_t processes = (lab_value(lab, WRITERS) + 1) * (seen->round + 2);
    return may_tear && seen->torn == 0 && seen->round + 1 < ROUNDS_MAX && processes <= LAB_WORKERS_MAX &&
           !lab_is_over(lab);
}

static int run(struct lab *lab, struct err *err)
{
    struct atomicity *seen = lab_shared(lab);
    int64_t fitting =
        READS_MAX * lab_value(lab, READ_BYTES) / (lab_value(lab, WRITERS) * lab_value(lab, MESSAGE_BYTES));
    seen->messages_each = fitting < 2 ? 2 : fitting > MESSAGES ? MESSAGES : fitting;
    int result = play(lab, err);
    while (result == 0 && is_worth_another(lab, seen)) {
        seen->round++;
        result = play(lab, err);
    }
    if (result < 0 || lab_is_over(lab))
        return result;
    show_strip(lab, seen);
    conclude(lab, seen);
    return 0;
}

const struct lab_definition fifo_atomicity_lab = {
    .name = "fifo_atomicity",
    .number = 11,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"fifo", "pipe", NULL},
    .panels = (const char *const[]){"lanes", "strip", NULL},
    .claims = (const int[]){55, 56, 57, 0},
    .parameters =
        {[WRITERS] = {.name = "writers", .min = 1, .max = WRITERS_MAX, .standard = 3},
         [MESSAGE_BYTES] = {.name = "message_bytes", .min = 1, .max = SIZE_MAX_BYTES, .standard = 4097},
         [READ_BYTES] = {.name = "read_bytes", .min = 1, .max = SIZE_MAX_BYTES, .standard = 1000}},
    .prediction = {.type = LAB_CHOICE, .choices = (const char *const[]){"none", "some", NULL}},
    .shared_bytes = sizeof(struct atomicity),
    .run = run,
};
