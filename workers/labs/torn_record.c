/* Lab 5. While one process writes a record, can another one read it half old and half new?
 *
 * A writer stores the same number into every word of a record in shared memory, then the next number, without
 * end; a reader copies the record and looks whether all words agree. To the writer a record is one thing; to
 * the machine it is a row of stores, and another CPU may look between any two. One aligned word is the most
 * that is stored at once; a word that lies across two cache lines is two. A sequence lock lets the reader
 * notice that it has looked at a bad moment and look again. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common/clock.h"
#include "workers/labs/cpus.h"
#include "workers/labs/lab.h"
#include "workers/pause.h"

enum { RECORD_BYTES, ALIGNMENT, SEQLOCK };
enum { ALIGNED, ACROSS };
static const char *const alignments[] = {[ALIGNED] = "aligned", [ACROSS] = "across_lines", NULL};
enum {
    RECORD_BYTES_MAX = 4096,
    WORDS_MAX = RECORD_BYTES_MAX / 8,
    LINE_BYTES = 64,
    RACE_MS = 1500,
    SPINS = 64
};
enum { BOTH_RUN }; /* gates */

typedef uint64_t __attribute__((aligned(1), may_alias))
word; /* at any address, one load or store of 8 bytes */

struct torn {
    char *record; /* the mapping both inherit */
    _Atomic uint32_t *sequence;
    _Atomic bool is_over;
    int64_t writes, reads, torn, retries;
    uint64_t example[WORDS_MAX]; /* the first record that was seen torn */
};

static int words_of(const struct lab *lab)
{
    return (int)lab_value(lab, RECORD_BYTES) / 8;
}

/* ---- the writer's loop ---- */

/* Both halves of a word are the same number, so that a word of two halves shows, too. */
static void store_record(volatile word *record, int words, uint32_t number)
{
    for (int i = 0; i < words; i++)
        record[i] = (uint64_t)number << 32 | number;
}

static int64_t write_on(struct lab *lab, struct torn *shared)
{
    volatile word *record = (volatile word *)shared->record;
    bool has_lock = lab_value(lab, SEQLOCK);
    int words = words_of(lab);
    int64_t number = 0;
    for (; !atomic_load_explicit(&shared->is_over, memory_order_relaxed); number++) {
        if (has_lock) { /* odd: it is being written */
            atomic_fetch_add_explicit(shared->sequence, 1, memory_order_relaxed);
            atomic_thread_fence(memory_order_release);
        }
        store_record(record, words, (uint32_t)number);
        if (has_lock)
            atomic_fetch_add_explicit(shared->sequence, 1, memory_order_release);
        for (int i = 0; has_lock && i < SPINS; i++)
            cpu_pause(); /* or no reader would ever find it at rest */
    }
    return number;
}

/* ---- the reader's loop ---- */

static void load_record(const volatile word *record, int words, uint64_t *copy)
{
    for (int i = 0; i < words; i++)
        copy[i] = record[i];
}

/* Looks again until the sequence was even and the same before and after. */
static int64_t load_at_rest(struct torn *shared, const volatile word *record, int words, uint64_t *copy)
{
    for (int64_t retries = 0;; retries++) {
        uint32_t before = atomic_load_explicit(shared->sequence, memory_order_acquire);
        load_record(record, words, copy);
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 && atomic_load_explicit(shared->sequence, memory_order_relaxed) == before)
            return retries;
        cpu_pause();
    }
}

static bool is_torn(const uint64_t *copy, int words)
{
    for (int i = 1; i < words; i++)
        if (copy[i] != copy[0])
            return true;
    return copy[0] >> 32 != (copy[0] & UINT32_MAX);
}

static int64_t read_on(struct lab *lab, struct torn *shared)
{
    static uint64_t copy[WORDS_MAX];
    const volatile word *record = (const volatile word *)shared->record;
    int words = words_of(lab);
    int64_t until_ns = clock_now_ns() + RACE_MS * NS_PER_MS;
    while (shared->reads % 1024 != 0 || clock_now_ns() < until_ns) {
        if (lab_value(lab, SEQLOCK))
            shared->retries += load_at_rest(shared, record, words, copy);
        else
            load_record(record, words, copy);
        shared->reads++;
        if (!is_torn(copy, words))
            continue;
        if (shared->torn++ == 0)
            memcpy(shared->example, copy, sizeof copy);
    }
    return shared->reads;
}

/* ---- the processes ---- */

static void reader(struct lab *lab, struct timeline *me)
{
    struct torn *shared = lab_shared(lab);
    cpus_pin(1);
    lab_meet(lab, BOTH_RUN, 2);
    TRACE_AS(me, "load", read_on(lab, shared), "record, %lld bytes, again and again",
             (long long)lab_value(lab, RECORD_BYTES));
    atomic_store(&shared->is_over, true);
}

static void writer(struct lab *lab, struct timeline *me)
{
    struct torn *shared = lab_shared(lab);
    size_t bytes = 2 * RECORD_BYTES_MAX;
    char *memory =
        TRACE(me, (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
              "NULL, %zu, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0", bytes);
    if (memory == MAP_FAILED)
        lab_give_up(lab, errno, "mmap");
    shared->sequence = (_Atomic uint32_t *)(void *)memory;
    shared->record = memory + LINE_BYTES + (lab_value(lab, ALIGNMENT) == ACROSS ? LINE_BYTES - 4 : 0);
    lab_fork(lab, me, "reader", reader);
    cpus_pin(0);
    lab_meet(lab, BOTH_RUN, 2);
    shared->writes = TRACE_AS(me, "store", write_on(lab, shared), "record, %lld bytes, again and again",
                              (long long)lab_value(lab, RECORD_BYTES));
}

/* ---- the conclusion ---- */

/* One mark for each run of words that agree, named by their number. A copy may meet more than one write. */
static void show_example(struct lab *lab, const struct torn *shared)
{
    enum { SHOWN_BYTES_MAX = 512, MARKS_MAX = 8 };
    struct lab_mark marks[MARKS_MAX + 1] = {{.label = NULL}};
    char names[MARKS_MAX][24];
    size_t length = (size_t)words_of(lab) * 8, count = 0;
    for (size_t at = 0; at < length / 8; at++) {
        bool begins = at == 0 || shared->example[at] != shared->example[at - 1];
        if (begins && count == MARKS_MAX)
            break;
        if (begins) {
            snprintf(names[count], sizeof names[count], "number %" PRIu32, (uint32_t)shared->example[at]);
            marks[count] = (struct lab_mark){.label = names[count], .from = at * 8};
            count++;
        }
        marks[count - 1].to = (at + 1) * 8;
    }
    lab_panel_hexdump(lab, "a torn record", NULL, shared->example,
                      length < SHOWN_BYTES_MAX ? length : SHOWN_BYTES_MAX, marks);
}

static void conclude(struct lab *lab, const struct torn *shared)
{
    struct json_writer *evidence = lab_evidence(lab);
    bool is_word = words_of(lab) == 1;
    if (shared->torn > 0)
        show_example(lab, shared);
    lab_panel_counters(lab, (const struct lab_counter[]){{"writes", shared->writes, ""},
                                                         {"reads", shared->reads, ""},
                                                         {"torn", shared->torn, ""},
                                                         {"retries", shared->retries, ""},
                                                         {.name = NULL}});
    json_write_integer(evidence, "record_bytes", lab_value(lab, RECORD_BYTES));
    json_write_integer(evidence, "writes", shared->writes);
    json_write_integer(evidence, "reads", shared->reads);
    json_write_integer(evidence, "torn", shared->torn);
    lab_evidence_figure(lab, "torn_percent", 100.0 * (double)shared->torn / (double)shared->reads);
    json_write_integer(evidence, "retries", shared->retries);
    lab_outcome_word(lab, shared->torn > 0 ? "sometimes" : "never");
    lab_explain(lab, lab_value(lab, SEQLOCK)                           ? "seqlock"
                     : shared->torn > 0                                ? (is_word ? "torn_word" : "torn")
                     : is_word && lab_value(lab, ALIGNMENT) == ALIGNED ? "one_word"
                                                                       : "lucky");
}

static int run(struct lab *lab, struct err *err)
{
    if (cpus_usable() < 2) {
        lab_skip(lab, "sched_setaffinity", EINVAL, "one_cpu");
        return 0;
    }
    if (lab_start(lab, "writer", writer, err) < 0)
        return -err->code;
    if (lab_await(lab, LAB_ALL, 0))
        conclude(lab, lab_shared(lab));
    return 0;
}

const struct lab_definition torn_record_lab = {
    .name = "torn_record",
    .number = 5,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"mmap_anon", "shm_sysv", NULL},
    .panels = (const char *const[]){"lanes", "counters", "hexdump", NULL},
    .claims = (const int[]){8, 0},
    .parameters = {[RECORD_BYTES] =
                       {.name = "record_bytes", .min = 8, .max = RECORD_BYTES_MAX, .step = 8, .standard = 64},
                   [ALIGNMENT] = {.name = "alignment", .type = LAB_CHOICE, .choices = alignments},
                   [SEQLOCK] = {.name = "seqlock", .type = LAB_BOOLEAN}},
    .prediction = {.type = LAB_CHOICE, .choices = (const char *const[]){"never", "sometimes", NULL}},
    .shared_bytes = sizeof(struct torn),
    .run = run,
};
