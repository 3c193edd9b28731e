/* What the interface promises, of every mechanism in the table, by every wait it can do, between relatives
 * and between strangers. Adding a mechanism changes nothing here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/conformance/peers.h"
#include "tests/support/criterion.h"
#include "workers/mechanisms/mechanism.h"
#include <criterion/parameterized.h>

/* What a killed peer may cost, and what a busy machine may add to it. */
#define KILLED_PEER_NS (MECHANISM_PEER_CHECK_NS + 10 * NS_PER_S)
#define PATIENCE_NS (60 * NS_PER_S)

/* While writing a mechanism, IPCLAB_MECHANISM=name takes that one alone. */
static bool is_available(const struct mechanism *mechanism)
{
    const char *only = getenv("IPCLAB_MECHANISM");
    return (only == NULL || strcmp(only, mechanism->name) == 0) && mechanism->probe(NULL) == 0;
}

/* Whether an earlier mechanism of the table moves its messages by the same code: the ring, in memory that was
 * come by in another way. */
static bool repeats_an_engine(const struct mechanism *mechanism)
{
    const struct mechanism *const *at = mechanism_table;
    while ((*at)->send != mechanism->send)
        at++;
    return *at != mechanism;
}

/* Every mechanism × wait that fits; returns how many. Only counts where plans is NULL. */
static size_t combine(struct peers_plan *plans, bool each_engine_once)
{
    size_t count = 0;
    for (const struct mechanism *const *at = mechanism_table; *at != NULL; at++)
        for (int wait = 0; wait < WAIT_COUNT; wait++) {
            if (((*at)->waits >> wait & 1) == 0 || !is_available(*at) ||
                (each_engine_once && repeats_an_engine(*at)))
                continue;
            if (plans != NULL) {
                plans[count] = (struct peers_plan){
                    .channel = {.wait = (enum wait)wait, .message_bytes = 64, .senders = 1, .receivers = 1}};
                memcpy(plans[count].mechanism, (*at)->name, strlen((*at)->name) + 1);
            }
            count++;
        }
    return count;
}

static bool serves_strangers(const struct peers_plan *plan)
{
    return (mechanism_find(plan->mechanism)->traits & TRAIT_RELATED_ONLY) == 0;
}

/* Relatives and strangers in one test: the process a test lives in takes longer to start than they take. */
static void run_related_and_not(const struct peers_plan *plan, void (*run)(const struct peers_plan *))
{
    struct peers_plan of_one = *plan;
    of_one.relation = RELATION_RELATED;
    run(&of_one);
    of_one.relation = RELATION_UNRELATED;
    if (serves_strangers(plan))
        run(&of_one);
}

/* Two that look for each other need a CPU each, at the same time. Where others want the CPUs, too, each
 * message may cost a turn of the scheduler. */
static bool looks(const struct peers_plan *plan)
{
    return plan->channel.wait == WAIT_SPIN || plan->channel.wait == WAIT_POLL;
}

static struct criterion_test_params make_plans(bool each_engine_once)
{
    size_t count = combine(NULL, each_engine_once);
    struct peers_plan *plans = cr_malloc(count * sizeof *plans);
    combine(plans, each_engine_once);
    return cr_make_param_array(struct peers_plan, plans, count);
}

/* With sanitizers, where a process takes ten times as long to start, the other memories' own code is left to
 * the crews. */
static struct criterion_test_params all_plans(void)
{
#ifdef IPCLAB_SANITIZE
    return make_plans(true);
#else
    return make_plans(false);
#endif
}

static void expect_both_content(struct peers *peers)
{
    for (int which = 1; which >= 0; which--)
        cr_expect(eq(int, peers_await_exit(peers, which, PATIENCE_NS), 0), "%s, %s, %s, %lld bytes, side %d",
                  peers->mechanism->name, wait_names[peers->plan.channel.wait],
                  relation_names[peers->plan.relation], (long long)peers->plan.channel.message_bytes, which);
}

/* The last one stands for the largest message the mechanism carries here, if it is smaller. How the memory
 * was come by, or the object found, does not hang on one byte more or less: those that are brief say whether
 * it carries messages at all, and so do all under sanitizers, where everything takes several times as long.
 */
static const struct {
    int64_t bytes;
    bool is_brief;
} sizes[] = {{1, true},     {15, false},  {64, false},    {4095, false},
             {4096, false}, {4097, true}, {65536, false}, {1 << 20, true}};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Every engine takes all sizes by every wait, and every mechanism by its first. */
static bool takes_all_sizes(const struct peers_plan *plan)
{
#ifdef IPCLAB_SANITIZE
    (void)plan;
    return false;
#else
    const struct mechanism *mechanism = mechanism_find(plan->mechanism);
    bool is_first_wait = (int)plan->channel.wait == __builtin_ctz(mechanism->waits);
    return plan->relation == RELATION_RELATED && (is_first_wait || !repeats_an_engine(mechanism));
#endif
}

/* 0: there is none. */
static int64_t size_for(const struct mechanism *mechanism, size_t i)
{
    int64_t max = mechanism_message_bytes_max(mechanism);
    if (i == SIZES - 1)
        return max < sizes[i].bytes ? max : sizes[i].bytes;
    return sizes[i].bytes <= max ? sizes[i].bytes : 0;
}

static uint64_t clamp_messages(int64_t messages, uint64_t most)
{
    uint64_t wanted = messages < 3 ? 3 : (uint64_t)messages;
    return wanted < most ? wanted : most;
}

/* plan: its pattern, acts and buffer; messages is the most there may be. */
static void run_sizes(const struct peers_plan *plan, int64_t bytes_in_all)
{
    int descriptors = peers_count_descriptors();
    for (size_t i = 0; i < SIZES; i++) {
        struct peers_plan sized = *plan;
        struct peers peers;
        sized.channel.message_bytes = size_for(mechanism_find(plan->mechanism), i);
        if (sized.channel.message_bytes == 0 || !(sizes[i].is_brief || takes_all_sizes(plan)))
            continue;
        sized.messages = clamp_messages(bytes_in_all / sized.channel.message_bytes, plan->messages);
        if (peers_start(&peers, &sized))
            expect_both_content(&peers);
        peers_finish(&peers);
    }
    cr_expect(eq(int, peers_count_descriptors(), descriptors), "%s left descriptors open", plan->mechanism);
}

static void take_round_trips(const struct peers_plan *plan)
{
    run_sizes(plan, 1 << 20);
}

static void take_streams(const struct peers_plan *plan)
{
    run_sizes(plan, 12 << 20);
}

ParameterizedTestParameters(mechanisms, round_trips_arrive_whole)
{
    return all_plans();
}

ParameterizedTest(struct peers_plan *plan, mechanisms, round_trips_arrive_whole)
{
    plan->channel.pattern = PATTERN_ROUND_TRIP;
    plan->acts[0] = ACT_ASK;
    plan->acts[1] = ACT_ANSWER;
    plan->messages = looks(plan) ? 30 : 100;
    run_related_and_not(plan, take_round_trips);
}

ParameterizedTestParameters(mechanisms, streams_arrive_whole_and_end)
{
    return all_plans();
}

ParameterizedTest(struct peers_plan *plan, mechanisms, streams_arrive_whole_and_end)
{
    plan->channel.pattern = PATTERN_STREAM;
    plan->acts[0] = ACT_SEND;
    plan->acts[1] = ACT_RECEIVE;
    plan->messages = 300;
    run_related_and_not(plan, take_streams);
}

ParameterizedTestParameters(mechanisms, a_buffer_may_be_small)
{
    return make_plans(true);
}

ParameterizedTest(struct peers_plan *plan, mechanisms, a_buffer_may_be_small)
{
    plan->channel.pattern = PATTERN_STREAM;
    plan->channel.buffer_bytes = 4096;
    plan->acts[0] = ACT_SEND;
    plan->acts[1] = ACT_RECEIVE;
    plan->messages = looks(plan) ? 100 : 300;
    plan->may_refuse = true; /* a queue counts messages, and may have no room for so many of one byte */
    plan->relation = serves_strangers(plan) ? RELATION_UNRELATED : RELATION_RELATED;
    run_sizes(plan, 1 << 20);
}

ParameterizedTestParameters(mechanisms, a_large_buffer_is_granted_or_refused)
{
    return all_plans();
}

ParameterizedTest(struct peers_plan *plan, mechanisms, a_large_buffer_is_granted_or_refused)
{
    struct peers peers;
    plan->channel.pattern = PATTERN_STREAM;
    plan->channel.buffer_bytes = 64 << 20;
    plan->messages = 100;
    plan->acts[0] = ACT_SEND;
    plan->acts[1] = ACT_RECEIVE;
    plan->may_refuse = true;
    plan->relation = serves_strangers(plan) ? RELATION_UNRELATED : RELATION_RELATED;
    if (peers_start(&peers, plan))
        expect_both_content(&peers);
    peers_finish(&peers);
}

/* ---- several senders and receivers ---- */

static bool is_allowed(const struct mechanism *mechanism, const struct channel *channel)
{
    return (channel->senders == 1 || (mechanism->traits & TRAIT_MANY_SENDERS) != 0) &&
           (channel->receivers == 1 || (mechanism->traits & TRAIT_MANY_RECEIVERS) != 0);
}

static void share(const struct peers_plan *plan)
{
    struct peers peers;
    bool may_lose = (mechanism_find(plan->mechanism)->traits & TRAIT_MAY_LOSE) != 0;
    if (peers_start(&peers, plan)) {
        peers_let_end(&peers);
        for (int i = peers.count - 1; i >= 0; i--)
            cr_expect(eq(int, peers_await_exit(&peers, i, PATIENCE_NS), 0), "%s, %s, %s, peer %d of %d x %d",
                      plan->mechanism, wait_names[plan->channel.wait], relation_names[plan->relation], i,
                      plan->channel.senders, plan->channel.receivers);
        if (!may_lose)
            cr_expect(eq(sz, peers_count_amiss(&peers), 0), "%s lost or doubled messages", plan->mechanism);
    }
    peers_finish(&peers);
}

ParameterizedTestParameters(mechanisms, several_share_a_channel)
{
    return all_plans();
}

ParameterizedTest(struct peers_plan *plan, mechanisms, several_share_a_channel)
{
    static const struct crowd {
        int senders, receivers;
        int64_t message_bytes;
        uint64_t messages;
    } crowds[] = {{3, 2, 64, 200}, {3, 1, 16, 200}, {1, 2, 4096, 200}, {3, 2, 40000, 30}, {8, 8, 64, 200}};
    const struct mechanism *mechanism = mechanism_find(plan->mechanism);
    plan->channel.pattern = PATTERN_STREAM;
    plan->acts[0] = ACT_SEND_SHARED;
    plan->acts[1] = ACT_RECEIVE_SHARED;
    size_t count = repeats_an_engine(mechanism) ? 1 : sizeof crowds / sizeof *crowds;
    for (size_t i = 0; i < count; i++) {
        const struct crowd *crowd = &crowds[i];
        plan->channel.senders = crowd->senders;
        plan->channel.receivers = crowd->receivers;
        plan->channel.message_bytes = crowd->message_bytes;
        plan->may_refuse = crowd->message_bytes > 4096; /* a pipe, between several */
        plan->messages = looks(plan) && crowd->messages > 40 ? 40 : crowd->messages;
        bool fits = crowd->message_bytes <= mechanism_message_bytes_max(mechanism);
        /* Spinning is only for workers that have a CPU each. */
        bool crowded = looks(plan) && crowd->senders > 3;
        if (is_allowed(mechanism, &plan->channel) && fits && !crowded)
            run_related_and_not(plan, share);
    }
}

/* ---- deaths ---- */

static void kill_sender(const struct peers_plan *plan)
{
    struct peers peers;
    peers_start(&peers, plan);
    peers_await_report(&peers);
    peers_kill(&peers, 0);
    cr_expect(eq(int, peers_await_exit(&peers, 1, KILLED_PEER_NS), 0), "%s, %s: the receiver",
              plan->mechanism, wait_names[plan->channel.wait]);
    peers_finish(&peers);
}

ParameterizedTestParameters(mechanisms, receive_ends_when_the_sender_is_killed)
{
    return all_plans();
}

ParameterizedTest(struct peers_plan *plan, mechanisms, receive_ends_when_the_sender_is_killed)
{
    plan->channel.pattern = PATTERN_STREAM;
    plan->messages = 3;
    plan->acts[0] = ACT_SEND_AND_HANG;
    plan->acts[1] = ACT_RECEIVE;
    run_related_and_not(plan, kill_sender);
}

static void kill_receiver(const struct peers_plan *plan)
{
    struct peers peers;
    peers_start(&peers, plan);
    peers_await_report(&peers);
    peers_await_report(&peers);
    peers_kill(&peers, 1);
    cr_expect(eq(int, peers_await_exit(&peers, 0, KILLED_PEER_NS), 0), "%s, %s: the sender", plan->mechanism,
              wait_names[plan->channel.wait]);
    peers_finish(&peers);
}

ParameterizedTestParameters(mechanisms, send_ends_when_the_receiver_is_killed)
{
    return all_plans();
}

ParameterizedTest(struct peers_plan *plan, mechanisms, send_ends_when_the_receiver_is_killed)
{
    plan->channel.pattern = PATTERN_STREAM;
    plan->channel.message_bytes = 4096;
    plan->acts[0] = ACT_SEND_UNTIL_END;
    plan->acts[1] = ACT_HANG;
    run_related_and_not(plan, kill_receiver);
}

/* ---- the leader's side, without peers ---- */

static void open_and_close(const struct mechanism *mechanism, const char *directory, bool must_fail)
{
    static struct worker_channel channel;
    channel = (struct worker_channel){.channel = {.message_bytes = 64,
                                                  .wait = (enum wait)__builtin_ctz(mechanism->waits),
                                                  .senders = 1,
                                                  .receivers = 1,
                                                  .directory = directory}};
    struct err err = {.text = ""};
    int result = mechanism->open(channel.state, &channel.channel, &err);
    cr_expect(le(int, result, 0));
    if (result < 0)
        cr_expect(gt(sz, strlen(err.text), 0), "%s failed to open without a word", mechanism->name);
    if (must_fail)
        cr_expect(lt(int, result, 0), "%s opened where it cannot", mechanism->name);
    mechanism->close(channel.state, &channel.channel);
}

Test(mechanisms, close_after_a_failed_open_leaves_nothing)
{
    int descriptors = peers_count_descriptors();
    for (const struct mechanism *const *at = mechanism_table; *at != NULL; at++) {
        open_and_close(*at, "/nonexistent/directory", (*at)->remove_name != NULL);
        cr_expect(eq(int, peers_count_descriptors(), descriptors), "%s left descriptors open", (*at)->name);
        cr_expect(eq(int, peers_count_segments(), 0), "%s left a segment", (*at)->name);
    }
}

Test(mechanisms, close_after_running_out_of_descriptors_leaves_nothing)
{
    for (const struct mechanism *const *at = mechanism_table; *at != NULL; at++) {
        struct scratch scratch;
        scratch_init(&scratch);
        int descriptors = peers_count_descriptors();
        struct rlimit all, few;
        cr_assert(eq(int, getrlimit(RLIMIT_NOFILE, &all), 0));
        few = (struct rlimit){.rlim_cur = 0, .rlim_max = all.rlim_max};
        cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &few), 0));
        open_and_close(*at, scratch.path, false);
        cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &all), 0));
        cr_expect(eq(int, peers_count_descriptors(), descriptors), "%s left descriptors open", (*at)->name);
        cr_expect(eq(int, peers_count_segments(), 0), "%s left a segment", (*at)->name);
        unlink(scratch_file(&scratch, "names"));
        cr_expect(eq(int, rmdir(scratch.path), 0), "%s left a file", (*at)->name);
        scratch_fini(&scratch);
    }
}

Test(mechanisms, the_table_is_sound)
{
    size_t count = 0;
    for (const struct mechanism *const *at = mechanism_table; *at != NULL; at++, count++) {
        const struct mechanism *mechanism = *at;
        cr_expect(eq(ptr, (void *)mechanism_find(mechanism->name), (void *)mechanism), "%s stands twice",
                  mechanism->name);
        cr_expect(lt(sz, strlen(mechanism->name), MECHANISM_NAME_BYTES));
        cr_expect(lt(sz, strlen(mechanism->title), TITLE_BYTES));
        cr_expect(lt(sz, strlen(mechanism->family), FAMILY_BYTES));
        cr_expect(le(sz, mechanism->state_bytes, MECHANISM_STATE_BYTES_MAX));
        cr_expect(gt(i64, mechanism->message_bytes_max, 0));
        uint32_t memory_waits = (1u << WAIT_MEMORY_COUNT) - 1;
        bool synchronises = (mechanism->traits & TRAIT_SYNCHRONISES) != 0;
        cr_expect(ne(u32, mechanism->waits, 0));
        cr_expect(eq(u32, mechanism->waits & (synchronises ? memory_waits : ~memory_waits), 0),
                  "%s waits in a way that does not fit its traits", mechanism->name);
        uint32_t both = TRAIT_NETWORK | TRAIT_RELATED_ONLY;
        cr_expect(ne(u32, mechanism->traits & both, both), "%s cannot be both", mechanism->name);
    }
    cr_expect(le(sz, count, CATALOGUE_MAX));
    cr_expect(ge(sz, count, 6));
}
