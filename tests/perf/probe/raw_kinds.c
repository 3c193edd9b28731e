/* How pipes, sockets and queues are opened and called, in the shape known to be the fastest. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "tests/perf/probe/raw_kernel.h"

enum {
    PIPE_BYTES = 1024 * 1024,
    PIPE_PIECE_BYTES = 8 * 1024, /* reader and writer copy at the same time, and both out of the cache */
    SOCKET_BYTES = 4 * 1024 * 1024,
    QUEUE_MESSAGES = 10,
};

static int set_polls(int fd, bool polls)
{
    int flags = fcntl(fd, F_GETFL);
    return fcntl(fd, F_SETFL, polls ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0 ? 0 : -errno;
}

/* ---- pipes ---- */

static int bytes_send(struct raw_end *end, unsigned char *message, size_t bytes)
{
    while (bytes > 0) {
        ssize_t sent = write(end->out, message, bytes < end->piece_bytes ? bytes : end->piece_bytes);
        if (sent < 0 && !raw_is_again(end))
            return -errno;
        if (sent > 0) {
            message += sent;
            bytes -= (size_t)sent;
        }
    }
    return 0;
}

int raw_receive_bytes(struct raw_end *end, unsigned char *message, size_t bytes)
{
    while (bytes > 0) {
        ssize_t got = read(end->in, message, bytes);
        if (got == 0 || (got < 0 && !raw_is_again(end)))
            return got == 0 ? -EPIPE : -errno;
        if (got > 0) {
            message += got;
            bytes -= (size_t)got;
        }
    }
    return 0;
}

static int prepare_pipes(struct raw_pair *pair, const struct raw_case *one)
{
    for (int i = 0; i < 2; i++) {
        struct raw_end *end = &pair->ends[i];
        if (one->pattern == PATTERN_STREAM) {
            end->piece_bytes = PIPE_PIECE_BYTES;
            fcntl(end->out, F_SETPIPE_SZ, PIPE_BYTES);
        }
        if (set_polls(end->in, end->polls) < 0 || set_polls(end->out, end->polls) < 0)
            return -errno;
    }
    return 0;
}

int raw_open_pipes(struct raw_pair *pair, const struct raw_case *one)
{
    int there[2], back[2];
    if (pipe2(there, O_CLOEXEC) != 0 || pipe2(back, O_CLOEXEC) != 0)
        return -errno;
    raw_join(pair, there[1], there[0], back[1], back[0]);
    return prepare_pipes(pair, one);
}

static int fifo_both(const char *directory, const char *name, int ends[2])
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (mkfifo(path, 0600) != 0)
        return -errno;
    /* Opening for reading alone would wait for the writer, which is this process too. */
    ends[0] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ends[1] = open(path, O_WRONLY | O_CLOEXEC);
    unlink(path);
    return ends[0] < 0 || ends[1] < 0 ? -EIO : 0;
}

static int fifo_open(struct raw_pair *pair, const struct raw_case *one)
{
    int there[2], back[2];
    int result = fifo_both(one->directory, "there", there);
    if (result == 0)
        result = fifo_both(one->directory, "back", back);
    if (result < 0)
        return result;
    raw_join(pair, there[1], there[0], back[1], back[0]);
    return prepare_pipes(pair, one);
}

/* ---- sockets ---- */

static int socket_receive(struct raw_end *end, unsigned char *message, size_t bytes)
{
    while (bytes > 0) {
        ssize_t got = recv(end->in, message, bytes, MSG_WAITALL);
        if (got == 0 || (got < 0 && !raw_is_again(end)))
            return got == 0 ? -EPIPE : -errno;
        if (got > 0) {
            message += got;
            bytes -= (size_t)got;
        }
    }
    return 0;
}

static int datagram_send(struct raw_end *end, unsigned char *message, size_t bytes)
{
    while (send(end->out, message, bytes, MSG_NOSIGNAL) < 0)
        if (!raw_is_again(end) && errno != ENOBUFS)
            return -errno;
    return 0;
}

static int datagram_receive(struct raw_end *end, unsigned char *message, size_t bytes)
{
    while (recv(end->in, message, bytes, 0) < 0)
        if (!raw_is_again(end))
            return -errno;
    return 0;
}

static int join_sockets(struct raw_pair *pair, int a, int b)
{
    raw_join(pair, a, b, b, a);
    int result = set_polls(a, pair->ends[0].polls);
    return result < 0 ? result : set_polls(b, pair->ends[1].polls);
}

static void set_buffers(int fd, int bytes)
{
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

static int unix_open(struct raw_pair *pair, int type, int buffer_bytes)
{
    int fds[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0)
        return -errno;
    for (int i = 0; i < 2 && buffer_bytes > 0; i++)
        set_buffers(fds[i], buffer_bytes);
    return join_sockets(pair, fds[0], fds[1]);
}

int raw_open_unix_stream(struct raw_pair *pair, const struct raw_case *one)
{
    return unix_open(pair, SOCK_STREAM, one->pattern == PATTERN_STREAM ? SOCKET_BYTES : 0);
}

static int unix_dgram_open(struct raw_pair *pair, const struct raw_case *one)
{
    (void)one;
    return unix_open(pair, SOCK_DGRAM, SOCKET_BYTES);
}

static int unix_seqpacket_open(struct raw_pair *pair, const struct raw_case *one)
{
    (void)one;
    return unix_open(pair, SOCK_SEQPACKET, SOCKET_BYTES);
}

static int bound_socket(int type, struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 ||
                    getsockname(fd, (struct sockaddr *)address, &length) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int tcp_open(struct raw_pair *pair, const struct raw_case *one)
{
    struct sockaddr_in address;
    AUTO_CLOSE int listener = bound_socket(SOCK_STREAM, &address);
    AUTO_CLOSE int caller = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || caller < 0 || listen(listener, 1) != 0 ||
        connect(caller, (const struct sockaddr *)&address, sizeof address) != 0)
        return -errno;
    int called = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (called < 0)
        return -errno;
    /* A stream of messages that fit into a segment gains from sharing it: see workers/mechanisms/tcp.c. */
    int segment_bytes = 0, yes = 1;
    socklen_t length = sizeof segment_bytes;
    getsockopt(caller, IPPROTO_TCP, TCP_MAXSEG, &segment_bytes, &length);
    if (one->pattern == PATTERN_ROUND_TRIP || one->bytes >= (size_t)segment_bytes) {
        setsockopt(caller, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        setsockopt(called, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    return join_sockets(pair, take_fd(&caller), called);
}

static int udp_open(struct raw_pair *pair, const struct raw_case *one)
{
    struct sockaddr_in addresses[2];
    AUTO_CLOSE int a = bound_socket(SOCK_DGRAM, &addresses[0]);
    AUTO_CLOSE int b = bound_socket(SOCK_DGRAM, &addresses[1]);
    (void)one;
    if (a < 0 || b < 0 || connect(a, (const struct sockaddr *)&addresses[1], sizeof addresses[1]) != 0 ||
        connect(b, (const struct sockaddr *)&addresses[0], sizeof addresses[0]) != 0)
        return -errno;
    set_buffers(a, SOCKET_BYTES);
    set_buffers(b, SOCKET_BYTES);
    return join_sockets(pair, take_fd(&a), take_fd(&b));
}

/* ---- queues ---- */

static int mq_posix_one(const char *which, const struct raw_case *one)
{
    char name[64];
    snprintf(name, sizeof name, "/ipclab-probe-%s-%d", which, (int)getpid());
    struct mq_attr attributes = {.mq_maxmsg = QUEUE_MESSAGES, .mq_msgsize = (long)one->bytes};
    int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | (one->wait == WAIT_POLL ? O_NONBLOCK : 0);
    mqd_t queue = mq_open(name, flags, 0600, &attributes);
    mq_unlink(name); /* open queues live on */
    return queue;
}

static int mq_posix_open(struct raw_pair *pair, const struct raw_case *one)
{
    int there = mq_posix_one("there", one), back = mq_posix_one("back", one);
    raw_join(pair, there, there, back, back);
    return there < 0 || back < 0 ? -errno : 0;
}

static int mq_posix_send(struct raw_end *end, unsigned char *message, size_t bytes)
{
    while (mq_send(end->out, (const char *)message, bytes, 0) != 0)
        if (!raw_is_again(end))
            return -errno;
    return 0;
}

static int mq_posix_receive(struct raw_end *end, unsigned char *message, size_t bytes)
{
    while (mq_receive(end->in, (char *)message, bytes, NULL) < 0)
        if (!raw_is_again(end))
            return -errno;
    return 0;
}

static void mq_posix_close(struct raw_pair *pair)
{
    for (int i = 0; i < 2; i++)
        if (pair->ends[i].out >= 0)
            mq_close(pair->ends[i].out);
}

static int mq_sysv_open(struct raw_pair *pair, const struct raw_case *one)
{
    (void)one;
    int there = msgget(IPC_PRIVATE, IPC_CREAT | 0600), back = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    raw_join(pair, there, there, back, back);
    return there < 0 || back < 0 ? -errno : 0;
}

struct envelope {
    long type;
    unsigned char text[8192];
};

static int mq_sysv_send(struct raw_end *end, unsigned char *message, size_t bytes)
{
    static struct envelope envelope = {.type = 1};
    memcpy(envelope.text, message, bytes);
    while (msgsnd(end->out, &envelope, bytes, end->polls ? IPC_NOWAIT : 0) != 0)
        if (!raw_is_again(end))
            return -errno;
    return 0;
}

static int mq_sysv_receive(struct raw_end *end, unsigned char *message, size_t bytes)
{
    static struct envelope envelope;
    while (msgrcv(end->in, &envelope, bytes, 0, end->polls ? IPC_NOWAIT : 0) < 0)
        if (!raw_is_again(end))
            return -errno;
    memcpy(message, envelope.text, bytes);
    return 0;
}

static void mq_sysv_close(struct raw_pair *pair)
{
    for (int i = 0; i < 2; i++)
        if (pair->ends[i].out >= 0)
            msgctl(pair->ends[i].out, IPC_RMID, NULL);
}

const struct raw_kind raw_kinds[] = {
    {.name = "pipe", .open = raw_open_pipes, .send = bytes_send, .receive = raw_receive_bytes},
    {.name = "fifo", .open = fifo_open, .send = bytes_send, .receive = raw_receive_bytes},
    {.name = "unix_stream", .open = raw_open_unix_stream, .send = bytes_send, .receive = socket_receive},
    {.name = "unix_dgram", .open = unix_dgram_open, .send = datagram_send, .receive = datagram_receive},
    {.name = "unix_seqpacket",
     .open = unix_seqpacket_open,
     .send = datagram_send,
     .receive = datagram_receive},
    {.name = "tcp", .open = tcp_open, .send = bytes_send, .receive = socket_receive},
    {.name = "udp", .open = udp_open, .send = datagram_send, .receive = datagram_receive},
    {.name = "mq_posix",
     .open = mq_posix_open,
     .send = mq_posix_send,
     .receive = mq_posix_receive,
     .close = mq_posix_close},
    {.name = "mq_sysv",
     .open = mq_sysv_open,
     .send = mq_sysv_send,
     .receive = mq_sysv_receive,
     .close = mq_sysv_close},
    {.name = NULL},
};
