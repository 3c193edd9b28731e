/* Lab 4. Several processes add 1 to one counter, over and over. Is the sum right?
 *
 * Several processes add 1 to one counter in shared memory, N times each. c++ is three steps: load, add,
 * store. Who loads before another one has stored adds to the same old value, and one of the two increments is
 * lost. Whether that happens is a matter of timing, so the race is run twenty times: "it worked once" proves
 * nothing. A semaphore makes the three steps one at a time, an atomic makes them one. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/labs/cpus.h"
#include "workers/labs/lab.h"
#include "workers/labs/sysv.h"
#include "workers/pause.h"

enum { PROCESSES, INCREMENTS, GAP, CPUS, LOCK };
enum { NO_GAP, YIELD, ONE_US };
enum { NO_LOCK, ATOMIC, SEMAPHORE };
static const char *const gaps[] = {[NO_GAP] = "none", [YIELD] = "yield", [ONE_US] = "1us", NULL};
static const char *const locks[] = {[NO_LOCK] = "none", [ATOMIC] = "atomic", [SEMAPHORE] = "semaphore", NULL};
enum { PROCESSES_MAX = 8, RACES = 20, SLOW_INCREMENTS_MAX = 10000, RACES_MS_MAX = 6000 };
enum { IS_MADE, STARTED, FINISHED, COUNTED }; /* gates */

struct counting {
    int segment, semaphore;
    int64_t began_ns;
    bool is_last_race; /* decided between two races */
    int races;
    int64_t finals[RACES];
    int shown;
};

/* ---- the race ---- */

static void wait_in_gap(int gap)
{
    if (gap == YIELD)
        sched_yield();
    for (int64_t until_ns = clock_now_ns() + 1000; gap == ONE_US && clock_now_ns() < until_ns;)
        cpu_pause();
}

static int count_unlocked(volatile int64_t *counter, int64_t times, int gap)
{
    for (int64_t i = 0; i < times; i++) {
        int64_t value = *counter;
        if (gap != NO_GAP)
            wait_in_gap(gap);
        *counter = value + 1;
    }
    return 0;
}

static int count_atomically(_Atomic int64_t *counter, int64_t times)
{
    for (int64_t i = 0; i < times; i++)
        atomic_fetch_add(counter, 1);
    return 0;
}

/* SEM_UNDO: or the others would wait for ever for one that is killed while it holds the semaphore. */
static int count_in_turn(volatile int64_t *counter, int64_t times, int gap, int semaphore)
{
    for (int64_t i = 0; i < times; i++) {
        semop(semaphore, &(struct sembuf){.sem_op = -1, .sem_flg = SEM_UNDO}, 1);
        count_unlocked(counter, 1, gap);
        semop(semaphore, &(struct sembuf){.sem_op = 1, .sem_flg = SEM_UNDO}, 1);
    }
    return 0;
}

static void race(struct lab *lab, struct timeline *me, const struct counting *counting, void *counter)
{
    int64_t times = lab_value(lab, INCREMENTS);
    int gap = (int)lab_value(lab, GAP);
    switch (lab_value(lab, LOCK)) {
    case NO_LOCK:
        TRACE_AS(me, "c++", count_unlocked(counter, times, gap), "%lld times", (long long)times);
        return;
    case ATOMIC:
        TRACE_AS(me, "atomic_fetch_add", count_atomically(counter, times), "&c, 1; %lld times",
                 (long long)times);
        return;
    default:
        TRACE_AS(me, "semop, c++, semop", count_in_turn(counter, times, gap, counting->semaphore),
                 "%lld times", (long long)times);
    }
}

/* ---- a process: the first one makes what all use ---- */

static void make(struct lab *lab, struct timeline *me, struct counting *counting)
{
    sysv_record(lab);
    counting->segment = TRACE(me, shmget(IPC_PRIVATE, sizeof(int64_t), IPC_CREAT | 0600),
                              "IPC_PRIVATE, %zu, IPC_CREAT|0600", sizeof(int64_t));
    if (lab_value(lab, LOCK) == SEMAPHORE) {
        counting->semaphore = sysv_make_semaphore(lab);
        TRACE(me, semctl(counting->semaphore, 0, SETVAL, 1), "%d, 0, SETVAL, 1", counting->semaphore);
    }
    counting->began_ns = clock_now_ns();
    lab_gate_open(lab, IS_MADE);
}

static void take_result(struct counting *counting, volatile int64_t *counter)
{
    counting->finals[counting->races] = *counter;
    *counter = 0;
    counting->races++;
    counting->is_last_race =
        counting->races == RACES || clock_now_ns() - counting->began_ns > RACES_MS_MAX * NS_PER_MS;
}

static void process(struct lab *lab, struct timeline *me)
{
    struct counting *counting = lab_shared(lab);
    uint32_t count = (uint32_t)lab_value(lab, PROCESSES);
    int number = lab_number(lab);
    if (number == 0)
        make(lab, me, counting);
    lab_gate_wait(lab, IS_MADE);
    cpus_pin(number % (int)lab_value(lab, CPUS));
    int64_t *counter = TRACE(me, (void *)shmat(counting->segment, NULL, 0), "%d, NULL, 0", counting->segment);
    for (uint32_t round = 1; !counting->is_last_race; round++) {
        lab_meet(lab, STARTED, count * round); /* or the first would be done before the last begins */
        race(lab, me, counting, counter);
        lab_meet(lab, FINISHED, count * round);
        if (number == 0)
            take_result(counting, counter);
        lab_meet(lab, COUNTED, count * round);
    }
}

/* ---- the conclusion ---- */

static int64_t lost_in(const struct lab *lab, const struct counting *counting, int race)
{
    return lab_value(lab, PROCESSES) * lab_value(lab, INCREMENTS) - counting->finals[race];
}

static void show_losses(struct lab *lab)
{
    struct counting *counting = lab_shared(lab);
    struct lab_panel panel;
    if (counting->shown == counting->races)
        return;
    counting->shown = counting->races;
    struct json_writer *writer = lab_panel_begin(&panel, lab, "histogram");
    json_write_string(writer, "name", "lost increments");
    json_begin_array(writer, "values");
    for (int i = 0; i < counting->shown; i++)
        json_write_integer(writer, NULL, lost_in(lab, counting, i));
    json_end_array(writer);
    json_write_string(writer, "unit", "lost");
    lab_panel_end(&panel);
}

static const char *explanation_for(const struct lab *lab, int64_t lost)
{
    if (lab_value(lab, LOCK) != NO_LOCK)
        return locks[lab_value(lab, LOCK)];
    if (lab_value(lab, PROCESSES) == 1)
        return "alone";
    if (lost == 0)
        return "lucky";
    return lab_value(lab, CPUS) == 1 ? "lost_one_cpu" : "lost";
}

static void conclude(struct lab *lab, const struct counting *counting)
{
    struct json_writer *evidence = lab_evidence(lab);
    int64_t expected = lab_value(lab, PROCESSES) * lab_value(lab, INCREMENTS), most = 0, least = expected,
            all = 0;
    int races_with_loss = 0;
    for (int i = 0; i < counting->races; i++) {
        int64_t lost = lost_in(lab, counting, i);
        most = lost > most ? lost : most;
        least = lost < least ? lost : least;
        all += lost;
        races_with_loss += lost > 0;
    }
    json_write_integer(evidence, "expected", expected);
    json_write_integer(evidence, "first_final", counting->finals[0]);
    json_write_integer(evidence, "races", counting->races);
    json_write_integer(evidence, "races_with_loss", races_with_loss);
    json_write_integer(evidence, "lost_least", least);
    json_write_integer(evidence, "lost_most", most);
    lab_evidence_figure(lab, "lost_percent", 100.0 * (double)all / (double)(expected * counting->races));
    lab_outcome_word(lab, all > 0 ? "fewer" : all < 0 ? "more" : "exact");
    lab_explain(lab, explanation_for(lab, all));
}

static int run(struct lab *lab, struct err *err)
{
    const struct counting *counting = lab_shared(lab);
    if (lab_value(lab, CPUS) > cpus_usable()) {
        lab_skip(lab, "sched_setaffinity", EINVAL, "one_cpu");
        return 0;
    }
    lab_on_look(lab, show_losses);
    for (int i = 0; i < lab_value(lab, PROCESSES); i++) {
        char name[24];
        snprintf(name, sizeof name, "process %d", i + 1);
        if (lab_start(lab, name, process, err) < 0)
            return -err->code;
    }
    if (lab_await(lab, LAB_ALL, 0))
        conclude(lab, counting);
    return 0;
}

const struct lab_definition lost_update_lab = {
    .name = "lost_update",
    .number = 4,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"shm_sysv", NULL},
    .panels = (const char *const[]){"lanes", "histogram", NULL},
    .claims = (const int[]){8, 9, 0},
    .parameters = {[PROCESSES] = {.name = "processes", .min = 1, .max = PROCESSES_MAX, .standard = 2},
                   [INCREMENTS] = {.name = "increments", .min = 1, .max = 1000000, .standard = 200000},
                   [GAP] = {.name = "gap", .type = LAB_CHOICE, .choices = gaps},
                   [CPUS] = {.name = "cpus", .min = 1, .max = 2, .standard = 2},
                   [LOCK] = {.name = "lock", .type = LAB_CHOICE, .choices = locks}},
    .bounds = {{INCREMENTS, GAP, LAB_BOUND_MAX, 1u << YIELD | 1u << ONE_US, SLOW_INCREMENTS_MAX},
               {INCREMENTS, LOCK, LAB_BOUND_MAX, 1u << SEMAPHORE, SLOW_INCREMENTS_MAX}},
    .prediction = {.type = LAB_CHOICE, .choices = (const char *const[]){"exact", "fewer", "more", NULL}},
    .shared_bytes = sizeof(struct counting),
    .run = run,
};
