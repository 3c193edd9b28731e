/* Is shared memory the fastest? Messages through it and through a pipe, side by side. */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/claims/check.h"
#include "workers/claims/figures.h"
#include "workers/claims/segment.h"
#include "workers/claims/subject.h"

enum { MESSAGE_BYTES = 64, BLOCK_BYTES = 4096, BATCHES = 8, TURNS = 7, SPINS_MAX = 20000 };
enum { CARRIER_SPIN, CARRIER_SEMOP, CARRIER_PIPE };

struct slot {
    _Atomic uint32_t number;
    char message[BLOCK_BYTES];
};

/* One end of a two-way channel: messages go out to slot and number `out`, and come in at `in`. */
struct channel {
    struct slot *slots; /* two */
    int semaphores;     /* two, "there is a message"; two more, "there is room" */
    int pipes[2][2];
};

struct end {
    const struct channel *channel;
    int in, out;
    uint32_t received, sent;
};

static void change(int semaphores, int which, short by)
{
    struct sembuf operation = {.sem_num = (unsigned short)which, .sem_op = by};
    if (semop(semaphores, &operation, 1) != 0)
        _exit(1);
}

static void send_spin(struct end *end, const char *message)
{
    struct slot *slot = &end->channel->slots[end->out];
    memcpy(slot->message, message, MESSAGE_BYTES);
    atomic_store_explicit(&slot->number, ++end->sent, memory_order_release);
}

/* Where somebody else runs on the other's CPU, spinning would only keep both from running. */
static void receive_spin(struct end *end, char *message)
{
    struct slot *slot = &end->channel->slots[end->in];
    end->received++;
    for (int spins = 0; atomic_load_explicit(&slot->number, memory_order_acquire) != end->received; spins++)
        if (spins > SPINS_MAX)
            sched_yield();
    memcpy(message, slot->message, MESSAGE_BYTES);
}

static void send_semop(struct end *end, const char *message)
{
    memcpy(end->channel->slots[end->out].message, message, MESSAGE_BYTES);
    change(end->channel->semaphores, end->out, 1);
}

static void receive_semop(struct end *end, char *message)
{
    change(end->channel->semaphores, end->in, -1);
    memcpy(message, end->channel->slots[end->in].message, MESSAGE_BYTES);
}

static void send_pipe(struct end *end, const char *message)
{
    if (write(end->channel->pipes[end->out][1], message, MESSAGE_BYTES) != MESSAGE_BYTES)
        _exit(1);
}

static void receive_pipe(struct end *end, char *message)
{
    if (read(end->channel->pipes[end->in][0], message, MESSAGE_BYTES) != MESSAGE_BYTES)
        _exit(1);
}

static const struct {
    void (*send)(struct end *end, const char *message);
    void (*receive)(struct end *end, char *message);
} carriers[] = {[CARRIER_SPIN] = {send_spin, receive_spin},
                [CARRIER_SEMOP] = {send_semop, receive_semop},
                [CARRIER_PIPE] = {send_pipe, receive_pipe}};

/* Nanoseconds of a round trip, in the best of several batches. */
static double time_round_trip(const struct channel *channel, int carrier, int rounds, bool two_cpus)
{
    char message[MESSAGE_BYTES] = "";
    struct subject *echo = subject_new();
    channel->slots[0].number = channel->slots[1].number = 0;
    if (subject_fork(echo) == 0) {
        struct end end = {.channel = channel, .in = 0, .out = 1};
        subject_pin(two_cpus ? 1 : 0);
        for (int i = 0; i < BATCHES * rounds; i++) {
            carriers[carrier].receive(&end, message);
            carriers[carrier].send(&end, message);
        }
        _exit(0);
    }
    struct end end = {.channel = channel, .in = 1, .out = 0};
    subject_pin(0);
    double best = 1e12;
    for (int batch = 0; batch < BATCHES; batch++) {
        int64_t began_ns = clock_now_ns();
        for (int i = 0; i < rounds; i++) {
            carriers[carrier].send(&end, message);
            carriers[carrier].receive(&end, message);
        }
        double each = (double)(clock_now_ns() - began_ns) / rounds;
        best = each < best ? each : best;
    }
    subject_wait(echo, SUBJECT_PATIENCE_MS);
    return best;
}

/* Nanoseconds for each block of 4 KiB, one way, with a semaphore for each or through a pipe. */
static double time_stream(const struct channel *channel, int carrier, int blocks)
{
    static char block[BLOCK_BYTES];
    enum { FULL = 0, EMPTY = 2 };
    struct slot *slot = channel->slots;
    struct subject *sender = subject_new();
    int64_t began_ns = clock_now_ns();
    if (subject_fork(sender) == 0) {
        subject_pin(1);
        for (int i = 0; i < blocks; i++) {
            if (carrier == CARRIER_PIPE && write(channel->pipes[0][1], block, BLOCK_BYTES) != BLOCK_BYTES)
                _exit(1);
            if (carrier != CARRIER_SEMOP)
                continue;
            change(channel->semaphores, EMPTY, -1);
            memcpy(slot->message, block, BLOCK_BYTES);
            change(channel->semaphores, FULL, 1);
        }
        _exit(0);
    }
    for (int i = 0; i < blocks; i++) {
        if (carrier == CARRIER_PIPE && read(channel->pipes[0][0], block, BLOCK_BYTES) != BLOCK_BYTES)
            break;
        if (carrier != CARRIER_SEMOP)
            continue;
        change(channel->semaphores, FULL, -1);
        memcpy(block, slot->message, BLOCK_BYTES);
        change(channel->semaphores, EMPTY, 1);
    }
    subject_wait(sender, SUBJECT_PATIENCE_MS);
    return (double)(clock_now_ns() - began_ns) / blocks;
}

static int open_channel(struct check *check, struct channel *channel)
{
    struct err err;
    char *memory;
    int id = segment_make(check, IPC_PRIVATE, 2 * sizeof *channel->slots, 0, &memory);
    if (id < 0)
        return id;
    channel->slots = (struct slot *)memory;
    channel->semaphores = enclosure_semget(check->enclosure, 3, &err);
    if (channel->semaphores < 0)
        return check_skip(check, "semget", -channel->semaphores, "refused");
    change(channel->semaphores, 2, 1); /* one slot is empty */
    if (pipe(channel->pipes[0]) != 0 || pipe(channel->pipes[1]) != 0)
        return check_skip(check, "pipe", errno, "refused");
    return 0;
}

static int check_fastest(struct check *check)
{
    enum { ROUNDS_SPIN = 1000, ROUNDS_KERNEL = 40, BLOCKS = 400 };
    struct channel channel;
    struct figures spin = {.count = 0}, pipes = spin, semop_one = spin, pipe_one = spin, stream = spin,
                   stream_pipe = spin;
    int result = open_channel(check, &channel);
    if (result != 0)
        return result;
    if (subject_cpu_count() < 2)
        return check_skip(check, "sched_setaffinity", EINVAL, "cpus");
    int first = check_is_sabotaged(check, "pipe_in_its_place") ? CARRIER_PIPE : CARRIER_SPIN;
    for (check->repeats = 0; check->repeats < TURNS; check->repeats++) {
        figures_add(&spin, time_round_trip(&channel, first,
                                           first == CARRIER_SPIN ? ROUNDS_SPIN : ROUNDS_KERNEL, true));
        figures_add(&pipes, time_round_trip(&channel, CARRIER_PIPE, ROUNDS_KERNEL, true));
        figures_add(&semop_one, time_round_trip(&channel, CARRIER_SEMOP, ROUNDS_KERNEL, false));
        figures_add(&pipe_one, time_round_trip(&channel, CARRIER_PIPE, ROUNDS_KERNEL, false));
        figures_add(&stream, time_stream(&channel, CARRIER_SEMOP, BLOCKS));
        figures_add(&stream_pipe, time_stream(&channel, CARRIER_PIPE, BLOCKS));
    }
    struct figures gain = figures_ratios(&pipes, &spin), one_cpu = figures_ratios(&semop_one, &pipe_one),
                   streams = figures_ratios(&stream, &stream_pipe);
    check_number(check, "two_cpus_shm_spin_round_trip_ns", figures_median(&spin));
    check_number(check, "two_cpus_pipe_round_trip_ns", figures_median(&pipes));
    check_number(check, "one_cpu_shm_semop_round_trip_ns", figures_median(&semop_one));
    check_number(check, "one_cpu_pipe_round_trip_ns", figures_median(&pipe_one));
    check_number(check, "shm_semop_4096_bytes_ns", figures_median(&stream));
    check_number(check, "pipe_4096_bytes_ns", figures_median(&stream_pipe));
    check_number(check, "pipe_to_shm_spin_ratio", figures_median(&gain));
    check_number(check, "shm_semop_to_pipe_on_one_cpu_ratio", figures_median(&one_cpu));
    check_number(check, "shm_semop_to_pipe_streaming_ratio", figures_median(&streams));
    enum figures_order faster = figures_compare(&gain, 1.5), slower = figures_compare(&streams, 1.2);
    if (faster == FIGURES_UNCLEAR || slower == FIGURES_UNCLEAR)
        return check_leave_open(check, "inconclusive");
    return check_conclude(check, faster == FIGURES_ABOVE, slower == FIGURES_ABOVE);
}

const struct claim claim_4 = {
    .number = 4,
    .mechanism = "shm_sysv",
    .is_timed = true,
    .source = "/* spin: no system call, and two CPUs busy */\n"
              "while (atomic_load(&slot->number) != next)\n"
              "    ;\n"
              "/* sleep: as many calls as a pipe, and a switch */\n"
              "semop(id, &down, 1);\n"
              "read(fds[0], message, 64);",
    .sabotages = {"pipe_in_its_place"},
    .run = check_fastest,
};
