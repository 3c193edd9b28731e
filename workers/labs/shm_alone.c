/* Lab 1. A process puts a greeting into shared memory and ends. Is it still there for somebody else?
 *
 * The course's own example: one process makes a System V segment, attaches it, writes, detaches, attaches it
 * again somewhere else, and finds its text. Then it ends, with or without removing the segment, and another
 * process looks what is left. A segment belongs to the kernel, not to a process: it lasts until somebody says
 * IPC_RMID, or until the machine is switched off. shmget(2), shmop(2), shmctl(2). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workers/labs/lab.h"
#include "workers/labs/sysv.h"

enum { SIZE_BYTES, ADDRESS, REMOVE };
enum { FIXED, ANY };
static const char *const addresses[] = {[FIXED] = "fixed", [ANY] = "null", NULL};

#define FIXED_ADDRESS ((void *)0x5000000)
static const char greeting[] = "Hello, world.";

struct alone {
    int id;
    void *first, *second;
    int second_error;
    size_t segment_bytes;
    char found[sizeof greeting]; /* by the same process at the second address */
    int segments_before, segments_after;
    int visitor_error; /* of the process that came later, asking for the segment */
    int attached;      /* processes, when it asked */
    char left[sizeof greeting];
};

/* ---- the program ---- */

static void program(struct lab *lab, struct timeline *me)
{
    struct alone *seen = lab_shared(lab);
    size_t bytes = (size_t)lab_value(lab, SIZE_BYTES);
    void *wanted = lab_value(lab, ADDRESS) == FIXED ? FIXED_ADDRESS : NULL;
    struct shmid_ds about;
    sysv_record(lab);
    seen->segments_before = sysv_count_segments();

    int id = TRACE(me, shmget(IPC_PRIVATE, bytes, IPC_CREAT | IPC_EXCL | S_IRUSR | S_IWUSR),
                   "IPC_PRIVATE, %zu, IPC_CREAT|IPC_EXCL|S_IRUSR|S_IWUSR", bytes);
    char *memory = TRACE(me, (char *)shmat(id, NULL, 0), "%d, NULL, 0", id);
    seen->first = memory;
    TRACE(me, shmctl(id, IPC_STAT, &about), "%d, IPC_STAT, …", id);
    seen->segment_bytes = about.shm_segsz;
    lab_panel_maps(lab, "program", "attached", "SYSV");

    size_t length = bytes < sizeof greeting ? bytes : sizeof greeting;
    TRACE_AS(me, "memcpy", memcpy(memory, greeting, length), "memory, \"%s\", %zu", greeting, length);
    lab_panel_hexdump(lab, "first address", memory, memory, bytes < 64 ? bytes : 64, NULL);
    TRACE(me, shmdt(memory), "%p", (void *)memory);
    lab_panel_maps(lab, "program", "detached", "SYSV");

    memory = TRACE(me, (char *)shmat(id, wanted, 0), "%d, %p, 0", id, wanted);
    seen->second_error = memory == (char *)-1 ? errno : 0;
    if (seen->second_error == 0) {
        seen->second = memory;
        TRACE_AS(me, "memcpy", memcpy(seen->found, memory, length), "found, memory, %zu", length);
        lab_panel_maps(lab, "program", "attached again", "SYSV");
        lab_panel_hexdump(lab, "second address", memory, memory, bytes < 64 ? bytes : 64, NULL);
        TRACE(me, shmdt(memory), "%p", (void *)memory);
    }
    if (lab_value(lab, REMOVE))
        TRACE(me, shmctl(id, IPC_RMID, NULL), "%d, IPC_RMID, NULL", id);
    seen->id = id;
}

/* ---- the visitor: comes when the program has ended ---- */

static void visitor(struct lab *lab, struct timeline *me)
{
    struct alone *seen = lab_shared(lab);
    struct shmid_ds about = {.shm_nattch = 0};
    size_t bytes = (size_t)lab_value(lab, SIZE_BYTES);
    seen->segments_after = sysv_count_segments();
    int known = TRACE(me, shmctl(seen->id, IPC_STAT, &about), "%d, IPC_STAT, …", seen->id);
    seen->visitor_error = known < 0 ? errno : 0;
    seen->attached = (int)about.shm_nattch;
    const char *memory =
        TRACE(me, (char *)shmat(seen->id, NULL, SHM_RDONLY), "%d, NULL, SHM_RDONLY", seen->id);
    if (memory == (const char *)-1)
        return;
    memcpy(seen->left, memory, bytes < sizeof seen->left ? bytes : sizeof seen->left);
    lab_panel_hexdump(lab, "what the visitor found", memory, memory, bytes < 64 ? bytes : 64, NULL);
}

/* ---- the conclusion ---- */

static void write_address(struct json_writer *evidence, const char *name, const void *address)
{
    char text[24];
    snprintf(text, sizeof text, "%p", address);
    json_write_string(evidence, name, address != NULL ? text : NULL);
}

static int run(struct lab *lab, struct err *err)
{
    const struct alone *seen = lab_shared(lab);
    if (lab_start(lab, "program", program, err) < 0)
        return -err->code;
    if (lab_await(lab, LAB_ALL, 0) && lab_start(lab, "visitor", visitor, err) < 0)
        return -err->code;
    lab_await(lab, LAB_ALL, 0);

    struct json_writer *evidence = lab_evidence(lab);
    long page_bytes = sysconf(_SC_PAGESIZE);
    json_write_integer(evidence, "segment_id", seen->id);
    json_write_unsigned(evidence, "size_bytes", seen->segment_bytes);
    json_write_integer(evidence, "mapped_bytes",
                       ((int64_t)seen->segment_bytes + page_bytes - 1) / page_bytes * page_bytes);
    write_address(evidence, "first_address", seen->first);
    write_address(evidence, "second_address", seen->second);
    json_write_string(evidence, "text_at_second_address", seen->found);
    json_write_integer(evidence, "segments_before", seen->segments_before);
    json_write_integer(evidence, "segments_after", seen->segments_after);
    json_write_integer(evidence, "attached_count", seen->attached);
    json_write_string(evidence, "visitor_errno",
                      seen->visitor_error != 0 ? strerrorname_np(seen->visitor_error) : NULL);
    json_write_string(evidence, "text_left", seen->visitor_error == 0 ? seen->left : NULL);
    lab_outcome_word(lab, seen->visitor_error == 0 ? "survives" : "gone");
    lab_explain(lab, seen->visitor_error == 0 ? "leaks" : "removed");
    return 0;
}

const struct lab_definition shm_alone_lab = {
    .name = "shm_alone",
    .number = 1,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"shm_sysv", NULL},
    .panels = (const char *const[]){"lanes", "maps", "hexdump", NULL},
    .claims = (const int[]){1, 2, 13, 14, 15, 16, 22, 23, 0},
    .parameters = {[SIZE_BYTES] = {.name = "size_bytes", .min = 1, .max = 1 << 20, .standard = 25600},
                   [ADDRESS] = {.name = "address", .type = LAB_CHOICE, .choices = addresses},
                   [REMOVE] = {.name = "remove", .type = LAB_BOOLEAN}},
    .prediction = {.type = LAB_CHOICE, .choices = (const char *const[]){"survives", "gone", NULL}},
    .shared_bytes = sizeof(struct alone),
    .run = run,
};
