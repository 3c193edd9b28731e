/* Lab 16. Which mechanism carries a message fastest, and is it always the same one?
 *
 * The course's mechanisms, measured one after the other by the very calls that the mechanism files make: a
 * round trip of one message, and a stream of them. What comes first depends on more than the mechanism: on
 * how a process waits in memory that wakes nobody, on whether both sides have a CPU of their own, and on the
 * size of the messages. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workers/labs/cpus.h"
#include "workers/labs/lab.h"
#include "workers/labs/lab_measure.h"

enum { MESSAGE_BYTES, PLACEMENT, MEMORY_WAIT, MEASURE };
enum { TWINS_APART_MAX = 3 };
enum { TWO_CPUS, SAME_CPU };
enum { ROUND_TRIP, STREAM };
static const char *const placements[] = {[TWO_CPUS] = "two_cpus", [SAME_CPU] = "same_cpu", NULL};
enum { SPIN, FUTEX, SEMAPHORE };
static const char *const waits[] = {[SPIN] = "spin", [FUTEX] = "futex", [SEMAPHORE] = "semaphore", NULL};
static const enum wait wait_of[] = {[SPIN] = WAIT_SPIN, [FUTEX] = WAIT_FUTEX, [SEMAPHORE] = WAIT_SEM_SYSV};
static const char *const measures[] = {[ROUND_TRIP] = "round_trip", [STREAM] = "stream", NULL};

/* Those of the notes, and as what an answer names them: two that are the same thing in the kernel are one. */
enum { COMPETITORS = 6 };
static const char *const names[COMPETITORS] = {"shm_sysv", "mmap_file", "pipe", "fifo", "unix_stream", "tcp"};
static const char *const kinds[COMPETITORS] = {"memory", "memory", "pipe", "pipe", "unix_stream", "tcp"};

struct race {
    struct lab_measure measures[COMPETITORS];
    _Atomic int current;
};

/* ---- a competitor ---- */

static void competitor(struct lab *lab, struct timeline *me)
{
    struct race *race = lab_shared(lab);
    (void)me; /* not here: nothing is traced inside what is timed */
    lab_measure_run(lab, &race->measures[atomic_load(&race->current)]);
}

static void prepare(struct lab *lab, struct lab_measure *measure, int number)
{
    enum wait wait = wait_of[lab_value(lab, MEMORY_WAIT)];
    measure->mechanism = mechanism_find(names[number]);
    measure->wait = (measure->mechanism->traits & TRAIT_SYNCHRONISES) != 0 ? WAIT_BLOCK : wait;
    measure->message_bytes = lab_value(lab, MESSAGE_BYTES);
    measure->cpus = lab_value(lab, PLACEMENT) == TWO_CPUS ? 2 : 1;
    measure->gate = number;
}

/* ---- the ranking ---- */

/* Less is better: a time, or the time a byte takes. */
static double figure(const struct lab *lab, const struct lab_measure *measure)
{
    if (lab_value(lab, MEASURE) == ROUND_TRIP)
        return measure->p50_ns;
    return measure->bytes_per_s > 0 ? 1 / measure->bytes_per_s : 1;
}

/* The places of those that are done, the best first; how many they are. */
static int rank(const struct lab *lab, const struct race *race, int *places)
{
    int count = 0;
    for (int i = 0; i < COMPETITORS; i++) {
        int at = count;
        if (!race->measures[i].is_done)
            continue;
        for (; at > 0 && figure(lab, &race->measures[places[at - 1]]) > figure(lab, &race->measures[i]); at--)
            places[at] = places[at - 1];
        places[at] = i;
        count++;
    }
    return count;
}

/* Two that are the same thing in the kernel take the same time, if nothing else took their CPUs: how far the
 * worse pair of them is apart. */
static double twins_apart(const struct lab *lab, const struct race *race)
{
    double apart = 1;
    for (int i = 0; i + 1 < COMPETITORS; i++) {
        if (strcmp(kinds[i], kinds[i + 1]) != 0)
            continue;
        double ratio = figure(lab, &race->measures[i]) / figure(lab, &race->measures[i + 1]);
        apart = fmax(apart, fmax(ratio, 1 / ratio));
    }
    return apart;
}

static void show_ranking(struct lab *lab, const struct race *race)
{
    struct lab_panel panel;
    int places[COMPETITORS], count = rank(lab, race, places);
    struct json_writer *writer = lab_panel_begin(&panel, lab, "ranking");
    json_begin_array(writer, "rows");
    for (int i = 0; i < count; i++) {
        const struct lab_measure *measure = &race->measures[places[i]];
        json_begin_object(writer, NULL);
        json_write_string(writer, "mechanism", names[places[i]]);
        json_write_number(writer, "p50_ns", measure->p50_ns);
        json_write_number(writer, "p99_ns", measure->p99_ns);
        json_write_number(writer, "bytes_per_s", measure->bytes_per_s);
        json_end_object(writer);
    }
    json_end_array(writer);
    lab_panel_end(&panel);
}

static void conclude(struct lab *lab, const struct race *race)
{
    struct json_writer *evidence = lab_evidence(lab);
    int places[COMPETITORS];
    rank(lab, race, places);
    const struct lab_measure *best = &race->measures[places[0]],
                             *last = &race->measures[places[COMPETITORS - 1]];
    json_write_string(evidence, "fastest", best->mechanism->title);
    json_write_string(evidence, "slowest", last->mechanism->title);
    lab_evidence_figure(lab, "times_faster", figure(lab, last) / figure(lab, best));
    for (int i = 0; i < COMPETITORS; i++) {
        char field[48];
        bool is_trip = lab_value(lab, MEASURE) == ROUND_TRIP;
        snprintf(field, sizeof field, is_trip ? "%s_p50_ns" : "%s_bytes_per_s", names[i]);
        lab_evidence_figure(lab, field, is_trip ? race->measures[i].p50_ns : race->measures[i].bytes_per_s);
    }
    double apart = twins_apart(lab, race);
    lab_evidence_figure(lab, "twins_apart_ratio", apart);
    bool is_memory = strcmp(kinds[places[0]], "memory") == 0;
    lab_outcome_word(lab, kinds[places[0]]);
    lab_explain(lab, apart > TWINS_APART_MAX                             ? "disturbed"
                     : !is_memory                                        ? "kernel"
                     : wait_of[lab_value(lab, MEMORY_WAIT)] == WAIT_SPIN ? "memory_spinning"
                                                                         : "memory_sleeping");
}

/* ---- the leader ---- */

static int run(struct lab *lab, struct err *err)
{
    struct race *race = lab_shared(lab);
    if (lab_value(lab, PLACEMENT) == TWO_CPUS && cpus_usable() < 2) {
        lab_skip(lab, "sched_setaffinity", EINVAL, "one_cpu");
        return 0;
    }
    for (int i = 0; i < COMPETITORS && !lab_is_over(lab); i++) {
        prepare(lab, &race->measures[i], i);
        atomic_store(&race->current, i);
        if (lab_start(lab, race->measures[i].mechanism->title, competitor, err) < 0)
            return -err->code;
        if (lab_await(lab, LAB_ALL, 0))
            show_ranking(lab, race);
    }
    if (!lab_is_over(lab))
        conclude(lab, race);
    return 0;
}

const struct lab_definition fastest_lab = {
    .name = "fastest",
    .number = 16,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"shm_sysv", "mmap_file", "pipe", "fifo", "unix_stream", "tcp", NULL},
    .panels = (const char *const[]){"ranking", "lanes", NULL},
    .claims = (const int[]){4, 5, 6, 7, 0},
    .parameters = {[MESSAGE_BYTES] = {.name = "message_bytes", .min = 1, .max = 65536, .standard = 64},
                   [PLACEMENT] = {.name = "placement", .type = LAB_CHOICE, .choices = placements},
                   [MEMORY_WAIT] = {.name = "wait", .type = LAB_CHOICE, .choices = waits},
                   [MEASURE] = {.name = "measure", .type = LAB_CHOICE, .choices = measures}},
    /* Who spins on the only CPU keeps it from the one it waits for. */
    .bounds = {{MEMORY_WAIT, PLACEMENT, LAB_BOUND_NOT, 1u << SAME_CPU, SPIN}},
    .prediction = {.type = LAB_CHOICE,
                   .choices = (const char *const[]){"memory", "pipe", "unix_stream", "tcp", NULL}},
    .shared_bytes = sizeof(struct race),
    .run = run,
};
