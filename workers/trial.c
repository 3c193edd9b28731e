#include "workers/trial.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "workers/control.h"
#include "workers/distance.h"
#include "workers/usage.h"

enum { SAMPLE_EVERY_MS = 200, BATCH_BELOW_NS = 1000, CLOCK_EVERY_MAX = 1024 };

static int meet(struct trial *trial, struct err *err)
{
    const struct ipc_case *one = &trial->spec->one;
    int result = control_barrier(trial->state.control, (uint32_t)(one->senders + one->receivers),
                                 trial->crowded, trial->deadline_ns);
    if (result == -ECANCELED)
        return err_set(err, ECANCELED, "called off");
    return result < 0 ? err_set(err, -result, "another worker did not come to the barrier") : 0;
}

static int probe_distance(struct trial *trial, struct err *err)
{
    if (trial->spec->one.placement == PLACEMENT_SAME_CPU)
        return 0;
    int result = meet(trial, err);
    if (result < 0)
        return result;
    distance_probe(trial->state.control, trial->worker, trial->spec->one.senders, ++trial->probes);
    result = meet(trial, err);
    if (result == 0)
        trial->result->distance_ns[trial->result->distance_count++] = trial->state.control->distance_ns;
    return result;
}

static struct usage usage_now(const struct trial *trial)
{
    const struct loop_state *state = &trial->state;
    struct usage usage = usage_read(trial->schedstat);
    usage.system_calls = ((const struct endpoint *)state->in)->system_calls;
    if (state->out != state->in)
        usage.system_calls += ((const struct endpoint *)state->out)->system_calls;
    return usage;
}

static bool is_sender(const struct trial *trial)
{
    return trial->worker < trial->spec->one.senders;
}

static void prepare_block(struct trial *trial)
{
    struct loop_state *state = &trial->state;
    state->block_number++;
    state->unplaced = 0;
    histogram_clear(&state->histogram);
    if (is_sender(trial))
        control_begin_block(loop_control_block(state, state->sender), state->sequence);
    for (int i = 0; i < CREW_SIDE_MAX; i++)
        state->rows[i].next = 0;
}

/* What came is known only to all receivers together: the first of them looks, once all are through. */
static int settle_block(struct trial *trial, const struct block *block, struct err *err)
{
    struct loop_state *state = &trial->state;
    struct control_tallied *mine = &state->control->workers[trial->worker];
    mine->messages = block->messages;
    mine->unplaced = state->unplaced;
    if (trial->tally.words == NULL)
        return 0;
    int result = meet(trial, err);
    if (result == 0 && trial->worker == trial->spec->one.senders && block->verify != VERIFY_NONE)
        tally_judge(&trial->tally, state->control, state->block_number, &state->check.integrity);
    return result;
}

static int describe_failure(int result, struct err *err)
{
    if (result == -EPIPE || result == -ECONNRESET)
        return err_set(err, EPIPE, "the other end of the channel closed");
    if (result == -ECANCELED)
        return err_set(err, ECANCELED, "called off");
    return err_errno(err, -result, "send or receive");
}

static int run_block(struct trial *trial, struct block *block, struct err *err)
{
    prepare_block(trial);
    int result = meet(trial, err);
    if (result < 0)
        return result;
    struct usage before = usage_now(trial);
    result = trial->loop.run(&trial->state, block);
    struct usage after = usage_now(trial);
    if (block->kept)
        usage_add(trial->result, &before, &after);
    return result < 0 ? describe_failure(result, err) : settle_block(trial, block, err);
}

/* A stream looks at the clock about every 20 us. */
static void set_clock_every(struct loop_state *state, const struct block *block)
{
    int64_t duration_ns = block->end_ns - block->begin_ns;
    uint64_t every = duration_ns > 0 ? block->messages * LOOP_CLOCK_NS / (uint64_t)duration_ns : 1;
    state->clock_every = every < 1 ? 1 : every < CLOCK_EVERY_MAX ? every : CLOCK_EVERY_MAX;
}

/* Only what spins in memory is faster than a clock read can resolve. */
static bool is_spinning(const struct trial *trial)
{
    enum wait wait = trial->spec->one.wait;
    return (trial->state.mechanism->traits & TRAIT_SYNCHRONISES) == 0 &&
           (wait == WAIT_SPIN || wait == WAIT_SPIN_FUTEX);
}

static int warm_up(struct trial *trial, struct err *err)
{
    struct block block = {.duration_ns = trial->spec->warmup_ms * NS_PER_MS, .verify = VERIFY_FULL};
    trial->state.batch = trial->state.clock_every = 1;
    int result = run_block(trial, &block, err);
    if (result < 0)
        return result;
    trial->result->warmup_ns = block.end_ns - block.begin_ns;
    trial->state.backlog_ns = 0;
    set_clock_every(&trial->state, &block);
    if (trial->spec->one.pattern == PATTERN_ROUND_TRIP && is_spinning(trial) &&
        histogram_quantile(&trial->state.histogram, 0.5) < BATCH_BELOW_NS)
        trial->state.batch = LOOP_BATCH;
    return 0;
}

static void keep_block(struct trial *trial, const struct block *block, size_t number, size_t of)
{
    struct frame_result *result = trial->result;
    size_t half = number < of / 2 ? 0 : 1;
    struct frame_block kept = {
        .begin_ns = block->begin_ns - trial->origin_ns,
        .duration_ns = block->end_ns - block->begin_ns,
        .messages = block->messages,
        .latency_p50_ns = histogram_quantile(&trial->state.histogram, 0.5),
    };
    result->blocks[result->block_count++] = kept;
    result->messages += kept.messages;
    result->duration_ns += kept.duration_ns;
    histogram_add(&trial->halves[half], &trial->state.histogram);
    trial->totals[half].messages += kept.messages;
    trial->totals[half].duration_ns += kept.duration_ns;
}

static int first_measuring(const struct trial *trial)
{
    return trial->spec->one.pattern == PATTERN_STREAM ? trial->spec->one.senders : 0;
}

/* Of all that measure, in the last block: this one's share says nothing where receivers divide a stream. */
static uint64_t messages_of_block(const struct trial *trial)
{
    const struct ipc_case *one = &trial->spec->one;
    int end = one->pattern == PATTERN_STREAM ? one->senders + one->receivers : 1;
    uint64_t messages = 0;
    for (int i = first_measuring(trial); i < end; i++)
        messages += trial->state.control->workers[i].messages;
    return messages;
}

static void send_sample(struct trial *trial)
{
    int64_t now = clock_now_ns();
    if (trial->worker != first_measuring(trial) || trial->metrics < 0 ||
        now - trial->sampled_ns < SAMPLE_EVERY_MS * NS_PER_MS)
        return;
    trial->sampled_ns = now;
    const struct frame_result *result = trial->result;
    const struct frame_block *block = &result->blocks[result->block_count - 1];
    double seconds = (double)block->duration_ns / (double)NS_PER_S;
    double messages_per_s = seconds > 0 ? (double)messages_of_block(trial) / seconds : NAN;
    struct frame sample = {.type = FRAME_SAMPLE,
                           .sample = {.elapsed_ns = now - trial->go_ns,
                                      .messages = result->messages,
                                      .messages_per_s = messages_per_s,
                                      .bytes_per_s = messages_per_s * (double)trial->spec->one.message_bytes,
                                      .latency_p50_ns = block->latency_p50_ns}};
    struct err ignored; /* a sample that is lost is only not shown */
    frame_send(trial->metrics, &sample, &ignored);
}

static void follow_backlog(struct trial *trial, int64_t before_ns)
{
    bool rose = trial->state.backlog_ns > before_ns;
    trial->backlog_rises = rose ? trial->backlog_rises + 1 : 0;
}

static int timed_block(struct trial *trial, size_t number, size_t of, struct err *err)
{
    struct block block = {.duration_ns = trial->spec->duration_ms * NS_PER_MS / (int64_t)of,
                          .verify = trial->spec->verify,
                          .kept = true};
    int64_t backlog_ns = trial->state.backlog_ns;
    int result = run_block(trial, &block, err);
    follow_backlog(trial, backlog_ns);
    /* One in which nothing came is kept, too: its time counts, and the blocks of several receivers are laid
     * over each other by their numbers. */
    if (result == 0 || block.messages > 0) {
        keep_block(trial, &block, number, of);
        set_clock_every(&trial->state, &block);
    }
    return result;
}

static double drift_of(const struct trial *trial)
{
    const struct frame_block *totals = trial->totals;
    if (trial->halves[0].count > 0 && trial->halves[1].count > 0)
        return histogram_quantile(&trial->halves[1], 0.5) / histogram_quantile(&trial->halves[0], 0.5);
    if (totals[0].messages == 0 || totals[1].messages == 0 || totals[0].duration_ns == 0)
        return NAN;
    return (double)totals[1].duration_ns / (double)totals[1].messages /
           ((double)totals[0].duration_ns / (double)totals[0].messages);
}

static void summarise(struct trial *trial)
{
    struct frame_result *result = trial->result;
    result->batch = trial->state.batch;
    result->gap_ns_max = trial->state.gap_ns_max;
    result->autocorrelation = lag_autocorrelation(&trial->state.lag);
    result->drift_ratio = drift_of(trial);
    result->integrity = trial->state.check.integrity;
    result->backlog_ns = trial->state.backlog_ns;
    result->backlog_grew = 2 * trial->backlog_rises > result->block_count;
    histogram_add(&result->histogram, &trial->halves[0]);
    histogram_add(&result->histogram, &trial->halves[1]);
    result->has_histogram = result->histogram.count > 0;
}

static int run_blocks(struct trial *trial, struct err *err)
{
    int result = warm_up(trial, err);
    if (result == 0)
        result = probe_distance(trial, err);
    size_t count = trial_spec_block_count(trial->spec->duration_ms);
    struct usage_cpu before = usage_read_cpu(trial->cpu);
    for (size_t i = 0; i < count && result == 0; i++) {
        result = timed_block(trial, i, count, err);
        if (result == 0)
            result = probe_distance(trial, err);
        if (result == 0)
            send_sample(trial);
    }
    struct usage_cpu after = usage_read_cpu(trial->cpu);
    trial->result->steal_ns = after.steal_ns - before.steal_ns;
    if (after.throttled > before.throttled) /* else it may have been put into a newer group */
        trial->result->throttled = after.throttled - before.throttled;
    trial->result->frequency_hz = after.frequency_hz;
    return result;
}

/* All count from the same moment, so that the blocks of several receivers can be laid over each other. */
static int agree_on_origin(struct trial *trial, struct err *err)
{
    if (trial->worker == 0)
        trial->state.control->origin_ns = clock_now_ns();
    int result = meet(trial, err);
    trial->origin_ns = trial->state.control->origin_ns;
    return result;
}

int trial_run(struct trial *trial, struct err *err)
{
    trial->go_ns = trial->sampled_ns = clock_now_ns();
    int result = agree_on_origin(trial, err);
    if (result == 0)
        result = run_blocks(trial, err);
    summarise(trial);
    return result;
}
