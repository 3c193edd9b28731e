/* Kinds of sockets and what they promise: streams, datagrams, protocols: socket(2), tcp(7), udp(7), unix(7).
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workers/claims/check.h"
#include "workers/claims/inet.h"
#include "workers/claims/subject.h"

/* ---- 61: domains and protocols ---- */

static int protocol_of(int domain, int type, int protocol)
{
    int fd = socket(domain, type | SOCK_CLOEXEC, protocol), resolved = -1;
    if (fd < 0)
        return -errno;
    socklen_t length = sizeof resolved;
    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &resolved, &length);
    close(fd);
    return resolved;
}

static int check_protocols(struct check *check)
{
    int asked = check_is_sabotaged(check, "protocol_17") ? IPPROTO_UDP : 0;
    int stream = protocol_of(AF_INET, SOCK_STREAM, asked), datagram = protocol_of(AF_INET, SOCK_DGRAM, 0);
    int mixed = protocol_of(AF_INET, SOCK_STREAM, IPPROTO_UDP);
    check_integer(check, "af_unix", AF_UNIX);
    check_integer(check, "af_local", AF_LOCAL);
    check_integer(check, "stream_protocol", stream < 0 ? 0 : stream);
    check_errno(check, "stream_errno", stream < 0 ? -stream : 0);
    check_integer(check, "datagram_protocol", datagram);
    check_errno(check, "stream_of_udp_errno", mixed < 0 ? -mixed : 0);
    return check_conclude(check,
                          AF_UNIX == AF_LOCAL && stream == IPPROTO_TCP && datagram == IPPROTO_UDP &&
                              mixed == -EPROTONOSUPPORT,
                          false);
}

const struct claim claim_61 = {
    .number = 61,
    .mechanism = "unix_stream",
    .source = "fd = socket(AF_INET, SOCK_STREAM, 0);           /* SO_PROTOCOL: 6, TCP */\n"
              "fd = socket(AF_INET, SOCK_DGRAM, 0);            /* 17, UDP */\n"
              "fd = socket(AF_INET, SOCK_STREAM, IPPROTO_UDP); /* -1, EPROTONOSUPPORT */",
    .sabotages = {"protocol_17"},
    .run = check_protocols,
};

/* ---- 62: streams ---- */

static int check_stream(struct check *check)
{
    int fds[2];
    char bytes[8], all[16] = "";
    int type = check_is_sabotaged(check, "seqpacket") ? SOCK_SEQPACKET : SOCK_STREAM;
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0)
        return check_skip(check, "socketpair", errno, "refused");
    bool sent = send(fds[0], "abc", 3, 0) == 3 && send(fds[0], "def", 3, 0) == 3;
    ssize_t joined = recv(fds[1], all, 6, 0);
    for (ssize_t got = joined; got > 0 && got < 6;) {
        ssize_t more = recv(fds[1], all + got, (size_t)(6 - got), MSG_DONTWAIT);
        got = more > 0 ? got + more : 0;
    }
    sent = sent && send(fds[0], "ghijkl", 6, 0) == 6;
    ssize_t first = recv(fds[1], bytes, 2, 0), second = recv(fds[1], bytes + 2, 4, MSG_DONTWAIT);
    check_boolean(check, "sent_3_and_3_and_6_bytes", sent);
    check_string(check, "received_text", all);
    check_integer(check, "one_receive_of_3_and_3_bytes", joined);
    check_integer(check, "first_receive_of_6_bytes", first);
    check_integer(check, "second_receive_of_6_bytes", second < 0 ? 0 : second);
    return check_conclude(check, strcmp(all, "abcdef") == 0, joined != 3 || second > 0);
}

const struct claim claim_62 = {
    .number = 62,
    .mechanism = "unix_stream",
    .criteria = {"boundaries"},
    .source = "send(a, \"abc\", 3, 0); send(a, \"def\", 3, 0);\n"
              "n = recv(b, buffer, 6, 0);    /* 6: two sends, one receive */\n"
              "send(a, \"ghijkl\", 6, 0);\n"
              "n = recv(b, buffer, 2, 0);    /* 2 … */\n"
              "n = recv(b, buffer, 4, 0);    /* … and 4: one send, two receives */",
    .sabotages = {"seqpacket"},
    .run = check_stream,
};

/* ---- 63: datagrams ---- */

enum { DATAGRAMS = 2000, DATAGRAM_BYTES = 1000, UDP_BYTES_MAX = 65507 };

/* How many of them a socket still had when the sender was done, or had given while it sent. */
static int64_t receive_all(int fd)
{
    static char bytes[UDP_BYTES_MAX];
    int64_t count = 0;
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) >= 0)
        count++;
    return count;
}

static int check_datagrams(struct check *check)
{
    static char bytes[UDP_BYTES_MAX + 1];
    struct sockaddr_in address, sender_address;
    int receiver = inet_bind(check, SOCK_DGRAM, &address);
    int sender = receiver < 0 ? receiver : inet_bind(check, SOCK_DGRAM, &sender_address);
    if (sender < 0)
        return sender;
    if (connect(sender, (struct sockaddr *)&address, sizeof address) != 0)
        return check_skip(check, "connect", errno, "refused");
    int room_bytes = 8 << 20;
    setsockopt(sender, SOL_SOCKET, SO_SNDBUF, &room_bytes, sizeof room_bytes);
    int64_t sent = 0, received = 0;
    for (int i = 0; i < DATAGRAMS; i++) {
        sent += send(sender, bytes, DATAGRAM_BYTES, 0) == DATAGRAM_BYTES;
        if (check_is_sabotaged(check, "read_each"))
            received += receive_all(receiver);
    }
    received += receive_all(receiver);
    bool largest = send(sender, bytes, UDP_BYTES_MAX, 0) == UDP_BYTES_MAX;
    int larger = send(sender, bytes, UDP_BYTES_MAX + 1, 0) < 0 ? errno : 0;

    int pair[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0)
        return check_skip(check, "socketpair", errno, "refused");
    int64_t sent_unix = 0;
    int full = 0;
    for (int i = 0; i < DATAGRAMS && full == 0; i++)
        if (send(pair[0], bytes, DATAGRAM_BYTES, MSG_DONTWAIT) == DATAGRAM_BYTES)
            sent_unix++;
        else
            full = errno;
    int64_t received_unix = receive_all(pair[1]);
    check_integer(check, "udp_sent_count", sent);
    check_integer(check, "udp_lost_count", sent - received);
    check_integer(check, "udp_largest_bytes", largest ? UDP_BYTES_MAX : 0);
    check_errno(check, "udp_larger_errno", larger);
    check_integer(check, "unix_sent_count", sent_unix);
    check_integer(check, "unix_lost_count", sent_unix - received_unix);
    check_errno(check, "unix_full_errno", full);
    return check_conclude(check, received < sent && larger == EMSGSIZE, sent_unix == received_unix);
}

const struct claim claim_63 = {
    .number = 63,
    .mechanism = "udp",
    .also = {"unix_dgram"},
    .criteria = {"boundaries"},
    .source = "for (i = 0; i < 2000; i++)\n"
              "    /* 1000, each time; nobody reads: most are lost */\n"
              "    send(fd, datagram, 1000, 0);\n"
              "send(fd, datagram, 65508, 0);       /* -1, EMSGSIZE */\n"
              "/* AF_UNIX: EAGAIN when full, none lost */\n"
              "send(unix_fd, datagram, 1000, MSG_DONTWAIT);",
    .sabotages = {"read_each"},
    .run = check_datagrams,
};

/* ---- 60: the end of a socket ---- */

enum { NOTHING_MS = 50 };

/* Has the other side ended, within so long? */
static bool sees_end(int fd, int wait_ms)
{
    char byte;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return poll(&ready, 1, wait_ms) > 0 && recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* Is a connection of this port in the state the kernel calls 6, TIME_WAIT? */
static bool find_time_wait(int port)
{
    char line[256];
    unsigned local, state;
    bool found = false;
    FILE *table = fopen("/proc/self/net/tcp", "re");
    while (table != NULL && !found && fgets(line, sizeof line, table) != NULL)
        found = sscanf(line, " %*d: %*x:%x %*x:%*x %x", &local, &state) == 2 && local == (unsigned)port &&
                state == 6;
    if (table != NULL)
        fclose(table);
    return found;
}

static int check_close(struct check *check)
{
    int fds[2] = {-1, -1}, other[2] = {-1, -1};
    int result = inet_pair(check, fds);
    if (result == 0)
        result = inet_pair(check, other);
    if (result != 0)
        return result;
    struct sockaddr_in mine = {.sin_port = 0};
    socklen_t length = sizeof mine;
    getsockname(fds[0], (struct sockaddr *)&mine, &length);
    int copy = check_is_sabotaged(check, "no_dup") ? -1 : dup(fds[0]);
    close(fds[0]);
    bool with_copy = sees_end(fds[1], NOTHING_MS);
    if (copy >= 0)
        close(copy);
    bool without = sees_end(fds[1], SUBJECT_PATIENCE_MS);
    close(fds[1]);
    bool waits = find_time_wait(ntohs(mine.sin_port));
    int second = dup(other[0]);
    shutdown(other[0], SHUT_WR);
    bool after_shutdown = sees_end(other[1], SUBJECT_PATIENCE_MS);
    close(second);
    check_boolean(check, "end_seen_while_a_dup_is_open", with_copy);
    check_boolean(check, "end_seen_after_the_last_close", without);
    check_boolean(check, "end_seen_after_shutdown_despite_a_dup", after_shutdown);
    check_boolean(check, "port_in_time_wait_afterwards", waits);
    return check_conclude(check, without, !with_copy);
}

const struct claim claim_60 = {
    .number = 60,
    .mechanism = "tcp",
    .criteria = {"persists"},
    .source = "copy = dup(fd);\n"
              "close(fd);             /* the other side notices nothing */\n"
              "close(copy);           /* now it does */\n"
              "shutdown(fd, SHUT_WR); /* at once, whoever else has it */",
    .sabotages = {"no_dup"},
    .run = check_close,
};
