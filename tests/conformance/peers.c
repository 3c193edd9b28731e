#include "tests/conformance/peers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/support/criterion.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/names.h"
#include "workers/parse.h"
#include "workers/payload.h"

static const char order_variable[] = "IPCLAB_CONFORMANCE_PEER";

/* All a peer needs to know; a stranger gets it through a memfd. */
struct order {
    struct peers_plan plan;
    char directory[SCRATCH_PATH_BYTES];
    char addresses[2][CHANNEL_ADDRESS_BYTES];
    int which;
    int report, go, end, tally;
};

/* ---- in the peer ---- */

struct peer {
    const struct order *order;
    const struct mechanism *mechanism;
    void *out, *in;
    unsigned char *message;
    size_t bytes;
    uint32_t sender; /* which it is, if it is one */
    bool may_lose;
    _Atomic uint8_t *tally;
};

static size_t tally_bytes(const struct peers_plan *plan)
{
    return (size_t)plan->channel.senders * (size_t)plan->messages + 1;
}

static bool is_sender(const struct order *order)
{
    return order->which < order->plan.channel.senders;
}

_Noreturn static void fail(const struct peer *peer, const char *what, long long value)
{
    fprintf(stderr, "%s, %s, peer %d of %d x %d, %lld bytes: %s (%lld)\n", peer->mechanism->name,
            wait_names[peer->order->plan.channel.wait], peer->order->which, peer->order->plan.channel.senders,
            peer->order->plan.channel.receivers, (long long)peer->bytes, what, value);
    _exit(1);
}

static void report(const struct peer *peer)
{
    if (write(peer->order->report, "r", 1) != 1)
        fail(peer, "cannot report", errno);
}

static void await_byte(const struct peer *peer, int fd)
{
    char go;
    ssize_t got;
    do
        got = read(fd, &go, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1)
        fail(peer, "no go", errno);
}

static void send_message(struct peer *peer, uint64_t sequence)
{
    payload_write(peer->message, peer->bytes, sequence, peer->sender, VERIFY_FULL);
    ssize_t sent = peer->mechanism->send(peer->out, peer->message, peer->bytes);
    if (sent != (ssize_t)peer->bytes)
        fail(peer, "send", sent);
}

/* A mechanism that may lose messages says when none has come for a while. Here that is no loss: on a busy
 * machine the other side may just not have had its turn. */
static ssize_t receive_at_last(struct peer *peer)
{
    ssize_t got;
    do
        got = peer->mechanism->receive(peer->in, peer->message, peer->bytes);
    while (peer->may_lose && (got == -ETIMEDOUT || got == -EAGAIN));
    return got;
}

static void receive_message(struct peer *peer, struct payload_check *check)
{
    memset(peer->message, 0xee, peer->bytes);
    ssize_t got = receive_at_last(peer);
    if (got != (ssize_t)peer->bytes)
        fail(peer, "receive", got);
    payload_check(check, peer->message, peer->bytes, 0, VERIFY_FULL);
    const struct frame_integrity *faults = &check->integrity;
    if (faults->torn + faults->lost + faults->duplicated + faults->reordered > 0)
        fail(peer, "the message is not the one that was sent", (long long)check->expected);
}

static void expect_end(struct peer *peer)
{
    ssize_t got = receive_at_last(peer);
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

/* What came came whole and in order; what did not shows as a gap, and the end comes all the same. */
static void receive_what_comes(struct peer *peer)
{
    struct payload_check check = {.expected = 1};
    for (;;) {
        ssize_t got = receive_at_last(peer);
        if (got == 0)
            return;
        if (got != (ssize_t)peer->bytes)
            fail(peer, "receive", got);
        if (peer->bytes < sizeof check.expected)
            continue; /* too short to say which it is when many are missing */
        payload_check(&check, peer->message, peer->bytes, 0, VERIFY_FULL);
        const struct frame_integrity *faults = &check.integrity;
        if (faults->torn + faults->duplicated + faults->reordered > 0)
            fail(peer, "a message is torn or out of order", (long long)check.expected);
    }
}

static void receive_all(struct peer *peer)
{
    if (peer->may_lose) {
        receive_what_comes(peer);
        return;
    }
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

static void send_shared(struct peer *peer)
{
    const struct peers_plan *plan = &peer->order->plan;
    uint64_t last = plan->messages + (uint64_t)plan->channel.receivers;
    for (uint64_t i = 1; i <= last; i++)
        send_message(peer, i);
}

/* Within one receiver a sender's messages come in order; between them all every message comes once. */
static bool take_shared(struct peer *peer, uint64_t *latest)
{
    struct payload_header header = payload_header_of(peer->message);
    const struct peers_plan *plan = &peer->order->plan;
    if (header.sender >= (uint32_t)plan->channel.senders || header.length != peer->bytes ||
        !payload_is_filled(peer->message, peer->bytes, header.sequence))
        fail(peer, "a message is torn", (long long)header.sequence);
    if (header.sequence <= latest[header.sender])
        fail(peer, "a message is out of order", (long long)header.sequence);
    latest[header.sender] = header.sequence;
    if (header.sequence > plan->messages)
        return false;
    atomic_fetch_add(&peer->tally[header.sender * plan->messages + header.sequence - 1], 1);
    return true;
}

static void receive_shared(struct peer *peer)
{
    uint64_t latest[CREW_SIDE_MAX] = {0};
    bool is_over = false;
    for (int stops = 0; stops < peer->order->plan.channel.senders && !is_over;) {
        ssize_t got = receive_at_last(peer);
        is_over = peer->may_lose && got == 0;
        if (!is_over && got != (ssize_t)peer->bytes)
            fail(peer, "receive", got);
        if (!is_over && !take_shared(peer, latest))
            stops++;
    }
    /* Whoever has its stops early would take from a shared queue what the others are waiting for. */
    report(peer);
    await_byte(peer, peer->order->end);
    expect_end(peer);
}

static void (*const acts[])(struct peer *) = {
    [ACT_ASK] = ask,
    [ACT_ANSWER] = answer,
    [ACT_SEND] = send_all,
    [ACT_RECEIVE] = receive_all,
    [ACT_SEND_AND_HANG] = send_and_hang,
    [ACT_SEND_UNTIL_END] = send_until_end,
    [ACT_HANG] = hang,
    [ACT_SEND_SHARED] = send_shared,
    [ACT_RECEIVE_SHARED] = receive_shared,
};

/* On the second channel, the way back, the sides are the other way round. */
static int take_seats(struct peer *peer, struct worker_channel *channels, size_t count, struct err *err)
{
    const struct order *order = peer->order;
    bool sends = is_sender(order);
    int index = sends ? order->which : order->which - order->plan.channel.senders;
    for (size_t i = 0; i < count; i++) {
        struct seat seat = {.side = sends == (i == 0) ? SEAT_SENDER : SEAT_RECEIVER, .index = index};
        int result = peer->mechanism->attach(channels[i].state, &channels[i].channel, seat, err);
        if (result < 0)
            return result;
    }
    peer->out = channels[sends ? 0 : count - 1].state;
    peer->in = channels[sends ? count - 1 : 0].state;
    return 0;
}

_Noreturn static void refuse(const struct peer *peer, const struct err *err)
{
    if (!peer->order->plan.may_refuse || err->text[0] == '\0')
        fail(peer, err->text, -err->code);
    if (write(peer->order->report, "f", 1) != 1)
        fail(peer, "cannot report", errno);
    _exit(0);
}

_Noreturn static void be_peer(const struct order *order, struct worker_channel *channels, size_t count)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    struct peer peer = {.order = order,
                        .mechanism = mechanism_find(order->plan.mechanism),
                        .bytes = (size_t)order->plan.channel.message_bytes,
                        .sender = is_sender(order) ? (uint32_t)order->which : 0};
    peer.may_lose = (peer.mechanism->traits & TRAIT_MAY_LOSE) != 0;
    peer.message = malloc(peer.bytes);
    peer.tally = mmap(NULL, tally_bytes(&order->plan), PROT_READ | PROT_WRITE, MAP_SHARED, order->tally, 0);
    if (peer.tally == MAP_FAILED)
        fail(&peer, "no tally", errno);
    int descriptors = peers_count_descriptors();
    struct err err = {.text = ""};
    if (take_seats(&peer, channels, count, &err) < 0)
        refuse(&peer, &err);
    report(&peer);
    await_byte(&peer, order->go);
    acts[order->plan.acts[is_sender(order) ? 0 : 1]](&peer);
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

static bool open_channels(struct peers *peers)
{
    peers->channel_count = worker_channel_count(peers->mechanism, peers->plan.channel.pattern);
    for (size_t i = 0; i < peers->channel_count; i++) {
        struct worker_channel *channel = &peers->channels[i];
        *channel = (struct worker_channel){.channel = peers->plan.channel};
        channel->channel.number = (int)i;
        channel->channel.directory = peers->scratch.path;
        struct err err = {.text = ""};
        int result = peers->mechanism->open(channel->state, &channel->channel, &err);
        if (result < 0 && peers->plan.may_refuse && err.text[0] != '\0') {
            peers->channel_count = i + 1;
            return false;
        }
        cr_assert(eq(int, result, 0), "open: %s", err.text);
    }
    return true;
}

static void close_channels(struct peers *peers)
{
    for (size_t i = 0; i < peers->channel_count; i++)
        peers->mechanism->close(peers->channels[i].state, &peers->channels[i].channel);
    peers->channel_count = 0;
}

/* Only the order, the tally and the three pipes pass the exec. */
_Noreturn static void execute(const struct order *order)
{
    int fd = memfd_create("order", 0);
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    if (write(fd, order, sizeof *order) != sizeof *order || setenv(order_variable, number, 1) != 0 ||
        fcntl(order->report, F_SETFD, 0) != 0 || fcntl(order->go, F_SETFD, 0) != 0 ||
        fcntl(order->end, F_SETFD, 0) != 0 || fcntl(order->tally, F_SETFD, 0) != 0)
        _exit(1);
    execl("/proc/self/exe", "peer", (char *)NULL);
    _exit(1);
}

static void start_peer(struct peers *peers, int which)
{
    struct order order = {.plan = peers->plan,
                          .which = which,
                          .report = peers->reports[1],
                          .go = peers->go[0],
                          .end = peers->end[0],
                          .tally = peers->tally_fd};
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

static char await_report(struct peers *peers)
{
    struct pollfd report = {.fd = peers->reports[0], .events = POLLIN};
    char byte = 0;
    cr_assert(eq(int, poll(&report, 1, PATIENCE_MS), 1), "no report from a peer of %s",
              peers->mechanism->name);
    cr_assert(eq(int, (int)read(peers->reports[0], &byte, 1), 1), "a peer of %s died",
              peers->mechanism->name);
    return byte;
}

void peers_await_report(struct peers *peers)
{
    await_report(peers);
}

static void open_tally(struct peers *peers)
{
    size_t bytes = tally_bytes(&peers->plan);
    peers->tally_fd = memfd_create("tally", MFD_CLOEXEC);
    cr_assert(eq(int, ftruncate(peers->tally_fd, (off_t)bytes), 0));
    peers->tally = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, peers->tally_fd, 0);
    cr_assert(ne(ptr, (void *)peers->tally, MAP_FAILED));
}

size_t peers_count_amiss(const struct peers *peers)
{
    size_t amiss = 0;
    for (size_t i = 0; i + 1 < tally_bytes(&peers->plan); i++)
        amiss += peers->tally[i] != 1;
    return amiss;
}

static void let_go(int fd, int count)
{
    for (int i = 0; i < count; i++)
        cr_assert(eq(int, (int)write(fd, "g", 1), 1));
}

void peers_let_end(struct peers *peers)
{
    for (int i = 0; i < peers->plan.channel.receivers; i++)
        peers_await_report(peers);
    let_go(peers->end[1], peers->plan.channel.receivers);
}

bool peers_start(struct peers *peers, const struct peers_plan *plan)
{
    *peers = (struct peers){.plan = *plan, .mechanism = mechanism_find(plan->mechanism)};
    cr_assert(ne(ptr, (void *)peers->mechanism, NULL));
    scratch_init(&peers->scratch);
    cr_assert(eq(int, pipe2(peers->reports, O_CLOEXEC), 0));
    cr_assert(eq(int, pipe2(peers->go, O_CLOEXEC), 0));
    cr_assert(eq(int, pipe2(peers->end, O_CLOEXEC), 0));
    open_tally(peers);
    bool opened = open_channels(peers);
    while (opened && peers->count < plan->channel.senders + plan->channel.receivers)
        start_peer(peers, peers->count++);
    close(peers->reports[1]);
    peers->reports[1] = -1;
    bool attached = opened;
    for (int i = 0; i < peers->count && attached; i++)
        attached = await_report(peers) == 'r';
    close_channels(peers);
    if (attached)
        let_go(peers->go[1], peers->count);
    return attached;
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

/* Names outside the directory that are recorded there and still exist. */
static int count_names_left(const char *path)
{
    AUTO_FCLOSE FILE *file = fopen(path, "re");
    char line[512], mechanism[64], name[256];
    int count = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%63s %255s", mechanism, name) != 2)
            continue;
        key_t key = (key_t)strtol(name, NULL, 16);
        if (strcmp(mechanism, "sem_sysv") == 0)
            count += semget(key, 0, 0) >= 0;
        else if (strcmp(mechanism, "mq_sysv") == 0)
            count += msgget(key, 0) >= 0;
        else if (strcmp(mechanism, "shm_posix") == 0)
            count += shm_unlink(name) == 0;
        else if (strcmp(mechanism, "mq_posix") == 0)
            count += mq_unlink(name) == 0;
    }
    return count;
}

void peers_finish(struct peers *peers)
{
    for (int i = 0; i < peers->count; i++) {
        if (peers->pids[i] != 0) {
            kill(peers->pids[i], SIGKILL);
            waitpid(peers->pids[i], NULL, 0);
        }
        close(peers->pidfds[i]);
    }
    int fds[] = {peers->tally_fd, peers->reports[0], peers->go[0],
                 peers->go[1],    peers->end[0],     peers->end[1]};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    munmap(peers->tally, tally_bytes(&peers->plan));
    const char *names = scratch_file(&peers->scratch, "names");
    char copy[SCRATCH_FILE_BYTES + 8];
    snprintf(copy, sizeof copy, "%s.copy", names);
    bool recorded = link(names, copy) == 0;
    struct err err = {.text = ""};
    cr_expect(eq(int, names_clear(peers->scratch.path, &err), 0), "%s", err.text);
    cr_expect(eq(int, peers_count_segments(), 0), "%s left a segment", peers->mechanism->name);
    if (recorded)
        cr_expect(eq(int, count_names_left(copy), 0), "%s left a name", peers->mechanism->name);
    unlink(copy);
    cr_expect(eq(int, rmdir(peers->scratch.path), 0), "%s left a file in %s", peers->mechanism->name,
              peers->scratch.path);
    scratch_fini(&peers->scratch);
}
