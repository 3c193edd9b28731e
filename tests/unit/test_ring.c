/* The ring between two ends in one process: what is published, in what order, when it is full or at its end.
 * Between processes it is tested through its mechanisms (tests/conformance). */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tests/support/criterion.h"
#include "workers/ring.h"

struct pair {
    struct channel channel;
    void *memory;
    struct ring sender, receiver;
};

static void pair_open(struct pair *pair, int64_t message_bytes, int64_t buffer_bytes, enum wait wait)
{
    pair->channel = (struct channel){.message_bytes = message_bytes,
                                     .buffer_bytes = buffer_bytes,
                                     .pattern = PATTERN_ROUND_TRIP,
                                     .wait = wait,
                                     .senders = 1,
                                     .receivers = 1};
    pair->memory = mmap(NULL, ring_object_bytes(&pair->channel), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(ne(ptr, pair->memory, MAP_FAILED));
    struct err err = {.text = ""};
    pair->sender = pair->receiver = (struct ring){.leader = 0};
    struct seat seats[] = {{.side = SEAT_SENDER}, {.side = SEAT_RECEIVER}};
    cr_assert(eq(int, ring_attach(&pair->sender, pair->memory, &pair->channel, seats[0], &err), 0), "%s",
              err.text);
    cr_assert(eq(int, ring_attach(&pair->receiver, pair->memory, &pair->channel, seats[1], &err), 0), "%s",
              err.text);
}

static void pair_close(struct pair *pair)
{
    ring_detach(&pair->sender);
    ring_detach(&pair->receiver);
    munmap(pair->memory, ring_object_bytes(&pair->channel));
}

/* As many as fit without anybody taking one. */
static int fill(struct pair *pair, size_t bytes)
{
    int sent = 0;
    unsigned char message[256];
    for (int64_t room = pair->sender.endpoint.buffer_bytes; room > 0;
         room -= (int64_t)pair->sender.slot_bytes) {
        memset(message, sent, sizeof message);
        cr_assert(eq(int, (int)ring_send(&pair->sender, message, bytes), (int)bytes));
        sent++;
    }
    return sent;
}

static void drain(struct pair *pair, size_t bytes, int count)
{
    unsigned char message[256], expected[256];
    for (int i = 0; i < count; i++) {
        memset(expected, i, sizeof expected);
        cr_assert(eq(int, (int)ring_receive(&pair->receiver, message, bytes), (int)bytes));
        cr_assert(eq(int, memcmp(message, expected, bytes), 0), "message %d of %zu bytes", i, bytes);
    }
}

Test(ring, keeps_order_past_its_end)
{
    static const size_t sizes[] = {1, 3, 8, 9, 63, 64, 65, 100, 128, 200};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct pair pair;
        pair_open(&pair, (int64_t)sizes[i], 1000, WAIT_SPIN);
        for (int round = 0; round < 50; round++)
            drain(&pair, sizes[i], fill(&pair, sizes[i]));
        pair_close(&pair);
    }
}

Test(ring, carries_both_directions_at_once)
{
    struct pair pair;
    char got[8];
    pair_open(&pair, 8, 0, WAIT_SPIN);
    for (int i = 0; i < 10000; i++) {
        cr_assert(eq(int, (int)ring_send(&pair.sender, "question", 8), 8));
        cr_assert(eq(int, (int)ring_send(&pair.receiver, "response", 8), 8));
        cr_assert(eq(int, (int)ring_receive(&pair.receiver, got, 8), 8));
        cr_assert(eq(int, memcmp(got, "question", 8), 0));
        cr_assert(eq(int, (int)ring_receive(&pair.sender, got, 8), 8));
        cr_assert(eq(int, memcmp(got, "response", 8), 0));
    }
    pair_close(&pair);
}

/* Lanes of exactly one page, full or nearly so at the same time, wherever the counters stand. */
Test(ring, lanes_do_not_reach_into_each_other)
{
    enum { BYTES = 64, SLOTS = 4096 / BYTES };
    struct pair pair;
    unsigned char there[BYTES], back[BYTES], got[BYTES];
    memset(there, 'a', sizeof there);
    memset(back, 'b', sizeof back);
    pair_open(&pair, BYTES, 4096, WAIT_SPIN);
    for (int round = 0; round < 2 * SLOTS; round++) {
        int count = SLOTS - round % 3;
        for (int i = 0; i < count; i++)
            cr_assert(eq(int, (int)ring_send(&pair.receiver, back, BYTES), BYTES));
        for (int i = 0; i < count; i++)
            cr_assert(eq(int, (int)ring_send(&pair.sender, there, BYTES), BYTES));
        for (int i = 0; i < count; i++) {
            cr_assert(eq(int, (int)ring_receive(&pair.sender, got, BYTES), BYTES));
            cr_assert(eq(int, memcmp(got, back, BYTES), 0), "round %d, message %d", round, i);
        }
        for (int i = 0; i < count; i++) {
            cr_assert(eq(int, (int)ring_receive(&pair.receiver, got, BYTES), BYTES));
            cr_assert(eq(int, memcmp(got, there, BYTES), 0), "round %d, message %d", round, i);
        }
    }
    pair_close(&pair);
}

Test(ring, gives_what_was_published_before_the_end)
{
    static const enum wait waits[] = {WAIT_SPIN, WAIT_SPIN_FUTEX, WAIT_FUTEX};
    for (size_t i = 0; i < 3; i++) {
        struct pair pair;
        unsigned char message[64];
        pair_open(&pair, 64, 0, waits[i]);
        int sent = fill(&pair, 64);
        ring_detach(&pair.sender);
        drain(&pair, 64, sent);
        cr_expect(eq(int, (int)ring_receive(&pair.receiver, message, 64), 0));
        cr_expect(eq(int, (int)ring_receive(&pair.receiver, message, 64), 0));
        pair_close(&pair);
    }
}

Test(ring, says_when_a_message_was_cut_off)
{
    struct pair pair;
    static unsigned char message[96 * 1024];
    pair_open(&pair, sizeof message, 1 << 20, WAIT_FUTEX);
    ring_send(&pair.sender, message, 40960);
    ring_detach(&pair.sender);
    cr_expect(eq(int, (int)ring_receive(&pair.receiver, message, sizeof message), -EPIPE));
    pair_close(&pair);
}

Test(ring, refuses_to_send_when_full_and_nobody_will_come)
{
    struct pair pair;
    unsigned char message[64] = {0};
    pair_open(&pair, 64, 0, WAIT_SPIN_FUTEX);
    fill(&pair, 64);
    ring_detach(&pair.receiver);
    cr_expect(eq(int, (int)ring_send(&pair.sender, message, 64), -EPIPE));
    pair_close(&pair);
}

Test(ring, does_not_wait_by_what_is_not_for_memory)
{
    struct channel channel = {.message_bytes = 64, .wait = WAIT_BLOCK, .senders = 1, .receivers = 1};
    static _Alignas(4096) unsigned char memory[1 << 20];
    struct ring ring = {.leader = 0};
    struct err err;
    cr_assert(le(sz, ring_object_bytes(&channel), sizeof memory));
    cr_expect(
        eq(int, ring_attach(&ring, memory, &channel, (struct seat){.side = SEAT_SENDER}, &err), -EINVAL));
}

/* ---- who publishes with a fence: all of a crew, or nobody ---- */

/* To the calling process and for good, as a container's seccomp profile does it. */
static void refuse_membarrier(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    cr_assert(eq(int, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0));
    cr_assert(eq(int, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0));
}

static int lead_and_attach(bool leader_fences, struct ring *worker, struct err *err)
{
    static _Alignas(4096) unsigned char memory[1 << 20];
    struct channel channel = {.message_bytes = 64, .wait = WAIT_SPIN_FUTEX, .senders = 1, .receivers = 1};
    struct ring leader;
    cr_assert(le(sz, ring_object_bytes(&channel), sizeof memory));
    if (leader_fences)
        refuse_membarrier();
    cr_assert(eq(int, ring_open(&leader, memory, &channel, err), 0), "%s", err->text);
    if (!leader_fences)
        refuse_membarrier();
    return ring_attach(worker, memory, &channel, (struct seat){.side = SEAT_SENDER}, err);
}

Test(ring, publishes_with_fences_where_its_leader_was_refused_the_barrier)
{
    struct ring worker = {.leader = 0};
    struct err err = {.text = ""};
    cr_assert(eq(int, lead_and_attach(true, &worker, &err), 0), "%s", err.text);
    cr_expect(worker.fences);
}

Test(ring, keeps_out_who_alone_is_refused_the_barrier)
{
    struct ring worker = {.leader = 0};
    struct err err = {.text = ""};
    cr_assert(eq(int, lead_and_attach(false, &worker, &err), -EPERM));
    cr_expect(ne(ptr, strstr(err.text, "membarrier"), NULL), "%s", err.text);
}

/* ---- two threads: sleeping and waking ---- */

enum { THREAD_MESSAGES = 20000, THREAD_BYTES = 48 };

static void *send_numbers(void *argument)
{
    struct pair *pair = argument;
    uint64_t message[THREAD_BYTES / sizeof(uint64_t)];
    for (uint64_t i = 0; i < THREAD_MESSAGES; i++) {
        for (size_t word = 0; word < THREAD_BYTES / sizeof *message; word++)
            message[word] = i;
        if (ring_send(&pair->sender, message, THREAD_BYTES) != THREAD_BYTES)
            return NULL;
    }
    ring_detach(&pair->sender);
    return pair;
}

Test(ring, wakes_whoever_sleeps_however_small_it_is)
{
    static const enum wait waits[] = {WAIT_SPIN_FUTEX, WAIT_FUTEX};
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        pthread_t thread;
        uint64_t message[THREAD_BYTES / sizeof(uint64_t)], count = 0;
        pair_open(&pair, THREAD_BYTES, 1, waits[i]); /* the few slots every lane has */
        cr_assert(eq(int, pthread_create(&thread, NULL, send_numbers, &pair), 0));
        while (ring_receive(&pair.receiver, message, THREAD_BYTES) == THREAD_BYTES) {
            for (size_t word = 0; word < THREAD_BYTES / sizeof *message; word++)
                cr_assert(eq(u64, message[word], count));
            count++;
        }
        void *result = NULL;
        pthread_join(thread, &result);
        cr_expect(ne(ptr, result, NULL));
        cr_expect(eq(u64, count, THREAD_MESSAGES));
        pair_close(&pair);
    }
}
