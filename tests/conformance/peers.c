#include "tests/conformance/peers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/support/criterion.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/parse.h"
#include "workers/payload.h"

static const char order_variable[] = "IPCLAB_CONFORMANCE_PEER";

/* All a peer needs to know; a stranger gets it through a memfd. */
struct order {
    struct peers_plan plan;
    char directory[SCRATCH_PATH_BYTES];
    char addresses[2][CHANNEL_ADDRESS_BYTES];
    int which;
    int report, go;
};

/* ---- in the peer ---- */

struct peer {
    const struct order *order;
    const struct mechanism *mechanism;
    void *out, *in;
    unsigned char *message;
    size_t bytes;
};

_Noreturn static void fail(const struct peer *peer, const char *what, long long value)
{
    fprintf(stderr, "%s, side %d, %lld bytes: %s (%lld)\n", peer->mechanism->name, peer->order->which,
            (long long)peer->bytes, what, value);
    _exit(1);
}

static void report(const struct peer *peer)
{
    if (write(peer->order->report, "r", 1) != 1)
        fail(peer, "cannot report", errno);
}

static void send_message(struct peer *peer, uint64_t sequence)
{
    payload_write(peer->message, peer->bytes, sequence, 7, VERIFY_FULL);
    ssize_t sent = peer->mechanism->send(peer->out, peer->message, peer->bytes);
    if (sent != (ssize_t)peer->bytes)
        fail(peer, "send", sent);
}

static void receive_message(struct peer *peer, struct payload_check *check)
{
    memset(peer->message, 0xee, peer->bytes);
    ssize_t got = peer->mechanism->receive(peer->in, peer->message, peer->bytes);
    if (got != (ssize_t)peer->bytes)
        fail(peer, "receive", got);
    payload_check(check, peer->message, peer->bytes, 7, VERIFY_FULL);
    const struct frame_integrity *faults = &check->integrity;
    if (faults->torn + faults->lost + faults->duplicated + faults->reordered > 0)
        fail(peer, "the message is not the one that was sent", (long long)check->expected);
}

static void expect_end(struct peer *peer)
{
    ssize_t got = peer->mechanism->receive(peer->in, peer->message, peer->bytes);
    if (got != 0)
        fail(peer, "expected the end of the stream", got);
}

static void ask(struct peer *peer)
{
    struct payload_check check = {.expected = 1};
    for (uint64_t i = 1; i <= peer->order->plan.messages; i++) {
        send_message(peer, i);
        receive_message(peer, &check);
    }
}

static void answer(struct peer *peer)
{
    struct payload_check check = {.expected = 1};
    for (uint64_t i = 1; i <= peer->order->plan.messages; i++) {
        receive_message(peer, &check);
        send_message(peer, i);
    }
    expect_end(peer);
}

static void send_all(struct peer *peer)
{
    for (uint64_t i = 1; i <= peer->order->plan.messages; i++)
        send_message(peer, i);
}

static void receive_all(struct peer *peer)
{
    struct payload_check check = {.expected = 1};
    for (uint64_t i = 1; i <= peer->order->plan.messages; i++)
        receive_message(peer, &check);
    expect_end(peer);
}

static void hang(struct peer *peer)
{
    report(peer);
    for (;;)
        pause();
}

static void send_and_hang(struct peer *peer)
{
    send_all(peer);
    hang(peer);
}

static void send_until_end(struct peer *peer)
{
    report(peer);
    for (;;) {
        ssize_t sent = peer->mechanism->send(peer->out, peer->message, peer->bytes);
        if (sent == -EPIPE || sent == -ECONNRESET)
            return;
        if (sent != (ssize_t)peer->bytes)
            fail(peer, "expected EPIPE or ECONNRESET", sent);
    }
}

static void (*const acts[])(struct peer *) = {
    [ACT_ASK] = ask,
    [ACT_ANSWER] = answer,
    [ACT_SEND] = send_all,
    [ACT_RECEIVE] = receive_all,
    [ACT_SEND_AND_HANG] = send_and_hang,
    [ACT_SEND_UNTIL_END] = send_until_end,
    [ACT_HANG] = hang,
};

static void take_seats(struct peer *peer, struct worker_channel *channels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool sends = peer->order->which == (int)i;
        struct err err = {.text = ""};
        int result =
            peer->mechanism->attach(channels[i].state, &channels[i].channel,
                                    (struct seat){.side = sends ? SEAT_SENDER : SEAT_RECEIVER}, &err);
        if (result < 0)
            fail(peer, err.text, result);
    }
    peer->out = channels[peer->order->which == 0 ? 0 : count - 1].state;
    peer->in = channels[peer->order->which == 0 ? count - 1 : 0].state;
}

_Noreturn static void be_peer(const struct order *order, struct worker_channel *channels, size_t count)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    struct peer peer = {.order = order,
                        .mechanism = mechanism_find(order->plan.mechanism),
                        .bytes = (size_t)order->plan.channel.message_bytes};
    peer.message = malloc(peer.bytes);
    int descriptors = peers_count_descriptors();
    take_seats(&peer, channels, count);
    report(&peer);
    char go;
    if (peer.message == NULL || read(order->go, &go, 1) != 1)
        fail(&peer, "no go", errno);
    acts[order->plan.acts[order->which]](&peer);
    for (size_t i = 0; i < count; i++)
        peer.mechanism->detach(channels[i].state);
    int left = peers_count_descriptors();
    if (left > descriptors)
        fail(&peer, "left descriptors open", left - descriptors);
    free(peer.message);
    _exit(0);
}

/* Where the program was executed to be a peer, it does not come as far as main. */
__attribute__((constructor)) static void be_peer_if_executed(void)
{
    const char *number = getenv(order_variable);
    if (number == NULL)
        return;
    static struct order order;
    int64_t fd;
    if (parse_integer(number, 10, 0, INT32_MAX, &fd, NULL) < 0 ||
        pread((int)fd, &order, sizeof order, 0) != sizeof order)
        _exit(1);
    static struct worker_channel channels[2];
    size_t count = worker_channel_count(mechanism_find(order.plan.mechanism), order.plan.channel.pattern);
    for (size_t i = 0; i < count; i++) {
        channels[i].channel = order.plan.channel;
        channels[i].channel.number = (int)i;
        channels[i].channel.directory = order.directory;
        memcpy(channels[i].channel.address, order.addresses[i], CHANNEL_ADDRESS_BYTES);
    }
    be_peer(&order, channels, count);
}

/* ---- in the test ---- */

int peers_count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = -1; /* its own */
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

int peers_count_segments(void)
{
    struct shmid_ds status;
    int count = 0;
    struct shm_info info;
    int highest = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info);
    for (int i = 0; i <= highest; i++)
        if (shmctl(i, SHM_STAT, &status) >= 0 && status.shm_cpid == getpid())
            count++;
    return count;
}

static void open_channels(struct peers *peers)
{
    peers->channel_count = worker_channel_count(peers->mechanism, peers->plan.channel.pattern);
    for (size_t i = 0; i < peers->channel_count; i++) {
        struct worker_channel *channel = &peers->channels[i];
        *channel = (struct worker_channel){.channel = peers->plan.channel};
        channel->channel.number = (int)i;
        channel->channel.directory = peers->scratch.path;
        struct err err = {.text = ""};
        int result = peers->mechanism->open(channel->state, &channel->channel, &err);
        cr_assert(eq(int, result, 0), "open: %s", err.text);
    }
}

/* Only the order and the two pipes pass the exec. */
_Noreturn static void execute(const struct order *order)
{
    int fd = memfd_create("order", 0);
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    if (write(fd, order, sizeof *order) != sizeof *order || setenv(order_variable, number, 1) != 0 ||
        fcntl(order->report, F_SETFD, 0) != 0 || fcntl(order->go, F_SETFD, 0) != 0)
        _exit(1);
    execl("/proc/self/exe", "peer", (char *)NULL);
    _exit(1);
}

static void start_peer(struct peers *peers, int which)
{
    struct order order = {
        .plan = peers->plan, .which = which, .report = peers->reports[1], .go = peers->go[0]};
    memcpy(order.directory, peers->scratch.path, sizeof order.directory);
    for (size_t i = 0; i < peers->channel_count; i++)
        memcpy(order.addresses[i], peers->channels[i].channel.address, CHANNEL_ADDRESS_BYTES);
    pid_t pid = fork();
    cr_assert(ge(int, pid, 0));
    if (pid == 0 && peers->plan.relation == RELATION_UNRELATED)
        execute(&order);
    if (pid == 0)
        be_peer(&order, peers->channels, peers->channel_count);
    peers->pids[which] = pid;
    peers->pidfds[which] = (int)syscall(SYS_pidfd_open, pid, 0);
    cr_assert(ge(int, peers->pidfds[which], 0));
}

enum { PATIENCE_MS = 30000 };

void peers_await_report(struct peers *peers)
{
    struct pollfd report = {.fd = peers->reports[0], .events = POLLIN};
    char byte;
    cr_assert(eq(int, poll(&report, 1, PATIENCE_MS), 1), "no report from a peer of %s",
              peers->mechanism->name);
    cr_assert(eq(int, (int)read(peers->reports[0], &byte, 1), 1), "a peer of %s died",
              peers->mechanism->name);
}

void peers_start(struct peers *peers, const struct peers_plan *plan)
{
    *peers = (struct peers){.plan = *plan, .mechanism = mechanism_find(plan->mechanism)};
    cr_assert(ne(ptr, (void *)peers->mechanism, NULL));
    scratch_init(&peers->scratch);
    cr_assert(eq(int, pipe2(peers->reports, O_CLOEXEC), 0));
    cr_assert(eq(int, pipe2(peers->go, O_CLOEXEC), 0));
    open_channels(peers);
    start_peer(peers, 0);
    start_peer(peers, 1);
    close(peers->reports[1]);
    peers->reports[1] = -1;
    peers_await_report(peers);
    peers_await_report(peers);
    for (size_t i = 0; i < peers->channel_count; i++)
        peers->mechanism->close(peers->channels[i].state, &peers->channels[i].channel);
    cr_assert(eq(int, (int)write(peers->go[1], "gg", 2), 2));
}

int peers_await_exit(struct peers *peers, int which, int64_t timeout_ns)
{
    struct pollfd ended = {.fd = peers->pidfds[which], .events = POLLIN};
    int ready = poll(&ended, 1, (int)(timeout_ns / NS_PER_MS));
    if (ready != 1)
        kill(peers->pids[which], SIGKILL);
    int status = 0;
    cr_assert(eq(int, waitpid(peers->pids[which], &status, 0), peers->pids[which]));
    peers->pids[which] = 0;
    if (ready != 1)
        return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void peers_kill(struct peers *peers, int which)
{
    cr_assert(eq(int, kill(peers->pids[which], SIGKILL), 0));
}

void peers_finish(struct peers *peers)
{
    for (int i = 0; i < 2; i++)
        if (peers->pids[i] != 0) {
            kill(peers->pids[i], SIGKILL);
            waitpid(peers->pids[i], NULL, 0);
        }
    int fds[] = {peers->pidfds[0], peers->pidfds[1], peers->reports[0], peers->go[0], peers->go[1]};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    cr_expect(eq(int, peers_count_segments(), 0), "%s left a segment", peers->mechanism->name);
    unlink(scratch_file(&peers->scratch, "names"));
    cr_expect(eq(int, rmdir(peers->scratch.path), 0), "%s left a file in %s", peers->mechanism->name,
              peers->scratch.path);
    scratch_fini(&peers->scratch);
}
