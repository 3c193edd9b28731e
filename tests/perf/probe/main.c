/* probe: one raw loop, once, as one JSON object.
 *
 *   probe LOOP PATTERN BYTES WAIT PLACEMENT [DURATION_MS [WARMUP_MS]]
 *   probe list        the loops, and what each knows
 *   probe distance    only how far apart the two CPUs are
 *
 * The distance is measured right before and after the loop by the product's own probe and named by its own
 * borders, so that a loop can be held against a trial of the same distance. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/cpus.h"
#include "common/json.h"
#include "server/trial_merge.h"
#include "tests/perf/probe/raw.h"
#include "workers/control.h"
#include "workers/distance.h"
#include "workers/parse.h"
#include "workers/placement.h"

enum { DURATION_MS = 250, WARMUP_MS = 50, DURATION_MS_MAX = 60000, SECONDS_BEYOND = 10 };

enum { TABLE_COUNT = 2 };
static const struct raw_loop *const tables[TABLE_COUNT] = {raw_memory_loops, raw_kernel_loops};

static int fail(const char *what)
{
    fprintf(stderr, "probe: %s\n", what);
    return EXIT_FAILURE;
}

static const struct raw_loop *find_loop(const char *name)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        for (const struct raw_loop *loop = tables[i]; loop->name != NULL; loop++)
            if (strcmp(loop->name, name) == 0)
                return loop;
    return NULL;
}

/* The index of the word in the table, or -1. */
static int find_word(const char *word, const char *const *table, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(word, table[i]) == 0)
            return i;
    return -1;
}

static void take_words(struct json_writer *writer, const char *name, unsigned bits, const char *const *table,
                       int count)
{
    json_begin_array(writer, name);
    for (int i = 0; i < count; i++)
        if (bits & 1u << i)
            json_write_string(writer, NULL, table[i]);
    json_end_array(writer);
}

static int list(void)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_array(&writer, NULL);
    for (size_t i = 0; i < TABLE_COUNT; i++)
        for (const struct raw_loop *loop = tables[i]; loop->name != NULL; loop++) {
            json_begin_object(&writer, NULL);
            json_write_string(&writer, "loop", loop->name);
            take_words(&writer, "patterns", loop->patterns, pattern_names, PATTERN_COUNT);
            take_words(&writer, "waits", loop->waits, wait_names, WAIT_COUNT);
            json_write_unsigned(&writer, "message_bytes_max", loop->bytes_max);
            json_end_object(&writer);
        }
    json_end_array(&writer);
    puts(text_string(&text));
    return EXIT_SUCCESS;
}

/* Two of the CPUs this process may use, as the product's placement takes them; how many there are. */
static int first_cpus(int cpus[2])
{
    struct cpus usable;
    if (cpus_read(&usable) < 0)
        return 0;
    for (int i = 0; i < 2; i++)
        cpus[i] = placement_choose(&usable, i, placement_core_of);
    return cpus_count(&usable);
}

/* One-way time of a cache line between the CPUs, NAN if it cannot be known. */
static double probe_distance(const int cpus[2])
{
    struct err err;
    AUTO_CLOSE int fd = -1;
    if (cpus[0] == cpus[1])
        return NAN;
    struct control *control = control_create(&fd, &err);
    if (control == NULL)
        return NAN;
    int pid = raw_fork(cpus[1]);
    int side = pid == 0 ? 1 : 0;
    double distance_ns = NAN;
    if (pid >= 0 && (pid == 0 || raw_pin(cpus[0]) == 0) &&
        control_barrier(control, 2, false, clock_now_ns() + NS_PER_S) == 0) {
        distance_probe(control, side, 1, 1);
        distance_ns = control->distance_ns;
    }
    if (pid == 0)
        _exit(0);
    if (pid > 0)
        raw_reap(pid);
    control_unmap(control);
    return distance_ns;
}

/* What could not be measured is like nothing else. */
static enum distance distance_of(const int cpus[2], double distance_ns)
{
    if (cpus[0] == cpus[1])
        return DISTANCE_SAME;
    return isnan(distance_ns) ? DISTANCE_MIXED : trial_merge_distance_of(distance_ns);
}

static void write_distance(struct json_writer *writer, const int cpus[2], const double distances_ns[2],
                           int count)
{
    json_begin_array(writer, "core_distance_ns");
    for (int i = 0; i < count; i++)
        json_write_number(writer, NULL, distances_ns[i]);
    json_end_array(writer);
    enum distance first = distance_of(cpus, distances_ns[0]);
    enum distance last = distance_of(cpus, distances_ns[count - 1]);
    enum distance distance = first == last ? first : DISTANCE_MIXED;
    json_write_string(writer, "distance", distance_names[distance]);
}

static int print_distance(void)
{
    int cpus[2];
    if (first_cpus(cpus) < 2)
        return fail("needs two CPUs");
    double distance_ns[2] = {probe_distance(cpus), NAN};
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    write_distance(&writer, cpus, distance_ns, 1);
    json_end_object(&writer);
    puts(text_string(&text));
    return EXIT_SUCCESS;
}

static void print_figures(const struct raw_case *one, const struct raw_figures *figures,
                          const double distances_ns[2])
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_write_string(&writer, "loop", one->loop);
    json_write_string(&writer, "pattern", pattern_names[one->pattern]);
    json_write_unsigned(&writer, "message_bytes", one->bytes);
    json_write_string(&writer, "wait", wait_names[one->wait]);
    json_write_string(
        &writer, "placement",
        placement_names[one->cpus[0] == one->cpus[1] ? PLACEMENT_SAME_CPU : PLACEMENT_TWO_CPUS]);
    if (one->pattern == PATTERN_ROUND_TRIP)
        json_write_number(&writer, "p50_ns", figures->round_trip_p50_ns);
    else
        json_write_number(&writer, "bytes_per_s", figures->messages_per_s * (double)one->bytes);
    json_write_number(&writer, "messages_per_s", figures->messages_per_s);
    write_distance(&writer, one->cpus, distances_ns, 2);
    json_end_object(&writer);
    puts(text_string(&text));
}

static int run(const struct raw_loop *loop, struct raw_case *one)
{
    struct raw_figures figures = {.messages_per_s = 0};
    double distances_ns[2];
    char directory[] = "/tmp/ipclab-probe-XXXXXX";
    one->directory = mkdtemp(directory);
    if (one->directory == NULL)
        return fail("no temporary directory");
    /* A loop that hangs ends here, and the process at its other end with it. */
    alarm((unsigned)((one->warmup_ns + one->duration_ns) / NS_PER_S) + SECONDS_BEYOND);
    distances_ns[0] = probe_distance(one->cpus);
    int result = loop->run(one, &figures);
    distances_ns[1] = probe_distance(one->cpus);
    rmdir(directory);
    if (result < 0) {
        fprintf(stderr, "probe: %s: %s\n", loop->name, strerror(-result));
        return EXIT_FAILURE;
    }
    print_figures(one, &figures, distances_ns);
    return EXIT_SUCCESS;
}

static int read_case(int count, char **arguments, const struct raw_loop *loop, struct raw_case *one)
{
    int64_t bytes, duration_ms = DURATION_MS, warmup_ms = WARMUP_MS;
    int pattern = find_word(arguments[2], pattern_names, PATTERN_COUNT);
    int wait = find_word(arguments[4], wait_names, WAIT_COUNT);
    int placement = find_word(arguments[5], placement_names, PLACEMENT_COUNT);
    if (pattern < 0 || (loop->patterns & 1u << pattern) == 0)
        return fail("this loop does not know that pattern");
    if (wait < 0 || (loop->waits & 1u << wait) == 0)
        return fail("this loop does not know that wait");
    if (parse_integer(arguments[3], 10, 1, (int64_t)loop->bytes_max, &bytes, NULL) < 0)
        return fail("this loop does not take that size");
    if (count > 6 && parse_integer(arguments[6], 10, 1, DURATION_MS_MAX, &duration_ms, NULL) < 0)
        return fail("DURATION_MS must be 1 to 60000");
    if (count > 7 && parse_integer(arguments[7], 10, 1, DURATION_MS_MAX, &warmup_ms, NULL) < 0)
        return fail("WARMUP_MS must be 1 to 60000");
    int cpus[2] = {0, 0};
    int cpu_count = first_cpus(cpus);
    if (placement == PLACEMENT_SAME_CPU)
        cpus[1] = cpus[0];
    else if (placement != PLACEMENT_TWO_CPUS || cpu_count < 2)
        return fail("PLACEMENT must be same_cpu, or two_cpus where there are two");
    *one = (struct raw_case){.loop = loop->name,
                             .pattern = (enum pattern)pattern,
                             .wait = (enum wait)wait,
                             .bytes = (size_t)bytes,
                             .cpus = {cpus[0], cpus[1]},
                             .warmup_ns = warmup_ms * NS_PER_MS,
                             .duration_ns = duration_ms * NS_PER_MS};
    if (placement == PLACEMENT_SAME_CPU && wait != WAIT_BLOCK && wait != WAIT_FUTEX)
        return fail("on one CPU spinning and polling only keep the other from running");
    return EXIT_SUCCESS;
}

int main(int count, char **arguments)
{
    struct raw_case one;
    if (count == 2 && strcmp(arguments[1], "list") == 0)
        return list();
    if (count == 2 && strcmp(arguments[1], "distance") == 0)
        return print_distance();
    if (count < 6 || count > 8)
        return fail(
            "usage: probe LOOP PATTERN BYTES WAIT PLACEMENT [DURATION_MS [WARMUP_MS]] | list | distance");
    const struct raw_loop *loop = find_loop(arguments[1]);
    if (loop == NULL)
        return fail("no such loop; probe list names them");
    signal(SIGPIPE, SIG_IGN);
    int result = read_case(count, arguments, loop, &one);
    return result == EXIT_SUCCESS ? run(loop, &one) : result;
}
