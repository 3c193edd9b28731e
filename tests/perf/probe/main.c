/* probe: shared memory against its limit, as ratios that can be compared between machines.
 *
 *   build/tests/probe [ROUNDS]
 *
 * Each round takes the raw loop (raw_loop.h), then the worker's own round trip of 64 bytes over shm_sysv with
 * wait spin, then the raw loop again, on the first two CPUs; the distance of the CPUs is the raw loop's own
 * time. A round in which the two raw figures differ by more than a tenth is left out of the medians: the
 * hypervisor moved a CPU in between. Prints one JSON object. */
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "tests/perf/probe/raw_loop.h"
#include "workers/loops.h"
#include "workers/parse.h"
#include "workers/placement.h"
#include "workers/worker.h"

#define RAW_NS (60 * NS_PER_MS)
enum { ROUNDS = 15, ROUNDS_MAX = 200, BLOCK_MS = 60, BYTES = 64 };

struct round {
    double raw_before_ns, ring_ns, raw_after_ns;
};

static struct worker_channel channel;

static int run_side(struct control *control, enum seat_side side, double *p50_ns)
{
    static struct loop_state state;
    static unsigned char sent[BYTES], received[BYTES];
    struct err err = {.text = ""};
    int cpu;
    const struct mechanism *mechanism = mechanism_find("shm_sysv");
    if (placement_pin(PLACEMENT_TWO_CPUS, side, &cpu, &err) < 0 ||
        mechanism->attach(channel.state, &channel.channel, (struct seat){.side = side}, &err) < 0)
        return -1;
    state = (struct loop_state){.mechanism = mechanism,
                                .out = channel.state,
                                .in = channel.state,
                                .sent = sent,
                                .received = received,
                                .message_bytes = BYTES,
                                .control = control,
                                .sequence = 1,
                                .batch = LOOP_BATCH,
                                .check = {.expected = 1}};
    struct loop loop = loop_for(PATTERN_ROUND_TRIP, side);
    int result = 0;
    for (int i = 0; i < 2 && result == 0; i++) { /* the first is the warm-up */
        struct block block = {.duration_ns = (i == 0 ? BLOCK_MS / 5 : BLOCK_MS) * NS_PER_MS,
                              .verify = VERIFY_HEADER};
        histogram_clear(&state.histogram);
        result = control_barrier(control, 2, false, clock_now_ns() + 5 * NS_PER_S);
        if (result == 0)
            result = loop.run(&state, &block);
    }
    *p50_ns = histogram_quantile(&state.histogram, 0.5);
    mechanism->detach(channel.state);
    return result;
}

/* The mechanism as the crew uses it, without the crew's ceremony around it. */
static double ring_p50_ns(const char *directory)
{
    struct err err = {.text = ""};
    int control_fd;
    double p50_ns = -1;
    struct control *control = control_create(&control_fd, &err);
    if (control == NULL)
        return -1;
    const struct mechanism *mechanism = mechanism_find("shm_sysv");
    channel = (struct worker_channel){.channel = {.message_bytes = BYTES,
                                                  .pattern = PATTERN_ROUND_TRIP,
                                                  .wait = WAIT_SPIN,
                                                  .senders = 1,
                                                  .receivers = 1,
                                                  .directory = directory}};
    if (mechanism->open(channel.state, &channel.channel, &err) == 0) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(run_side(control, SEAT_RECEIVER, &p50_ns) < 0);
        if (pid > 0 && run_side(control, SEAT_SENDER, &p50_ns) < 0)
            p50_ns = -1;
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
    } else {
        fprintf(stderr, "probe: %s\n", err.text);
    }
    mechanism->close(channel.state, &channel.channel);
    control_unmap(control);
    close(control_fd);
    return p50_ns;
}

static int compare_numbers(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *values, size_t count)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof *values, compare_numbers);
    return count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void print(const struct round *rounds, size_t count)
{
    double ratios[ROUNDS_MAX], raws[ROUNDS_MAX], rings[ROUNDS_MAX];
    size_t kept = 0;
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_begin_array(&writer, "rounds");
    for (size_t i = 0; i < count; i++) {
        const struct round *round = &rounds[i];
        double raw = (round->raw_before_ns + round->raw_after_ns) / 2;
        bool steady = fabs(round->raw_before_ns - round->raw_after_ns) <= raw / 10;
        json_begin_object(&writer, NULL);
        json_write_number(&writer, "raw_before_ns", round->raw_before_ns);
        json_write_number(&writer, "shm_sysv_spin_ns", round->ring_ns);
        json_write_number(&writer, "raw_after_ns", round->raw_after_ns);
        json_write_boolean(&writer, "steady", steady);
        json_end_object(&writer);
        if (!steady)
            continue;
        raws[kept] = raw;
        rings[kept] = round->ring_ns;
        ratios[kept++] = round->ring_ns / raw;
    }
    json_end_array(&writer);
    json_write_integer(&writer, "steady_count", (int64_t)kept);
    json_write_number(&writer, "raw_p50_ns", median(raws, kept));
    json_write_number(&writer, "shm_sysv_spin_p50_ns", median(rings, kept));
    json_write_number(&writer, "ratio", median(ratios, kept));
    json_end_object(&writer);
    puts(text_string(&text));
}

int main(int argument_count, char **arguments)
{
    struct round rounds[ROUNDS_MAX];
    int64_t count = ROUNDS;
    if (argument_count > 1 && parse_integer(arguments[1], 10, 1, ROUNDS_MAX, &count, NULL) < 0) {
        fprintf(stderr, "usage: probe [ROUNDS, at most %d]\n", ROUNDS_MAX);
        return EXIT_FAILURE;
    }
    char directory[] = "/tmp/ipclab-probe-XXXXXX";
    cpu_set_t all;
    int cpus[2], cpu_count = 0;
    if (sched_getaffinity(0, sizeof all, &all) != 0 || mkdtemp(directory) == NULL)
        return EXIT_FAILURE;
    for (int cpu = 0; cpu < CPU_SETSIZE && cpu_count < 2; cpu++)
        if (CPU_ISSET((size_t)cpu, &all))
            cpus[cpu_count++] = cpu;
    if (cpu_count < 2) {
        fprintf(stderr, "probe: needs two CPUs\n");
        rmdir(directory);
        return EXIT_FAILURE;
    }
    for (int64_t i = 0; i < count; i++) {
        rounds[i].raw_before_ns = raw_loop_p50_ns(cpus[0], cpus[1], RAW_NS, LOOP_BATCH);
        sched_setaffinity(0, sizeof all, &all); /* placement chooses from it */
        rounds[i].ring_ns = ring_p50_ns(directory);
        rounds[i].raw_after_ns = raw_loop_p50_ns(cpus[0], cpus[1], RAW_NS, LOOP_BATCH);
    }
    char names[sizeof directory + 8];
    snprintf(names, sizeof names, "%s/names", directory);
    unlink(names);
    rmdir(directory);
    print(rounds, (size_t)count);
    return EXIT_SUCCESS;
}
