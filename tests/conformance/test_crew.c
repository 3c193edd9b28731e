/* A crew as the server sees it: one trial of every mechanism × pattern × relation, in a cage and without, and
 * what is left when its processes are killed. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/conformance/crew_server.h"
#include "tests/support/criterion.h"
#include "workers/mechanisms/mechanism.h"
#include <criterion/parameterized.h>

#define PATIENCE_NS (60 * NS_PER_S)

/* Large, and one is enough. */
static struct crew_server server;

struct crew_plan {
    char mechanism[MECHANISM_NAME_BYTES];
    enum pattern pattern;
    enum relation relation;
    enum cage cage;
};

static size_t combine(struct crew_plan *plans)
{
    bool can_cage = crew_server_can_cage();
    size_t count = 0;
    for (const struct mechanism *const *at = mechanism_table; *at != NULL; at++)
        for (int i = 0; i < 8; i++) {
            struct crew_plan plan = {.pattern = i & 1 ? PATTERN_STREAM : PATTERN_ROUND_TRIP,
                                     .relation = i & 2 ? RELATION_UNRELATED : RELATION_RELATED,
                                     .cage = i & 4 ? CAGE_NONE : CAGE_FULL};
            if ((plan.cage == CAGE_FULL && !can_cage) || (*at)->probe(NULL) != 0 ||
                (plan.relation == RELATION_UNRELATED && ((*at)->traits & TRAIT_RELATED_ONLY) != 0))
                continue;
            memcpy(plan.mechanism, (*at)->name, strlen((*at)->name) + 1);
            if (plans != NULL)
                plans[count] = plan;
            count++;
        }
    return count;
}

static void ask_for(const struct crew_plan *plan)
{
    crew_server_open(&server);
    const struct mechanism *mechanism = mechanism_find(plan->mechanism);
    struct ipc_case *one = &server.spec.one;
    memcpy(one->mechanism, plan->mechanism, sizeof one->mechanism);
    one->pattern = plan->pattern;
    one->relation = plan->relation;
    one->wait = (mechanism->traits & TRAIT_SYNCHRONISES) != 0 ? WAIT_BLOCK : WAIT_SPIN_FUTEX;
    server.spec.cage = plan->cage;
}

static uint32_t traits_of_server(void)
{
    return mechanism_find(server.spec.one.mechanism)->traits;
}

/* Who may lose a message promises no order either (RFC 768): a packet that waited longer than its receiver is
 * found in the next block. Tearing and repeating is a property of none. */
static void expect_intact(const struct frame_integrity *faults)
{
    const char *mechanism = server.spec.one.mechanism;
    if ((traits_of_server() & TRAIT_MAY_LOSE) == 0) {
        cr_expect(zero(u64, faults->lost), "%s", mechanism);
        cr_expect(zero(u64, faults->reordered), "%s", mechanism);
    }
    cr_expect(zero(u64, faults->torn), "%s", mechanism);
    cr_expect(zero(u64, faults->duplicated), "%s", mechanism);
}

/* What is lost while warming up is counted as lost, but not as sent. */
static void expect_received(uint64_t sent, uint64_t received, uint64_t lost)
{
    cr_expect(gt(u64, sent, 0));
    cr_expect(le(u64, received, sent));
    cr_expect(ge(u64, received + lost, sent), "%s: of %llu sent %llu were received and %llu lost",
              server.spec.one.mechanism, (unsigned long long)sent, (unsigned long long)received,
              (unsigned long long)lost);
}

static void expect_sound(const struct frame_result *result, bool measures)
{
    expect_intact(&result->integrity);
    cr_expect(gt(u64, result->messages, 0));
    cr_expect(gt(i64, result->duration_ns, 0));
    cr_expect(gt(i64, result->warmup_ns, 0));
    cr_expect(eq(sz, result->block_count, trial_spec_block_count(server.spec.duration_ms)));
    uint64_t messages = 0;
    int64_t duration_ns = 0, end_ns = 0;
    for (size_t i = 0; i < result->block_count; i++) {
        cr_expect(ge(i64, result->blocks[i].begin_ns, end_ns), "block %zu begins before the last one ended",
                  i);
        end_ns = result->blocks[i].begin_ns + result->blocks[i].duration_ns;
        messages += result->blocks[i].messages;
        duration_ns += result->blocks[i].duration_ns;
    }
    cr_expect(eq(u64, messages, result->messages));
    cr_expect(eq(i64, duration_ns, result->duration_ns));
    if (measures && server.spec.one.pattern == PATTERN_ROUND_TRIP) {
        cr_expect(result->has_histogram);
        cr_expect(eq(u64, result->histogram.count * result->batch, result->messages));
        cr_expect(gt(dbl, histogram_quantile(&result->histogram, 0.5), 0));
    } else {
        cr_expect(not(result->has_histogram));
    }
}

static int index_of_measuring(void)
{
    return server.spec.one.pattern == PATTERN_STREAM ? 1 : 0;
}

ParameterizedTestParameters(crew, takes_a_trial)
{
    size_t count = combine(NULL);
    struct crew_plan *plans = cr_malloc(count * sizeof *plans);
    combine(plans);
    return cr_make_param_array(struct crew_plan, plans, count);
}

ParameterizedTest(struct crew_plan *plan, crew, takes_a_trial)
{
    ask_for(plan);
    crew_server_start(&server, NULL);
    int status = crew_server_finish(&server);
    const char *cause = server.exit_count > 0 ? server.exits[0].cause : "";
    cr_expect(eq(int, status, 0), "%s, %s, %s, %s: %s", plan->mechanism, pattern_names[plan->pattern],
              relation_names[plan->relation], cage_names[plan->cage], cause);
    cr_expect(server.said_bye);
    cr_expect(eq(int, server.exit_count, 0), "%s", cause);
    for (int i = 0; i < crew_server_workers(&server); i++) {
        cr_assert(server.has_result[i], "worker %d of %s", i, plan->mechanism);
        expect_sound(&server.results[i], i == index_of_measuring());
        bool is_control = strcmp(mechanism_find(plan->mechanism)->family, "control") == 0;
        if (!is_control)
            cr_expect(ge(i64, server.ready_buffer_bytes[i], 0));
    }
    if (plan->pattern == PATTERN_STREAM)
        expect_received(server.results[0].messages, server.results[1].messages,
                        server.results[1].integrity.lost);
    /* The probes of a free placement may fail on a busy machine, but are counted. */
    cr_expect(eq(sz, server.results[0].distance_count, server.results[0].block_count + 1));
    cr_expect(eq(int, crew_server_count_files(&server), 0));
    cr_expect(eq(int, crew_server_count_segments(server.leader), 0));
    crew_server_close(&server);
}

/* ---- sizes, samples, placement ---- */

static void expect_trial(const char *what)
{
    crew_server_start(&server, NULL);
    cr_expect(eq(int, crew_server_finish(&server), 0), "%s: %s", what,
              server.exit_count > 0 ? server.exits[0].cause : "");
    for (int i = 0; i < crew_server_workers(&server); i++)
        expect_sound(&server.results[i], i == index_of_measuring());
}

Test(crew, ends_a_block_of_single_bytes)
{
    for (int pattern = PATTERN_ROUND_TRIP; pattern <= PATTERN_STREAM; pattern++) {
        ask_for(&(struct crew_plan){.mechanism = "shm_sysv", .pattern = (enum pattern)pattern});
        server.spec.cage = CAGE_NONE;
        server.spec.one.message_bytes = 1;
        expect_trial("1 byte");
        crew_server_close(&server);
    }
}

Test(crew, carries_large_messages_and_verifies_them)
{
    static const struct crew_plan plans[] = {
        {.mechanism = "shm_sysv", .pattern = PATTERN_STREAM, .cage = CAGE_NONE},
        {.mechanism = "pipe", .pattern = PATTERN_STREAM, .cage = CAGE_NONE},
    };
    static const enum wait waits[] = {WAIT_FUTEX, WAIT_POLL};
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        ask_for(&plans[i]);
        server.spec.one.wait = waits[i];
        server.spec.one.message_bytes = 1 << 20;
        server.spec.verify = VERIFY_FULL;
        expect_trial(plans[i].mechanism);
        crew_server_close(&server);
    }
}

/* A block ends with the message that is under way, however long that takes. */
Test(crew, ends_in_time_with_the_largest_messages)
{
    static const struct crew_plan plans[] = {
        {.mechanism = "shm_sysv", .pattern = PATTERN_ROUND_TRIP, .cage = CAGE_NONE},
        {.mechanism = "shm_sysv", .pattern = PATTERN_STREAM, .cage = CAGE_NONE},
        {.mechanism = "pipe", .pattern = PATTERN_ROUND_TRIP, .cage = CAGE_NONE},
        {.mechanism = "pipe", .pattern = PATTERN_STREAM, .cage = CAGE_NONE},
    };
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        ask_for(&plans[i]);
        server.spec.one.placement = PLACEMENT_SAME_CPU;
        if (server.spec.one.wait == WAIT_SPIN_FUTEX)
            server.spec.one.wait = WAIT_FUTEX;
        server.spec.one.message_bytes = MESSAGE_BYTES_MAX;
        server.spec.duration_ms = 10;
        expect_trial(plans[i].mechanism);
        crew_server_close(&server);
    }
}

Test(crew, shares_one_cpu_without_probing_it)
{
    ask_for(&(struct crew_plan){.mechanism = "mmap_file", .cage = CAGE_NONE});
    server.spec.one.placement = PLACEMENT_SAME_CPU;
    server.spec.one.wait = WAIT_FUTEX;
    expect_trial("same_cpu");
    cr_expect(eq(sz, server.results[0].distance_count, 0));
    crew_server_close(&server);
}

Test(crew, sends_samples_while_it_runs)
{
    ask_for(&(struct crew_plan){.mechanism = "pipe", .cage = CAGE_NONE});
    server.spec.duration_ms = 700;
    int64_t began_ns = clock_now_ns();
    expect_trial("samples");
    cr_expect(ge(int, server.sample_count, 2));
    cr_expect(le(i64, server.sample_count, (clock_now_ns() - began_ns) / (200 * NS_PER_MS)));
    crew_server_close(&server);
}

/* ---- several senders and receivers ---- */

struct crowd {
    int senders, receivers;
    enum relation relation;
    enum placement placement;
    int64_t message_bytes;
};

static void expect_shared_stream(const char *mechanism, const struct crowd *crowd)
{
    struct crew_plan plan = {.pattern = PATTERN_STREAM, .relation = crowd->relation, .cage = CAGE_NONE};
    memcpy(plan.mechanism, mechanism, strlen(mechanism) + 1);
    ask_for(&plan);
    struct ipc_case *one = &server.spec.one;
    one->senders = crowd->senders;
    one->receivers = crowd->receivers;
    one->placement = crowd->placement;
    one->message_bytes = crowd->message_bytes;
    if (one->wait == WAIT_SPIN_FUTEX)
        one->wait = WAIT_FUTEX;
    crew_server_start(&server, NULL);
    cr_expect(eq(int, crew_server_finish(&server), 0), "%s %d:%d: %s", mechanism, one->senders,
              one->receivers, server.exit_count > 0 ? server.exits[0].cause : "");
    uint64_t sent = 0, received = 0, lost = 0;
    for (int i = 0; i < crew_server_workers(&server); i++) {
        const struct frame_result *result = &server.results[i];
        cr_assert(server.has_result[i], "worker %d of %s", i, mechanism);
        expect_intact(&result->integrity);
        lost += result->integrity.lost;
        *(i < one->senders ? &sent : &received) += result->messages;
    }
    expect_received(sent, received, lost);
    crew_server_close(&server);
}

struct sharer {
    char mechanism[MECHANISM_NAME_BYTES];
};

ParameterizedTestParameters(crew, shares_a_stream_between_several)
{
    size_t count = 0;
    for (const struct mechanism *const *at = mechanism_table; *at != NULL; at++)
        count++;
    struct sharer *sharers = cr_malloc(count * sizeof *sharers);
    for (size_t i = 0; i < count; i++)
        memcpy(sharers[i].mechanism, mechanism_table[i]->name, strlen(mechanism_table[i]->name) + 1);
    return cr_make_param_array(struct sharer, sharers, count);
}

ParameterizedTest(struct sharer *sharer, crew, shares_a_stream_between_several)
{
    static const struct crowd crowds[] = {
        {2, 1, RELATION_RELATED, PLACEMENT_FREE, 64},     {1, 2, RELATION_UNRELATED, PLACEMENT_FREE, 64},
        {3, 2, RELATION_RELATED, PLACEMENT_TWO_CPUS, 16}, {2, 3, RELATION_RELATED, PLACEMENT_SAME_CPU, 4096},
        {8, 8, RELATION_RELATED, PLACEMENT_TWO_CPUS, 64},
    };
    const struct mechanism *mechanism = mechanism_find(sharer->mechanism);
    for (size_t i = 0; i < sizeof crowds / sizeof *crowds; i++) {
        uint32_t traits = mechanism->traits;
        if (mechanism->probe(NULL) != 0 || (crowds[i].senders > 1 && !(traits & TRAIT_MANY_SENDERS)) ||
            (crowds[i].receivers > 1 && !(traits & TRAIT_MANY_RECEIVERS)) ||
            (crowds[i].relation == RELATION_UNRELATED && (traits & TRAIT_RELATED_ONLY)))
            continue;
        expect_shared_stream(mechanism->name, &crowds[i]);
    }
}

/* ---- a fixed rate ---- */

static const struct frame_result *take_paced(double rate_hz, int64_t duration_ms)
{
    ask_for(&(struct crew_plan){.mechanism = "pipe", .pattern = PATTERN_PACED, .cage = CAGE_NONE});
    server.spec.one.rate_hz = rate_hz;
    server.spec.duration_ms = duration_ms;
    crew_server_start(&server, NULL);
    cr_expect(eq(int, crew_server_finish(&server), 0), "%s",
              server.exit_count > 0 ? server.exits[0].cause : "");
    cr_assert(server.has_result[0]);
    cr_expect(eq(u64, server.results[0].histogram.count, server.results[0].messages));
    cr_expect(eq(u64, server.results[0].messages, server.results[1].messages));
    return &server.results[0];
}

static double rate_of(const struct frame_result *result)
{
    return (double)result->messages * (double)NS_PER_S / (double)result->duration_ns;
}

/* Every message that was due in the time that was timed was sent, but for those that the backlog holds:
 * whatever neighbours this machine has. */
static void expect_schedule(const struct frame_result *result, double rate_hz)
{
    double due = rate_hz * (double)(result->duration_ns - result->backlog_ns) / (double)NS_PER_S;
    cr_expect(epsilon_eq(dbl, (double)result->messages, due, 0.5), "%.1f were due by then", due);
}

Test(crew, keeps_to_the_schedule)
{
    static const double rates_hz[] = {45, 500, 7000, 300000};
    for (size_t i = 0; i < sizeof rates_hz / sizeof *rates_hz; i++) {
        expect_schedule(take_paced(rates_hz[i], 250), rates_hz[i]);
        crew_server_close(&server);
    }
}

Test(crew, counts_the_wait_for_a_late_answer_as_latency)
{
    const struct frame_result *result = take_paced(1e7, 100);
    cr_expect(lt(dbl, rate_of(result), 0.98e7));
    cr_expect(result->backlog_grew);
    /* Most of the time was offered in vain: the last message was due near the trial's begin. */
    cr_expect(gt(i64, result->backlog_ns, result->duration_ns / 2));
    cr_expect(gt(dbl, histogram_quantile(&result->histogram, 0.9), (double)result->duration_ns / 4));
    crew_server_close(&server);
}

/* ---- refusals ---- */

static void expect_refusal(const char *document, bool is_told, const char *why)
{
    crew_server_start(&server, document);
    cr_expect(eq(int, crew_server_finish(&server), 2), "%s", why);
    if (is_told) {
        cr_assert(eq(int, server.exit_count, 1), "%s", why);
        cr_expect(eq(int, server.exits[0].worker, FRAME_WORKER_LEADER));
        cr_expect(ne(ptr, strstr(server.exits[0].cause, why), NULL), "%s", server.exits[0].cause);
        cr_expect(server.said_bye);
    }
    crew_server_close(&server);
}

Test(crew, refuses_what_is_no_spec)
{
    static const char *const documents[] = {"", "{}", "[]", "not json", "{\"trial\":1}"};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        crew_server_open(&server);
        server.spec.cage = CAGE_NONE;
        expect_refusal(documents[i], false, documents[i]);
    }
}

Test(crew, refuses_a_case_that_cannot_be_taken)
{
    static const struct {
        struct ipc_case one;
        const char *why;
    } cases[] = {
        {{.mechanism = "carrier_pigeon", .wait = WAIT_BLOCK}, "no mechanism"},
        {{.mechanism = "pipe", .wait = WAIT_BLOCK, .relation = RELATION_UNRELATED}, "relatives"},
        {{.mechanism = "pipe", .wait = WAIT_SPIN}, "does not wait"},
        {{.mechanism = "shm_sysv", .wait = WAIT_BLOCK}, "does not wait"},
        {{.mechanism = "shm_sysv", .wait = WAIT_SPIN, .placement = PLACEMENT_SAME_CPU}, "spin"},
        {{.mechanism = "pipe", .wait = WAIT_POLL, .placement = PLACEMENT_SAME_CPU}, "spin"},
        {{.mechanism = "pipe", .wait = WAIT_BLOCK, .pattern = PATTERN_PACED}, "rate"},
        {{.mechanism = "pipe", .wait = WAIT_BLOCK, .pattern = PATTERN_PACED, .rate_hz = 2e7}, "rate"},
        {{.mechanism = "pipe", .wait = WAIT_BLOCK, .senders = 2}, "one sender and one receiver"},
        {{.mechanism = "pipe",
          .wait = WAIT_BLOCK,
          .pattern = PATTERN_STREAM,
          .senders = 2,
          .message_bytes = 15},
         "below 16"},
        {{.mechanism = "pipe", .wait = WAIT_POLL, .pattern = PATTERN_STREAM, .senders = 8, .receivers = 8},
         "spin"},
        {{.mechanism = "pipe", .wait = WAIT_BLOCK, .message_bytes = INT64_C(1) << 40}, "at most"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        crew_server_open(&server);
        server.spec.cage = CAGE_NONE;
        server.spec.one = cases[i].one;
        if (server.spec.one.message_bytes == 0)
            server.spec.one.message_bytes = 64;
        if (server.spec.one.senders == 0)
            server.spec.one.senders = 1;
        if (server.spec.one.receivers == 0)
            server.spec.one.receivers = 1;
        expect_refusal(NULL, true, cases[i].why);
    }
}

Test(crew, refuses_more_workers_than_a_mechanism_serves)
{
    for (const struct mechanism *const *at = mechanism_table; *at != NULL; at++)
        for (int side = 0; side < 2; side++) {
            uint32_t many = side == 0 ? TRAIT_MANY_SENDERS : TRAIT_MANY_RECEIVERS;
            if (((*at)->traits & many) != 0)
                continue;
            struct crew_plan plan = {.pattern = PATTERN_STREAM, .cage = CAGE_NONE};
            memcpy(plan.mechanism, (*at)->name, strlen((*at)->name) + 1);
            ask_for(&plan);
            *(side == 0 ? &server.spec.one.senders : &server.spec.one.receivers) = 2;
            if (server.spec.one.wait == WAIT_SPIN_FUTEX)
                server.spec.one.wait = WAIT_FUTEX;
            expect_refusal(NULL, true, side == 0 ? "takes one sender" : "takes one receiver");
        }
}

Test(crew, does_not_furnish_the_machines_own_namespaces)
{
    crew_server_open(&server);
    server.spec.cage = CAGE_FULL;
    AUTO(text_fini) struct text document = TEXT_EMPTY;
    trial_spec_encode(&server.spec, &document);
    server.spec.cage = CAGE_NONE; /* for the start alone */
    crew_server_start(&server, text_string(&document));
    cr_expect(eq(int, crew_server_finish(&server), 1));
    cr_assert(eq(int, server.exit_count, 1));
    cr_expect(ne(ptr, strstr(server.exits[0].cause, "cage"), NULL), "%s", server.exits[0].cause);
    crew_server_close(&server);
}

/* ---- deaths ---- */

static void start_long_trial(const char *mechanism, enum pattern pattern, enum cage cage)
{
    struct crew_plan plan = {.pattern = pattern, .relation = RELATION_RELATED, .cage = cage};
    memcpy(plan.mechanism, mechanism, strlen(mechanism) + 1);
    ask_for(&plan);
    server.spec.duration_ms = 30000;
    crew_server_start(&server, NULL);
}

/* A moment that is another one each time: until then frames are served. */
static bool never(const struct crew_server *ignored)
{
    (void)ignored;
    return false;
}

static void serve_for_a_random_time(int64_t at_most_ns)
{
    uint32_t random = 0;
    cr_assert(eq(int, (int)getrandom(&random, sizeof random, 0), (int)sizeof random));
    crew_server_serve(&server, never, (int64_t)(random % (uint32_t)at_most_ns));
}

static void expect_nothing_left(pid_t leader, enum cage cage)
{
    cr_expect(crew_server_workers_ended(&server, PATIENCE_NS), "a worker outlived its leader");
    if (cage == CAGE_FULL) {
        cr_expect(eq(int, crew_server_count_files(&server), 0), "the cage left a file");
    } else {
        cr_expect(eq(int, crew_server_sweep(&server), 0));
        cr_expect(eq(int, crew_server_count_files(&server), -1), "the sweep left the directory");
    }
    cr_expect(crew_server_segments_gone(leader, PATIENCE_NS), "a segment is left");
}

static enum cage cage_of(int i)
{
    return i % 2 == 0 && crew_server_can_cage() ? CAGE_FULL : CAGE_NONE;
}

Test(crew, reports_a_worker_that_was_killed)
{
    for (int i = 0; i < 4; i++) {
        start_long_trial(i < 2 ? "shm_sysv" : "pipe", i % 2 == 0 ? PATTERN_ROUND_TRIP : PATTERN_STREAM,
                         cage_of(i));
        cr_assert(crew_server_serve(&server, crew_server_has_gone, PATIENCE_NS));
        cr_assert(eq(int, kill(server.pids[i % 2], SIGKILL), 0));
        cr_expect(eq(int, crew_server_finish(&server), 1));
        cr_assert(ge(int, server.exit_count, 1));
        cr_expect(eq(int, server.exits[0].worker, i % 2));
        cr_expect(ne(ptr, strstr(server.exits[0].cause, "killed by signal 9"), NULL), "%s",
                  server.exits[0].cause);
        cr_expect(server.said_bye);
        cr_expect(server.has_result[1 - i % 2], "the survivor kept what it had to itself");
        crew_server_close(&server);
    }
}

Test(crew, ends_when_the_server_hangs_up)
{
    for (int i = 0; i < 4; i++) {
        start_long_trial("shm_sysv", PATTERN_ROUND_TRIP, cage_of(i));
        server.holds_go = i < 2;
        cr_assert(crew_server_serve(&server, crew_server_all_ready, PATIENCE_NS));
        pid_t leader = server.leader;
        crew_server_hang_up(&server);
        cr_expect(eq(int, crew_server_finish(&server), 1));
        expect_nothing_left(leader, server.spec.cage);
        crew_server_close(&server);
    }
}

Test(crew, gives_up_by_itself_when_no_go_comes)
{
    ask_for(&(struct crew_plan){.mechanism = "pipe", .cage = CAGE_NONE});
    server.holds_go = true;
    crew_server_start(&server, NULL);
    cr_expect(eq(int, crew_server_finish(&server), 1));
    cr_expect(ge(int, server.exit_count, 1));
    cr_expect(server.said_bye);
    crew_server_close(&server);
}

static void kill_at_random(int rounds, bool leader_too)
{
    static const char *const names[] = {"shm_sysv", "fifo", "unix_stream", "mmap_file", "tcp", "pipe"};
    for (int i = 0; i < rounds; i++) {
        enum cage cage = cage_of(i / 2);
        start_long_trial(names[i % 6], i % 4 < 2 ? PATTERN_ROUND_TRIP : PATTERN_STREAM, cage);
        pid_t leader = server.leader;
        if (leader_too) {
            serve_for_a_random_time(40 * NS_PER_MS);
            cr_assert(eq(int, kill(leader, SIGKILL), 0));
            cr_expect(eq(int, crew_server_finish(&server), 128 + SIGKILL));
        } else {
            cr_assert(crew_server_serve(&server, crew_server_all_ready, PATIENCE_NS));
            serve_for_a_random_time(40 * NS_PER_MS);
            cr_assert(eq(int, kill(server.pids[i % 2], SIGKILL), 0));
            cr_expect(eq(int, crew_server_finish(&server), 1));
        }
        expect_nothing_left(leader, cage);
        crew_server_close(&server);
    }
}

Test(crew, leaves_nothing_when_its_leader_is_killed)
{
    kill_at_random(24, true);
}

Test(crew, leaves_nothing_when_a_worker_is_killed)
{
    kill_at_random(12, false);
}

/* The control of the tests above: without a cage and without a sweep something is there to be found. The
 * leader is killed as soon as its segment is seen; it may still have removed it by then, so that takes a few
 * tries. */
static void kill_when_it_has_a_segment(pid_t leader)
{
    while (crew_server_count_segments(leader) == 0 && !crew_server_leader_ended(&server))
        crew_server_serve(&server, never, 0);
    cr_assert(eq(int, kill(leader, SIGKILL), 0));
}

Test(crew, would_leave_a_segment_without_cage_and_sweep)
{
    int found = 0;
    for (int i = 0; i < 200 && found == 0; i++) {
        start_long_trial("shm_sysv", PATTERN_ROUND_TRIP, CAGE_NONE);
        pid_t leader = server.leader;
        kill_when_it_has_a_segment(leader);
        crew_server_finish(&server);
        cr_assert(crew_server_workers_ended(&server, PATIENCE_NS));
        found = crew_server_count_segments(leader);
        cr_expect(eq(int, crew_server_sweep(&server), 0));
        cr_expect(crew_server_segments_gone(leader, PATIENCE_NS));
        crew_server_close(&server);
    }
    cr_expect(gt(int, found, 0), "no kill hit the moment between making and removing the segment");
}
