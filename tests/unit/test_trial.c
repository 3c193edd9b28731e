/* A trial's row of blocks, taken by two threads over a channel on which nothing arrives. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/support/criterion.h"
#include "workers/trial.h"

enum { BYTES = 64, DURATION_MS = 5 };

static ssize_t swallow(void *state, const void *message, size_t bytes)
{
    (void)state;
    (void)message;
    return (ssize_t)bytes;
}

static ssize_t wait_in_vain(void *state, void *message, size_t bytes)
{
    (void)state;
    (void)message;
    (void)bytes;
    nanosleep(&(struct timespec){.tv_nsec = MECHANISM_PEER_CHECK_NS / 4}, NULL);
    return -ETIMEDOUT;
}

static const struct mechanism swallowing = {
    .name = "swallowing", .traits = TRAIT_SYNCHRONISES, .send = swallow, .receive = wait_in_vain};

static struct member {
    struct trial trial;
    struct endpoint endpoint;
    struct frame_result result;
    unsigned char message[BYTES];
    pthread_t thread;
    struct err err;
    int error;
} members[2];

static void *run_member(void *argument)
{
    struct member *member = argument;
    member->error = trial_run(&member->trial, &member->err);
    return NULL;
}

static void set_up(const struct trial_spec *spec, struct control *control, int metrics)
{
    for (int i = 0; i < 2; i++) {
        struct member *member = &members[i];
        member->trial = (struct trial){
            .spec = spec,
            .worker = i,
            .crowded = true,
            .cpu = -1,
            .loop = loop_for(spec->one.pattern, i == 0 ? SEAT_SENDER : SEAT_RECEIVER),
            .state = {.mechanism = &swallowing,
                      .out = &member->endpoint,
                      .in = &member->endpoint,
                      .sent = member->message,
                      .received = member->message,
                      .message_bytes = BYTES,
                      .control = control,
                      .senders = 1,
                      .receivers = 1,
                      .sequence = 1,
                      .check = {.expected = 1}},
            .metrics = i == 0 ? metrics : -1,
            .schedstat = -1,
            .deadline_ns = clock_now_ns() + 60 * NS_PER_S,
            .result = &member->result,
        };
    }
}

static struct frame last_sample(int socket)
{
    struct frame frame = {.type = FRAME_TYPE_COUNT};
    char bytes[4096];
    struct err err;
    for (ssize_t got; (got = recv(socket, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
        cr_assert(zero(int, frame_decode(bytes, (size_t)got, &frame, &err)), "%s", err.text);
    return frame;
}

/* A block in which nothing came is a block: its time counts, and its number is the same in every worker. */
Test(trial, keeps_the_blocks_in_which_everything_was_lost)
{
    const struct trial_spec spec = {.one = {.pattern = PATTERN_ROUND_TRIP,
                                            .wait = WAIT_BLOCK,
                                            .placement = PLACEMENT_SAME_CPU,
                                            .message_bytes = BYTES,
                                            .senders = 1,
                                            .receivers = 1},
                                    .duration_ms = DURATION_MS,
                                    .verify = VERIFY_HEADER};
    struct err err;
    int control_fd, metrics[2];
    struct control *control = control_create(&control_fd, &err);
    cr_assert(ne(ptr, control, NULL));
    cr_assert(zero(int, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, metrics)));
    set_up(&spec, control, metrics[0]);
    for (int i = 0; i < 2; i++)
        cr_assert(zero(int, pthread_create(&members[i].thread, NULL, run_member, &members[i])));
    for (int i = 0; i < 2; i++) {
        pthread_join(members[i].thread, NULL);
        cr_expect(zero(int, members[i].error), "%s", members[i].err.text);
        cr_expect(eq(sz, members[i].result.block_count, trial_spec_block_count(DURATION_MS)));
        cr_expect(zero(u64, members[i].result.messages));
    }
    const struct frame_result *asked = &members[0].result;
    cr_expect(ge(u64, asked->integrity.lost, asked->block_count));
    cr_expect(gt(i64, asked->duration_ns, 0));
    cr_expect(isnan(asked->drift_ratio));
    cr_expect(not(asked->has_histogram));
    struct frame sample = last_sample(metrics[1]);
    cr_assert(eq(int, (int)sample.type, FRAME_SAMPLE), "it took longer than a sample is apart");
    cr_expect(zero(dbl, sample.sample.messages_per_s));
    close(metrics[0]);
    close(metrics[1]);
    close(control_fd);
    control_unmap(control);
}
