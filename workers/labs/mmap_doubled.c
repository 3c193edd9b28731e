/* Lab 6. A program changes a mapped file in memory and is killed. What does the file say?
 *
 * The course's own example: a file holds the number 15 as text; a program maps it and doubles the number in
 * memory. Nobody calls write. With MAP_SHARED the page in memory is the page of the file, for every process
 * at once; with MAP_PRIVATE the first store makes a copy. A mapping has whole pages, a file any length: what
 * is stored behind its last byte is in the page and in no file, and a page behind the last one is SIGBUS.
 * mmap(2). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workers/labs/lab.h"

enum { DOUBLINGS, MAPPING, FILE_BYTES, OFFSET_BYTES };
enum { IS_SHARED, IS_PRIVATE };
static const char *const mappings[] = {[IS_SHARED] = "shared", [IS_PRIVATE] = "private", NULL};
enum { TEXT_BYTES = 24, PATH_BYTES = 300, DOUBLER = 0 };
enum { IS_DOUBLED }; /* gates */

/* Bytes that are touched, one process each, for it may die of it. */
enum { LAST_OF_FILE, FIRST_BEHIND, LAST_OF_PAGE, NEXT_PAGE, TOUCHES };

struct doubled {
    size_t page_bytes;
    int map_error;
    char memory[TEXT_BYTES];      /* what the doubler sees in the end */
    char seen[TEXT_BYTES];        /* by read(2) of another process, while the doubler has it mapped */
    char after_death[TEXT_BYTES]; /* after it was killed */
    _Atomic int touch;            /* the next one */
    int values[TOUCHES];          /* of the byte, if it could be read */
};

static void path_of(const struct lab *lab, char *path)
{
    snprintf(path, PATH_BYTES, "%s/number", lab_directory(lab));
}

/* ---- the doubler ---- */

/* An int, as the course has it: fifteen doubled twenty-eight times does not fit. */
static int doubled(int value)
{
    return (int)(2u * (unsigned)value);
}

static void double_in_memory(struct lab *lab, struct timeline *me, char *memory)
{
    for (int64_t i = 0; i < lab_value(lab, DOUBLINGS); i++) {
        int value = atoi(memory);
        TRACE(me, sprintf(memory, "%d", doubled(value)), "memory, \"%d\"", doubled(value));
    }
}

static void doubler(struct lab *lab, struct timeline *me)
{
    struct doubled *found = lab_shared(lab);
    char path[PATH_BYTES];
    int offset = (int)lab_value(lab, OFFSET_BYTES);
    int kind = lab_value(lab, MAPPING) == IS_SHARED ? MAP_SHARED : MAP_PRIVATE;
    path_of(lab, path);

    int fd = TRACE(me, open(path, O_RDWR), "\"number\", O_RDWR");
    char *memory = TRACE(me, (char *)mmap(NULL, found->page_bytes, PROT_READ | PROT_WRITE, kind, fd, offset),
                         "NULL, %zu, PROT_READ|PROT_WRITE, MAP_%s, %d, %d", found->page_bytes,
                         kind == MAP_SHARED ? "SHARED" : "PRIVATE", fd, offset);
    if (memory == MAP_FAILED) {
        found->map_error = errno;
        return;
    }
    TRACE(me, close(fd), "%d", fd); /* the mapping stays */
    double_in_memory(lab, me, memory);
    memcpy(found->memory, memory, TEXT_BYTES - 1);
    lab_panel_hexdump(lab, "memory", memory, memory, 64, NULL);
    lab_panel_maps(lab, "doubler", "mapped", "/number");
    lab_gate_open(lab, IS_DOUBLED);
    for (;;)
        pause(); /* neither msync nor munmap: it is killed with the file mapped */
}

/* ---- another process, which knows only the file ---- */

static void read_file(struct lab *lab, struct timeline *me, char *text, const char *title)
{
    char path[PATH_BYTES], bytes[64] = "";
    path_of(lab, path);
    int fd = TRACE(me, open(path, O_RDONLY), "\"number\", O_RDONLY");
    ssize_t got = TRACE(me, read(fd, bytes, sizeof bytes), "%d, …, %zu", fd, sizeof bytes);
    size_t length = got > 0 ? (size_t)got : 0;
    memcpy(text, bytes, length < TEXT_BYTES - 1 ? length : TEXT_BYTES - 1);
    lab_panel_hexdump(lab, title, NULL, bytes, length, NULL);
}

static void reader(struct lab *lab, struct timeline *me)
{
    struct doubled *found = lab_shared(lab);
    read_file(lab, me, found->seen, "file, while mapped");
}

static void latecomer(struct lab *lab, struct timeline *me)
{
    struct doubled *found = lab_shared(lab);
    read_file(lab, me, found->after_death, "file, after SIGKILL");
}

/* ---- where a mapping can be touched ---- */

static int64_t touched_byte(const struct lab *lab, int touch)
{
    const struct doubled *found = lab_shared(lab);
    int64_t bytes = lab_value(lab, FILE_BYTES), page_bytes = (int64_t)found->page_bytes,
            next_page = (bytes + page_bytes - 1) / page_bytes * page_bytes;
    int64_t places[TOUCHES] = {[LAST_OF_FILE] = bytes - 1,
                               [FIRST_BEHIND] = bytes,
                               [LAST_OF_PAGE] = next_page - 1,
                               [NEXT_PAGE] = next_page};
    return places[touch];
}

static void toucher(struct lab *lab, struct timeline *me)
{
    struct doubled *found = lab_shared(lab);
    int touch = atomic_fetch_add(&found->touch, 1);
    int64_t place = touched_byte(lab, touch);
    size_t mapped_bytes = (size_t)touched_byte(lab, NEXT_PAGE) + found->page_bytes;
    char path[PATH_BYTES];
    path_of(lab, path);
    int fd = open(path, O_RDONLY);
    const volatile unsigned char *memory = mmap(NULL, mapped_bytes, PROT_READ, MAP_SHARED, fd, 0);
    found->values[touch] = TRACE_AS(me, "load", memory[place], "memory[%lld]", (long long)place);
}

static void show_touches(struct lab *lab, const int *workers)
{
    const struct doubled *found = lab_shared(lab);
    struct lab_panel panel;
    char text[32];
    struct json_writer *writer = lab_panel_begin(&panel, lab, "matrix");
    json_begin_array(writer, "rows");
    for (int i = 0; i < TOUCHES; i++) {
        snprintf(text, sizeof text, "byte %lld", (long long)touched_byte(lab, i));
        json_write_string(writer, NULL, text);
    }
    json_end_array(writer);
    json_begin_array(writer, "columns");
    json_write_string(writer, NULL, "load");
    json_end_array(writer);
    json_begin_array(writer, "cells");
    for (int i = 0; i < TOUCHES; i++) {
        bool is_killed = WIFSIGNALED(lab_status(lab, workers[i]));
        snprintf(text, sizeof text, "0x%02x", (unsigned)found->values[i]);
        json_begin_array(writer, NULL);
        lab_write_cell(writer, is_killed ? "SIGBUS" : text, !is_killed);
        json_end_array(writer);
    }
    json_end_array(writer);
    lab_panel_end(&panel);
}

static int touch_all(struct lab *lab, struct err *err)
{
    int workers[TOUCHES];
    for (int i = 0; i < TOUCHES; i++) {
        char name[24];
        snprintf(name, sizeof name, "toucher %d", i + 1);
        workers[i] = lab_start(lab, name, toucher, err);
        if (workers[i] < 0)
            return workers[i];
        if (!lab_await(lab, workers[i], 0))
            return 0;
    }
    show_touches(lab, workers);
    json_write_integer(lab_evidence(lab), "behind_end_value",
                       ((struct doubled *)lab_shared(lab))->values[FIRST_BEHIND]);
    json_write_boolean(lab_evidence(lab), "next_page_is_sigbus",
                       WIFSIGNALED(lab_status(lab, workers[NEXT_PAGE])));
    return 0;
}

/* ---- the leader ---- */

/* "15" and line ends, or as much of it as the file is long. */
static int make_file(const struct lab *lab, struct err *err)
{
    char path[PATH_BYTES];
    path_of(lab, path);
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return err_errno(err, errno, "make %s", path);
    for (int64_t i = 0; i < lab_value(lab, FILE_BYTES); i++)
        fputc(i == 0 ? '1' : i == 1 ? '5' : '\n', file);
    fclose(file);
    return 0;
}

/* Plays until the file has been looked at for the last time. */
static int play(struct lab *lab, struct err *err)
{
    if (lab_start(lab, "doubler", doubler, err) < 0)
        return -err->code;
    while (!lab_gate_is_open(lab, IS_DOUBLED) && lab_status(lab, DOUBLER) == -1 && !lab_is_over(lab))
        lab_await(lab, DOUBLER, 2);
    if (lab_status(lab, DOUBLER) != -1)
        return 0;
    int number = lab_start(lab, "reader", reader, err);
    if (number < 0)
        return number;
    lab_await(lab, number, 0);
    lab_kill(lab, DOUBLER);
    lab_await(lab, DOUBLER, 0);
    number = lab_start(lab, "latecomer", latecomer, err);
    if (number < 0)
        return number;
    lab_await(lab, number, 0);
    return touch_all(lab, err);
}

static int first_number(const struct lab *lab)
{
    return lab_value(lab, FILE_BYTES) > 1 ? 15 : 1;
}

static const char *explanation_for(const struct lab *lab, const struct doubled *found, int expected)
{
    if (lab_value(lab, OFFSET_BYTES) > 0)
        return "elsewhere";
    if (lab_value(lab, MAPPING) == IS_PRIVATE)
        return "private";
    if ((int64_t)first_number(lab) << lab_value(lab, DOUBLINGS) > INT_MAX)
        return "overflow";
    return atoi(found->after_death) == expected ? "shared" : "cut";
}

static void conclude(struct lab *lab, const struct doubled *found)
{
    struct json_writer *evidence = lab_evidence(lab);
    int status = lab_status(lab, DOUBLER), expected = first_number(lab);
    for (int64_t i = 0; i < lab_value(lab, DOUBLINGS); i++)
        expected = doubled(expected);
    json_write_integer(evidence, "file_bytes", lab_value(lab, FILE_BYTES));
    json_write_unsigned(evidence, "page_bytes", found->page_bytes);
    json_write_string(evidence, "mmap_errno",
                      found->map_error != 0 ? strerrorname_np(found->map_error) : NULL);
    if (found->map_error != 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS)) {
        lab_explain(lab, found->map_error != 0 ? "einval" : "sigbus");
        return;
    }
    json_write_integer(evidence, "expected", expected);
    json_write_integer(evidence, "in_memory", atoi(found->memory));
    json_write_integer(evidence, "in_file_while_mapped", atoi(found->seen));
    json_write_integer(evidence, "in_file_after_kill", atoi(found->after_death));
    lab_outcome_integer(lab, atoi(found->after_death));
    lab_explain(lab, explanation_for(lab, found, expected));
}

static int run(struct lab *lab, struct err *err)
{
    struct doubled *found = lab_shared(lab);
    found->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    lab_expect_signal(lab, SIGBUS);
    int result = make_file(lab, err);
    if (result == 0)
        result = play(lab, err);
    if (result == 0 && !lab_is_over(lab))
        conclude(lab, found);
    return result;
}

const struct lab_definition mmap_doubled_lab = {
    .name = "mmap_doubled",
    .number = 6,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"mmap_file", NULL},
    .panels = (const char *const[]){"lanes", "hexdump", "matrix", "maps", NULL},
    .claims = (const int[]){24, 25, 26, 27, 29, 31, 32, 0},
    .parameters = {[DOUBLINGS] = {.name = "doublings", .min = 1, .max = 40, .standard = 1},
                   [MAPPING] = {.name = "mapping", .type = LAB_CHOICE, .choices = mappings},
                   [FILE_BYTES] = {.name = "file_bytes", .min = 1, .max_pages = 16, .standard = 3},
                   [OFFSET_BYTES] = {.name = "offset_bytes", .min = 0, .max_pages = 2, .standard = 0}},
    .prediction = {.type = LAB_INTEGER, .min = INT32_MIN, .max = JSON_INTEGER_MAX},
    .shared_bytes = sizeof(struct doubled),
    .run = run,
};
