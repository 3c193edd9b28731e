#include "workers/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/frame.h"
#include "workers/loops.h"
#include "workers/metrics.h"
#include "workers/parse.h"
#include "workers/payload.h"
#include "workers/placement.h"
#include "workers/spec.h"
#include "workers/trial.h"
#include "workers/usage.h"

size_t worker_channel_count(const struct mechanism *mechanism, enum pattern pattern)
{
    return pattern != PATTERN_STREAM && (mechanism->traits & TRAIT_DUPLEX) == 0 ? 2 : 1;
}

struct channel worker_channel_of(const struct trial_spec *spec, int number)
{
    return (struct channel){
        .message_bytes = spec->one.message_bytes,
        .buffer_bytes = spec->one.buffer_bytes,
        .pattern = spec->one.pattern,
        .wait = spec->one.wait,
        .senders = spec->one.senders,
        .receivers = spec->one.receivers,
        .number = number,
        .directory = spec->directory,
    };
}

static bool is_shared(const struct worker *worker)
{
    return case_is_shared(&worker->spec->one);
}

static enum seat_side side_of(const struct worker *worker)
{
    return worker->index < worker->spec->one.senders ? SEAT_SENDER : SEAT_RECEIVER;
}

/* Among the senders, or among the receivers. */
static int index_of(const struct worker *worker)
{
    return side_of(worker) == SEAT_SENDER ? worker->index : worker->index - worker->spec->one.senders;
}

/* The second channel is the way back: who sends on the first receives on it. */
static int attach(struct worker *worker, struct err *err)
{
    for (size_t i = 0; i < worker->channel_count; i++) {
        enum seat_side side = side_of(worker);
        if (i == 1)
            side = side == SEAT_SENDER ? SEAT_RECEIVER : SEAT_SENDER;
        struct seat seat = {.side = side, .index = index_of(worker)};
        struct worker_channel *channel = &worker->channels[i];
        int result = worker->mechanism->attach(channel->state, &channel->channel, seat, err);
        if (result < 0)
            return err_prefix(err, "attach %s", worker->mechanism->name);
    }
    const uint64_t one = 1;
    if (write(worker->attached, &one, sizeof one) != sizeof one)
        return err_errno(err, errno, "tell the leader");
    return 0;
}

static void detach(struct worker *worker)
{
    for (size_t i = 0; i < worker->channel_count; i++)
        worker->mechanism->detach(worker->channels[i].state);
}

/* On the channels: an initiator sends on the first and receives on the last, the other side the reverse. */
static void set_ends(struct loop_state *state, struct worker *worker)
{
    void *first = worker->channels[0].state;
    void *last = worker->channels[worker->channel_count - 1].state;
    bool sends_first = side_of(worker) == SEAT_SENDER;
    state->out = sends_first ? first : last;
    state->in = sends_first ? last : first;
}

static int enter(struct worker *worker, const struct trial *trial, int *metrics, struct err *err)
{
    int result = control_wait_attached(worker->control, trial->deadline_ns);
    if (result < 0)
        return err_set(err, -result, "the leader did not get the crew together");
    *metrics = metrics_connect(worker->spec, worker->index, err);
    if (*metrics < 0)
        return *metrics;
    const struct endpoint *endpoint = side_of(worker) == SEAT_SENDER ? trial->state.out : trial->state.in;
    struct frame ready = {.type = FRAME_READY,
                          .ready = {.buffer_bytes = endpoint->buffer_bytes > 0 ? endpoint->buffer_bytes : 0,
                                    .cpu = trial->cpu}};
    result = frame_send(*metrics, &ready, err);
    return result < 0 ? result : metrics_await_go(*metrics, trial->deadline_ns, err);
}

/* Who asks needs one to compare with what it sent; everybody else can do with one for both. */
static int make_buffers(struct worker *worker, struct loop_state *state, struct err *err)
{
    size_t bytes = (size_t)worker->spec->one.message_bytes;
    bool asks = side_of(worker) == SEAT_SENDER && worker->spec->one.pattern != PATTERN_STREAM;
    state->sent = payload_new_buffer(bytes);
    state->received = asks ? payload_new_buffer(bytes) : state->sent;
    if (state->sent == NULL || state->received == NULL)
        return err_set(err, ENOMEM, "no memory for messages of %zu bytes", bytes);
    return 0;
}

static void free_buffers(struct loop_state *state)
{
    if (state->received != state->sent)
        free(state->received);
    free(state->sent);
}

/* A receiver of a shared stream marks what came. Everybody maps the rows, so that all know there are some. */
static int open_tally(struct worker *worker, struct trial *trial, struct err *err)
{
    const struct ipc_case *one = &worker->spec->one;
    if (!is_shared(worker))
        return 0;
    int result = tally_map(worker->control_fd, one->senders, one->receivers, &trial->tally, err);
    for (int i = 0; result == 0 && i < one->senders && side_of(worker) == SEAT_RECEIVER; i++)
        trial->state.rows[i] = tally_row(&trial->tally, index_of(worker), i);
    return result;
}

static int take_trial(struct worker *worker, struct trial *trial, struct frame *frame, struct err *err)
{
    AUTO_CLOSE int metrics = -1;
    int result = placement_pin(worker->spec->one.placement, worker->index, &trial->cpu, err);
    if (result == 0)
        result = attach(worker, err);
    if (result < 0)
        return result;
    set_ends(&trial->state, worker);
    trial->deadline_ns = clock_now_ns() + trial_spec_deadline_ms(worker->spec) * NS_PER_MS;
    result = enter(worker, trial, &metrics, err);
    if (result < 0)
        return result;
    trial->metrics = metrics;
    result = trial_run(trial, err);
    detach(worker);
    /* Also after a failure: what was measured until then is kept, labelled. */
    struct err sending;
    int sent_result = frame_send(metrics, frame, &sending);
    if (result == 0 && sent_result < 0)
        *err = sending;
    return result < 0 ? result : sent_result;
}

static int run(struct worker *worker, struct trial *trial, struct frame *frame, struct err *err)
{
    AUTO_CLOSE int schedstat = usage_open_schedstat();
    trial->schedstat = schedstat;
    trial->crowded = placement_is_crowded(worker->spec->one.placement,
                                          worker->spec->one.senders + worker->spec->one.receivers);
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* a paced sender sleeps until a moment, not about it */
    int result = make_buffers(worker, &trial->state, err);
    if (result == 0)
        result = open_tally(worker, trial, err);
    if (result == 0)
        result = take_trial(worker, trial, frame, err);
    tally_unmap(&trial->tally);
    free_buffers(&trial->state);
    return result;
}

static struct loop_state begin_state(const struct worker *worker)
{
    const struct ipc_case *one = &worker->spec->one;
    return (struct loop_state){.mechanism = worker->mechanism,
                               .message_bytes = (size_t)one->message_bytes,
                               .control = worker->control,
                               .senders = one->senders,
                               .receivers = one->receivers,
                               .sender = side_of(worker) == SEAT_SENDER ? (uint32_t)worker->index : 0,
                               .sequence = 1,
                               .check = {.expected = 1},
                               .rate_hz = one->rate_hz,
                               .spins = wait_spins(one->wait)};
}

int worker_run(struct worker *worker)
{
    signal(SIGPIPE, SIG_IGN);
    AUTO_FREE struct frame *frame = calloc(1, sizeof *frame);
    AUTO_FREE struct trial *trial = calloc(1, sizeof *trial);
    struct err err = {.code = ENOMEM, .text = "out of memory"};
    int result = -ENOMEM;
    if (frame != NULL && trial != NULL) {
        frame->type = FRAME_RESULT;
        *trial = (struct trial){
            .spec = worker->spec,
            .worker = worker->index,
            .loop = is_shared(worker) ? loop_for_shared(side_of(worker))
                                      : loop_for(worker->spec->one.pattern, side_of(worker)),
            .state = begin_state(worker),
            .metrics = -1,
            .result = &frame->result,
        };
        result = run(worker, trial, frame, &err);
    }
    if (result == 0)
        return WORKER_DONE;
    text_copy(worker->control->errors[worker->index].text, sizeof worker->control->errors[0].text, err.text);
    return result == -EPIPE || result == -ECANCELED ? WORKER_LOST_PEER : WORKER_FAILED;
}

/* ---- the subcommand ---- */

static int run_unrelated(struct worker *worker)
{
    static struct worker_channel channels[CONTROL_CHANNELS_MAX];
    worker->channels = channels;
    worker->channel_count = worker_channel_count(worker->mechanism, worker->spec->one.pattern);
    for (size_t i = 0; i < worker->channel_count; i++) {
        channels[i].channel = worker_channel_of(worker->spec, (int)i);
        text_copy(channels[i].channel.address, sizeof channels[i].channel.address,
                  worker->control->addresses[i]);
    }
    return worker_run(worker);
}

int worker_main(int argument_count, char **arguments)
{
    int64_t index, control_fd, attached_fd;
    if (argument_count != 3 ||
        parse_integer(arguments[0], 10, 0, CONTROL_WORKERS_MAX - 1, &index, NULL) < 0 ||
        parse_integer(arguments[1], 10, 0, INT32_MAX, &control_fd, NULL) < 0 ||
        parse_integer(arguments[2], 10, 0, INT32_MAX, &attached_fd, NULL) < 0) {
        fprintf(stderr, "usage: ipclab-worker worker INDEX CONTROL_FD ATTACHED_FD < SPEC\n");
        return WORKER_BAD_SPEC;
    }
    struct trial_spec spec;
    struct worker worker = {
        .spec = &spec, .index = (int)index, .attached = (int)attached_fd, .control_fd = (int)control_fd};
    struct err err;
    AUTO(text_fini) struct text document = TEXT_EMPTY;
    int result = spec_read(STDIN_FILENO, &document, &spec, &err);
    if (result == 0)
        worker.mechanism = spec_mechanism(&spec, &err);
    if (worker.mechanism != NULL)
        worker.control = control_map((int)control_fd, &err);
    if (worker.control == NULL) {
        fprintf(stderr, "ipclab-worker worker: %s\n", err.text);
        return WORKER_BAD_SPEC;
    }
    int status = run_unrelated(&worker);
    control_unmap(worker.control);
    return status;
}
