/* The parts of a worker that need no crew: the plan of blocks, the autocorrelation, the barrier, the
 * distance, the placement, what the kernel says of a CPU, the overhead, the names. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/cpus.h"
#include "common/trial_spec.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"
#include "workers/control.h"
#include "workers/distance.h"
#include "workers/loops.h"
#include "workers/names.h"
#include "workers/overhead.h"
#include "workers/placement.h"
#include "workers/usage.h"

Test(trial, is_a_row_of_at_least_five_blocks)
{
    static const struct {
        int64_t duration_ms;
        size_t blocks;
    } cases[] = {{1, 5}, {249, 5}, {250, 5}, {300, 6}, {1000, 20}, {25600, 512}, {600000, 512}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(eq(sz, trial_spec_block_count(cases[i].duration_ms), cases[i].blocks));
}

Test(latency, of_a_batch_is_rounded_to_the_nearest)
{
    cr_expect(eq(i64, loop_latency_ns(6149, 100), 61));
    cr_expect(eq(i64, loop_latency_ns(6150, 100), 62));
    cr_expect(eq(i64, loop_latency_ns(6199, 100), 62));
    cr_expect(eq(i64, loop_latency_ns(6199, 1), 6199));
}

/* By the definition, in two passes. */
static double autocorrelation_of(const double *values, size_t count)
{
    double mean = 0, squares = 0, products = 0;
    for (size_t i = 0; i < count; i++)
        mean += values[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    for (size_t i = 0; i + 1 < count; i++)
        products += (values[i] - mean) * (values[i + 1] - mean);
    return products / squares;
}

static double lag_of(const double *values, size_t count)
{
    struct lag lag = {.count = 0};
    for (size_t i = 0; i < count; i++)
        lag_add(&lag, values[i]);
    return lag_autocorrelation(&lag);
}

Test(lag, agrees_with_the_definition)
{
    double values[500];
    uint64_t random = 42;
    for (size_t i = 0; i < 500; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        values[i] = 60000 + (double)(random >> 52) + (i > 0 ? 0.7 * (values[i - 1] - 60000) : 0);
    }
    for (size_t count = 3; count <= 500; count += 71)
        cr_expect(epsilon_eq(dbl, lag_of(values, count), autocorrelation_of(values, count), 1e-9));
}

Test(lag, is_unknown_without_spread)
{
    static const double flat[] = {5, 5, 5, 5};
    cr_expect(isnan(lag_of(flat, 4)));
    cr_expect(isnan(lag_of(flat, 2)));
    cr_expect(isnan(lag_of(flat, 0)));
}

/* ---- barrier ---- */

enum { ROUNDS = 2000 };
struct walk {
    struct control *control;
    bool sleeps;
    int result;
    _Atomic uint32_t *visits;
};

static void *walk(void *argument)
{
    struct walk *one = argument;
    for (uint32_t round = 0; round < ROUNDS && one->result == 0; round++) {
        atomic_fetch_add(one->visits, 1);
        one->result = control_barrier(one->control, 2, one->sleeps, clock_now_ns() + 60 * NS_PER_S);
        /* Nobody may have passed before both came, nor come again before both passed. */
        uint32_t visits = atomic_load(one->visits);
        if (visits < 2 * (round + 1) || visits > 2 * (round + 1) + 1)
            one->result = -EPROTO;
    }
    return NULL;
}

Test(barrier, lets_nobody_pass_before_all_have_come)
{
    for (int sleeps = 0; sleeps < 2; sleeps++) {
        struct err err;
        int fd;
        struct control *control = control_create(&fd, &err);
        cr_assert(ne(ptr, control, NULL));
        _Atomic uint32_t visits = 0;
        struct walk walks[2] = {{control, sleeps != 0, 0, &visits}, {control, sleeps != 0, 0, &visits}};
        pthread_t thread;
        cr_assert(eq(int, pthread_create(&thread, NULL, walk, &walks[1]), 0));
        walk(&walks[0]);
        pthread_join(thread, NULL);
        cr_expect(eq(int, walks[0].result, 0));
        cr_expect(eq(int, walks[1].result, 0));
        control_unmap(control);
        close(fd);
    }
}

Test(barrier, ends_at_its_deadline_and_when_called_off)
{
    struct err err;
    int fd;
    struct control *control = control_create(&fd, &err);
    cr_assert(ne(ptr, control, NULL));
    cr_expect(eq(int, control_barrier(control, 2, false, clock_now_ns()), -ETIMEDOUT));
    cr_expect(eq(int, control_wait_attached(control, clock_now_ns()), -ETIMEDOUT));
    control_set_phase(control, CONTROL_ABORTED);
    cr_expect(eq(int, control_barrier(control, 3, true, clock_now_ns() + 60 * NS_PER_S), -ECANCELED));
    cr_expect(eq(int, control_wait_attached(control, clock_now_ns() + 60 * NS_PER_S), -ECANCELED));
    control_unmap(control);
    close(fd);
}

/* ---- distance ---- */

Test(distance, is_answered_by_the_first_receiver)
{
    const uint64_t ping = (uint64_t)1 << 32 | 1; /* of the first probe */
    struct err err;
    int fd;
    struct control *control = control_create(&fd, &err);
    cr_assert(ne(ptr, control, NULL), "%s", err.text);
    atomic_store(&control->ping, ping);
    distance_probe(control, 0, 2, 1); /* the first of two senders */
    cr_expect(eq(u64, atomic_load(&control->ping), ping));
    distance_probe(control, 2, 2, 1);
    cr_expect(eq(u64, atomic_load(&control->ping), ping + 1));
    control_unmap(control);
    close(fd);
}

/* Pings that the scheduler carries would pass for a way of microseconds. That the other did not get the CPU
 * within a probe's time is allowed, so there are several. */
Test(distance, is_none_on_one_cpu)
{
    enum { PROBES = 20 };
    struct err err;
    int fd, cpu;
    struct control *control = control_create(&fd, &err);
    cr_assert(ne(ptr, control, NULL), "%s", err.text);
    cr_assert(zero(int, placement_pin(PLACEMENT_SAME_CPU, 0, &cpu, &err)), "%s", err.text);
    pid_t answerer = fork();
    cr_assert(ge(int, answerer, 0));
    for (uint32_t number = 1; number <= PROBES; number++) {
        if (control_barrier(control, 2, true, clock_now_ns() + 60 * NS_PER_S) < 0)
            break;
        distance_probe(control, answerer == 0 ? 1 : 0, 1, number);
        if (answerer > 0)
            cr_expect(not(control->distance_ns > 0), "%g ns", control->distance_ns);
    }
    if (answerer == 0)
        _exit(0);
    int status = -1;
    cr_expect(eq(int, waitpid(answerer, &status, 0), answerer));
    cr_expect(zero(int, status));
    control_unmap(control);
    close(fd);
}

/* ---- placement, usage, overhead ---- */

Test(placement, takes_the_cpus_in_turn)
{
    struct err err;
    cpu_set_t all, one;
    cr_assert(zero(int, sched_getaffinity(0, sizeof all, &all)));
    int cpus = CPU_COUNT(&all);
    cr_expect(not(placement_is_crowded(PLACEMENT_FREE, cpus)));
    cr_expect(placement_is_crowded(PLACEMENT_FREE, cpus + 1));
    cr_expect(placement_is_crowded(PLACEMENT_SAME_CPU, 2));
    int first = -1, cpu = -1;
    for (int worker = 0; worker <= cpus; worker++) {
        cr_assert(zero(int, sched_setaffinity(0, sizeof all, &all)));
        cr_assert(zero(int, placement_pin(PLACEMENT_TWO_CPUS, worker, &cpu, &err)), "%s", err.text);
        cr_assert(zero(int, sched_getaffinity(0, sizeof one, &one)));
        cr_expect(eq(int, CPU_COUNT(&one), 1));
        cr_expect(ne(int, CPU_ISSET((size_t)cpu, &one), 0));
        first = worker == 0 ? cpu : first;
        bool is_first = cpu == first;
        cr_expect(eq(int, is_first, worker % cpus == 0), "worker %d is on CPU %d", worker, cpu);
    }
    cr_assert(zero(int, sched_setaffinity(0, sizeof all, &all)));
    cr_expect(zero(int, placement_pin(PLACEMENT_FREE, 0, &cpu, &err)));
    cr_expect(eq(int, cpu, -1));
}

/* Neighbours are siblings, as on many virtual machines. */
static int core_of_neighbours(int cpu)
{
    return cpu / 2 * 2;
}

/* The siblings of the lower half are the upper half, as on many other machines. */
static int core_of_halves(int cpu)
{
    return cpu % 4;
}

static int core_of_its_own(int cpu)
{
    return cpu;
}

static void expect_order(int (*core_of)(int cpu), const int cpus[], int count, const int expected[])
{
    struct cpus set = cpus_only(cpus[0]);
    for (int i = 1; i < count; i++)
        CPU_SET_S((size_t)cpus[i], sizeof set.sets, set.sets);
    for (int number = 0; number < 2 * count; number++)
        cr_expect(eq(int, placement_choose(&set, number, core_of), expected[number % count]), "worker %d",
                  number);
}

Test(placement, takes_one_cpu_of_each_core_first)
{
    static const int all[] = {0, 1, 2, 3, 4, 5, 6, 7}, some[] = {1, 2, 3, 1024, 1025};
    expect_order(core_of_neighbours, all, 8, (const int[]){0, 2, 4, 6, 1, 3, 5, 7});
    expect_order(core_of_halves, all, 8, all);
    expect_order(core_of_its_own, all, 8, all);
    expect_order(core_of_neighbours, some, 5, (const int[]){1, 2, 1024, 3, 1025});
    expect_order(core_of_neighbours, all, 2, all); /* one core is all there is */
    expect_order(core_of_neighbours, all, 1, all);
}

Test(placement, knows_no_core_of_a_cpu_that_is_not_there)
{
    cr_expect(eq(int, placement_core_of(CPUS_MAX - 1), CPUS_MAX - 1));
}

Test(usage, reads_what_a_cpu_lost)
{
    struct usage_cpu all = usage_read_cpu(-1), before = usage_read_cpu(0), after = usage_read_cpu(0);
    cr_expect(ge(i64, before.steal_ns, 0));
    cr_expect(ge(i64, after.steal_ns, before.steal_ns));
    cr_expect(ge(i64, all.steal_ns, 0));
    cr_expect(zero(i64, usage_read_cpu(CPUS_MAX - 1).steal_ns), "there is no such CPU");
}

/* Who may run anywhere lost what one CPU lost, not what all lost together. */
Test(usage, takes_the_mean_of_several_cpus)
{
    struct cpus cpus;
    cr_assert(zero(int, cpus_read(&cpus)));
    int64_t mean_ns = usage_read_cpu(-1).steal_ns, most_ns = 0;
    for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
        int64_t one_ns = cpus_has(&cpus, cpu) ? usage_read_cpu(cpu).steal_ns : 0;
        most_ns = one_ns > most_ns ? one_ns : most_ns;
    }
    cr_expect(le(i64, mean_ns, most_ns));
}

Test(cpus, are_more_than_a_cpu_set_holds)
{
    struct cpus cpus = cpus_only(CPUS_MAX - 1);
    cr_expect(eq(int, cpus_count(&cpus), 1));
    cr_expect(cpus_has(&cpus, CPUS_MAX - 1));
    cr_expect(not(cpus_has(&cpus, CPU_SETSIZE - 1)));
    cr_expect(not(cpus_has(&cpus, -1)));
    cr_assert(zero(int, cpus_read(&cpus)));
    cpu_set_t set;
    cr_assert(zero(int, sched_getaffinity(0, sizeof set, &set)));
    cr_expect(eq(int, cpus_count(&cpus), CPU_COUNT(&set)));
}

Test(overhead, is_positive_and_adds_up)
{
    struct overhead overhead;
    struct err err;
    cr_assert(zero(int, overhead_measure(&overhead, &err)), "%s", err.text);
    cr_expect(gt(dbl, overhead.clock_ns, 0));
    cr_expect(gt(dbl, overhead.histogram_ns, 0));
    cr_expect(gt(dbl, overhead.verify_header_ns, 0));
    cr_expect(gt(dbl, overhead.verify_full_ns_per_kib, 0));
    /* The loop reads the clock once a round trip. */
    cr_expect(gt(dbl, overhead.loop_ns, overhead.clock_ns / 2));
}

/* ---- names ---- */

static int make_segment(key_t key)
{
    return shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
}

static bool exists(key_t key)
{
    return shmget(key, 0, 0) >= 0;
}

Test(names, sweep_removes_what_is_recorded_and_the_directory)
{
    struct scratch scratch;
    scratch_init(&scratch);
    char directory[SCRATCH_FILE_BYTES];
    memcpy(directory, scratch_file(&scratch, "crew"), sizeof directory);
    struct err err = {.text = ""};
    key_t key = 0x10000000 | getpid();
    cr_assert(eq(int, mkdir(directory, 0700), 0));
    cr_assert(eq(int, names_record(directory, "shm_sysv", &err, "0x%x %d", (unsigned)key, (int)getpid()), 0),
              "%s", err.text);
    cr_assert(eq(int, names_record(directory, "shm_sysv", &err, "0x%x %d", 0x7abcdefu, (int)getpid()), 0));
    cr_assert(ge(int, make_segment(key), 0));
    char file[SCRATCH_FILE_BYTES];
    snprintf(file, sizeof file, "%.200s/fifo.0", directory);
    cr_assert(eq(int, mkfifo(file, 0600), 0));

    cr_expect(eq(int, names_sweep(directory, &err), 0), "%s", err.text);
    cr_expect(not(exists(key)));
    cr_expect(eq(int, access(directory, F_OK), -1));
    cr_expect(eq(int, names_sweep(directory, &err), 0), "a second sweep: %s", err.text);
    scratch_fini(&scratch);
}

Test(names, sweep_leaves_what_somebody_else_made)
{
    struct scratch scratch;
    scratch_init(&scratch);
    char directory[SCRATCH_FILE_BYTES];
    memcpy(directory, scratch_file(&scratch, "crew"), sizeof directory);
    struct err err = {.text = ""};
    key_t key = 0x20000000 | getpid();
    cr_assert(eq(int, mkdir(directory, 0700), 0));
    /* The recorded creator is not the one the kernel knows. */
    cr_assert(eq(int, names_record(directory, "shm_sysv", &err, "0x%x %d", (unsigned)key, 1), 0));
    int id = make_segment(key);
    cr_assert(ge(int, id, 0));
    cr_expect(eq(int, names_sweep(directory, &err), 0), "%s", err.text);
    cr_expect(exists(key), "a foreign segment was removed");
    shmctl(id, IPC_RMID, NULL);
    scratch_fini(&scratch);
}

Test(names, sweep_takes_no_line_for_a_name_that_is_none)
{
    struct scratch scratch;
    scratch_init(&scratch);
    struct err err;
    static const char *const bad[] = {"no_such_mechanism 1\n", "pipe 3\n", "shm_sysv nonsense\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scratch_write(scratch_file(&scratch, "names"), bad[i], strlen(bad[i]));
        cr_expect(lt(int, names_sweep(scratch.path, &err), 0), "%s", bad[i]);
        cr_expect(eq(int, access(scratch_file(&scratch, "names"), F_OK), 0), "the record was thrown away");
    }
    /* Killed in the middle of a record: then what it would name does not exist either. */
    scratch_write(scratch_file(&scratch, "names"), "shm_sy", 6);
    cr_expect(eq(int, names_sweep(scratch.path, &err), 0), "%s", err.text);
    scratch_fini(&scratch);
}
