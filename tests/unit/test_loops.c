/* The timed loops over a channel that misbehaves on purpose: datagrams between two threads, of which some are
 * dropped or sent twice. What arrived and what did not has to be counted exactly, and no block may hang. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/support/criterion.h"
#include "workers/loops.h"

enum { BYTES = 64, SIDE_MAX = 3 };

/* Which of the messages a sender sends are not sent, or sent again. */
struct mischief {
    uint64_t drop_every, repeat_every;
    bool drops_stops; /* and whatever else comes after the announced end */
};

struct channel_end {
    struct endpoint endpoint;
    int fd;
    uint64_t count, dropped, repeated; /* messages; the announced last one and stops are none of the latter */
    const struct mischief *mischief;
    struct loop_state *state;
};

static bool hits(uint64_t count, uint64_t every)
{
    return every != 0 && count % every == 0;
}

static ssize_t datagram_send(void *state, const void *message, size_t bytes)
{
    struct channel_end *end = state;
    const struct mischief *mischief = end->mischief;
    uint64_t count = ++end->count;
    bool ending = control_last(loop_control_block(end->state, end->state->sender)) != UINT64_MAX;
    bool drops = ending ? mischief->drops_stops : hits(count, mischief->drop_every);
    bool repeats = !ending && !drops && hits(count, mischief->repeat_every);
    end->dropped += drops && !ending;
    end->repeated += repeats;
    if (drops)
        return (ssize_t)bytes;
    for (int i = 0; i < (repeats ? 2 : 1); i++)
        if (send(end->fd, message, bytes, 0) < 0)
            return -errno;
    return (ssize_t)bytes;
}

static ssize_t datagram_receive(void *state, void *message, size_t bytes)
{
    struct channel_end *end = state;
    ssize_t got = recv(end->fd, message, bytes, 0); /* SO_RCVTIMEO: EAGAIN */
    return got < 0 ? -errno : got;
}

static const struct mechanism datagram = {
    .name = "datagram", .send = datagram_send, .receive = datagram_receive};

/* ---- a crew of threads ---- */

struct member {
    struct loop_state state;
    struct channel_end end;
    struct loop loop;
    struct block block;
    unsigned char sent[BYTES], received[BYTES];
    pthread_t thread;
    int result;
};

static struct control *control;
static int control_fd;
static struct tally tally;
static struct member members[2 * SIDE_MAX];
static const struct mischief none = {.drop_every = 0};

static void set_up(enum pattern pattern, int senders, int receivers, const struct mischief *mischief)
{
    struct err err;
    int fds[2];
    const struct timeval quiet = {.tv_usec = MECHANISM_PEER_CHECK_NS / 1000};
    cr_assert(ne(ptr, control = control_create(&control_fd, &err), NULL));
    cr_assert(zero(int, tally_map(control_fd, senders, receivers, &tally, &err)));
    cr_assert(zero(int, socketpair(AF_UNIX, SOCK_DGRAM, 0, fds)));
    for (int i = 0; i < 2; i++)
        cr_assert(zero(int, setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof quiet)));
    for (int i = 0; i < senders + receivers; i++) {
        enum seat_side side = i < senders ? SEAT_SENDER : SEAT_RECEIVER;
        struct member *member = &members[i];
        *member = (struct member){
            .state = {.mechanism = &datagram,
                      .out = &member->end,
                      .in = &member->end,
                      .sent = member->sent,
                      .received = member->received,
                      .message_bytes = BYTES,
                      .control = control,
                      .senders = senders,
                      .receivers = receivers,
                      .sender = side == SEAT_SENDER ? (uint32_t)i : 0,
                      .sequence = 1,
                      .batch = 1,
                      .clock_every = 7,
                      .check = {.expected = 1}},
            .end = {.fd = fds[side],
                    .mischief = side == SEAT_SENDER ? mischief : &none,
                    .state = &member->state},
            .loop = senders + receivers > 2 ? loop_for_shared(side) : loop_for(pattern, side),
            .block = {.duration_ns = 5 * NS_PER_MS, .verify = VERIFY_FULL, .kept = true},
        };
        for (int sender = 0; side == SEAT_RECEIVER && sender < senders; sender++)
            member->state.rows[sender] = tally_row(&tally, i - senders, sender);
    }
}

static void *run_member(void *argument)
{
    struct member *member = argument;
    member->result = member->loop.run(&member->state, &member->block);
    return NULL;
}

/* One block, and what was lost, repeated and so on in it, of all receivers together. */
static struct frame_integrity run_block(int senders, int receivers)
{
    struct frame_integrity sum = {.lost = 0};
    for (int i = 0; i < senders + receivers; i++) {
        struct loop_state *state = &members[i].state;
        state->block_number++;
        state->unplaced = 0;
        members[i].block.messages = 0;
        for (int sender = 0; sender < senders; sender++)
            state->rows[sender].next = 0;
        if (i < senders)
            control_begin_block(loop_control_block(state, state->sender), state->sequence);
    }
    for (int i = 0; i < senders + receivers; i++)
        cr_assert(zero(int, pthread_create(&members[i].thread, NULL, run_member, &members[i])));
    for (int i = 0; i < senders + receivers; i++) {
        pthread_join(members[i].thread, NULL);
        cr_expect(zero(int, members[i].result), "member %d: %s", i, strerror(-members[i].result));
    }
    for (int i = senders; i < senders + receivers; i++)
        control->workers[i].unplaced = members[i].state.unplaced;
    struct frame_integrity *judged = &members[senders].state.check.integrity;
    if (senders + receivers > 2)
        tally_judge(&tally, control, members[senders].state.block_number, judged);
    for (int i = 0; i < senders + receivers; i++) {
        const struct frame_integrity *one = &members[i].state.check.integrity;
        sum.lost += one->lost;
        sum.torn += one->torn;
        sum.duplicated += one->duplicated;
        sum.reordered += one->reordered;
    }
    return sum;
}

static void tear_down(int senders)
{
    close(members[0].end.fd);
    close(members[senders].end.fd);
    tally_unmap(&tally);
    control_unmap(control);
    close(control_fd);
}

static uint64_t messages_of(int first, int end)
{
    uint64_t messages = 0;
    for (int i = first; i < end; i++)
        messages += members[i].block.messages;
    return messages;
}

/* ---- one and one ---- */

Test(loops, a_stream_that_loses_messages_ends_and_counts_them)
{
    const struct mischief mischief = {.drop_every = 10};
    set_up(PATTERN_STREAM, 1, 1, &mischief);
    uint64_t lost = 0;
    for (int i = 0; i < 3; i++) {
        struct frame_integrity sum = run_block(1, 1);
        lost += members[0].block.messages - members[1].block.messages;
        cr_expect(eq(u64, sum.lost, lost));
        cr_expect(zero(u64, sum.duplicated + sum.reordered + sum.torn));
    }
    cr_expect(eq(u64, lost, members[0].end.dropped));
    tear_down(1);
}

/* What the sender sends while the receiver does not have the CPU yet is not to count for nothing. */
static void receive_late(int senders)
{
    set_up(PATTERN_STREAM, senders, 1, &none);
    for (int i = 0; i <= senders; i++) {
        members[i].state.block_number = 1;
        if (i < senders)
            control_begin_block(loop_control_block(&members[i].state, (uint32_t)i), 1);
    }
    int64_t first_ns = INT64_MAX;
    struct pollfd sent = {.fd = members[senders].end.fd, .events = POLLIN};
    for (int i = 0; i < senders; i++)
        cr_assert(zero(int, pthread_create(&members[i].thread, NULL, run_member, &members[i])));
    cr_assert(eq(int, poll(&sent, 1, -1), 1));
    int64_t late_ns = clock_now_ns();
    run_member(&members[senders]);
    for (int i = 0; i < senders; i++) {
        pthread_join(members[i].thread, NULL);
        first_ns = members[i].block.begin_ns < first_ns ? members[i].block.begin_ns : first_ns;
    }
    cr_expect(eq(i64, members[senders].block.begin_ns, first_ns));
    cr_expect(lt(i64, first_ns, late_ns));
    cr_expect(ge(i64, members[senders].block.end_ns, late_ns));
    tear_down(senders);
}

Test(loops, a_stream_begins_when_its_first_sender_does)
{
    receive_late(1);
    receive_late(3);
}

Test(loops, the_silence_at_the_end_is_no_part_of_the_block)
{
    const struct mischief mischief = {.drops_stops = true};
    set_up(PATTERN_STREAM, 1, 1, &mischief);
    struct frame_integrity sum = run_block(1, 1);
    cr_expect(eq(u64, sum.lost, 1), "the last message");
    int64_t duration_ns = members[1].block.end_ns - members[1].block.begin_ns;
    cr_expect(lt(i64, duration_ns, MECHANISM_PEER_CHECK_NS / 2));
    tear_down(1);
}

static bool overslept;

/* Whoever waited in vain loses the CPU before it can say so, and gets it back long after the sender had it.
 */
static ssize_t overslept_receive(void *state, void *message, size_t bytes)
{
    ssize_t got = datagram_receive(state, message, bytes);
    if (got != -EAGAIN || overslept)
        return got;
    overslept = true;
    run_member(&members[0]);
    poll(NULL, 0, (int)(MECHANISM_PEER_CHECK_NS / NS_PER_MS));
    return got;
}

/* One message, or a stop of each sender. */
static void oversleep(int senders)
{
    static const struct mechanism drowsy = {
        .name = "drowsy", .send = datagram_send, .receive = overslept_receive};
    set_up(PATTERN_STREAM, senders, 1, &none);
    overslept = false;
    for (int i = 0; i <= senders; i++) {
        members[i].state.block_number = 1;
        members[i].block.duration_ns = 0;
        if (i < senders)
            control_begin_block(loop_control_block(&members[i].state, (uint32_t)i), 1);
    }
    for (int i = 1; i < senders; i++)
        run_member(&members[i]);
    members[senders].state.mechanism = &drowsy;
    run_member(&members[senders]);
    cr_expect(overslept);
    cr_expect(zero(int, members[senders].result));
    char rest;
    cr_expect(lt(i64, recv(members[senders].end.fd, &rest, sizeof rest, MSG_DONTWAIT), 0),
              "left for the next block");
    tear_down(senders);
}

Test(loops, what_is_sent_between_a_silence_and_its_judgement_is_taken)
{
    oversleep(1);
    oversleep(2);
}

Test(loops, a_round_trip_that_is_lost_is_given_up)
{
    const struct mischief mischief = {.drop_every = 3};
    set_up(PATTERN_ROUND_TRIP, 1, 1, &mischief);
    members[0].block.duration_ns = NS_PER_MS;
    for (int i = 0; i < 2; i++)
        run_block(1, 1);
    uint64_t lost = members[0].end.dropped;
    cr_expect(gt(u64, lost, 0));
    cr_expect(eq(u64, members[0].state.check.integrity.lost, lost));
    cr_expect(eq(u64, members[0].state.histogram.count, members[0].end.count - lost));
    tear_down(1);
}

Test(loops, an_answer_that_comes_twice_is_not_taken_for_the_next)
{
    const struct mischief mischief = {.repeat_every = 5};
    set_up(PATTERN_ROUND_TRIP, 1, 1, &mischief);
    run_block(1, 1);
    const struct frame_integrity *asker = &members[0].state.check.integrity;
    cr_expect(zero(u64, asker->lost + asker->torn + asker->reordered));
    /* The last one's second answer is not waited for. */
    cr_expect(ge(u64, asker->duplicated + 1, members[0].end.repeated));
    tear_down(1);
}

static ssize_t gone_receive(void *state, void *message, size_t bytes)
{
    (void)state;
    (void)message;
    (void)bytes;
    return 0;
}

Test(loops, an_answer_whose_sender_died_is_not_lost)
{
    static const struct mechanism gone = {.name = "gone", .send = datagram_send, .receive = gone_receive};
    set_up(PATTERN_ROUND_TRIP, 1, 1, &none);
    members[0].state.mechanism = &gone;
    members[0].state.block_number = 1;
    control_begin_block(loop_control_block(&members[0].state, 0), 1);
    run_member(&members[0]);
    cr_expect(eq(int, members[0].result, -EPIPE));
    cr_expect(zero(u64, members[0].state.check.integrity.lost));
    tear_down(1);
}

/* ---- several ---- */

static void expect_exact(int senders, int receivers, const struct mischief *mischief)
{
    set_up(PATTERN_STREAM, senders, receivers, mischief);
    struct frame_integrity sum = {.lost = 0};
    uint64_t sent = 0, received = 0, dropped = 0, repeated = 0;
    for (int i = 0; i < 2; i++) {
        sum = run_block(senders, receivers);
        sent += messages_of(0, senders);
        received += messages_of(senders, senders + receivers);
    }
    for (int i = 0; i < senders; i++) {
        dropped += members[i].end.dropped;
        repeated += members[i].end.repeated;
    }
    cr_expect(zero(u64, sum.torn + sum.reordered));
    cr_expect(eq(u64, sum.lost, dropped));
    cr_expect(eq(u64, sum.duplicated, repeated));
    cr_expect(eq(u64, received, sent - sum.lost + sum.duplicated), "the sums do not add up");
    tear_down(senders);
}

Test(loops, several_lose_nothing_where_nothing_is_lost)
{
    for (int senders = 1; senders <= SIDE_MAX; senders++)
        for (int receivers = 1; receivers <= SIDE_MAX; receivers++)
            if (senders + receivers > 2)
                expect_exact(senders, receivers, &none);
}

Test(loops, several_count_exactly_what_is_lost_and_what_comes_twice)
{
    expect_exact(2, 2, &(struct mischief){.drop_every = 9, .drops_stops = true});
    expect_exact(1, 3, &(struct mischief){.drop_every = 9, .repeat_every = 7, .drops_stops = true});
    expect_exact(3, 1, &(struct mischief){.drop_every = 2, .drops_stops = true});
}

/* ---- the tally by itself ---- */

Test(tally, sees_what_is_missing_what_came_twice_and_what_came_late)
{
    struct err err;
    cr_assert(ne(ptr, control = control_create(&control_fd, &err), NULL));
    cr_assert(zero(int, tally_map(control_fd, 1, 2, &tally, &err)));
    struct tally_row rows[2] = {tally_row(&tally, 0, 0), tally_row(&tally, 1, 0)};
    struct frame_integrity integrity = {.lost = 0};
    control_begin_block(&control->senders[0][1], 1000);
    control_announce_last(&control->senders[0][1], 1000 + 199);
    for (uint64_t at = 0; at < 200; at++)
        if (at != 64 && at != 150)
            tally_mark(&rows[at % 2], at, &integrity);
    tally_mark(&rows[1], 10, &integrity);  /* the other one had it: seen only in the end */
    tally_mark(&rows[0], 198, &integrity); /* it had that itself */
    tally_mark(&rows[1], UINT64_MAX - 5, &integrity);
    cr_expect(eq(u64, integrity.duplicated, 1));
    cr_expect(eq(u64, integrity.reordered, 2));
    tally_judge(&tally, control, 1, &integrity);
    cr_expect(eq(u64, integrity.lost, 2));
    cr_expect(eq(u64, integrity.duplicated, 2));
    /* Cleared: a second look finds everything missing, but for one torn message that stands for some of it.
     */
    integrity = (struct frame_integrity){.lost = 0};
    control->workers[1].unplaced = 1;
    tally_judge(&tally, control, 1, &integrity);
    cr_expect(eq(u64, integrity.lost, 199));
    cr_expect(zero(u64, integrity.duplicated));
    tally_unmap(&tally);
    control_unmap(control);
    close(control_fd);
}
