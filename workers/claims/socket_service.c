/* Services over sockets: an echo, a page, and a way to another machine. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workers/claims/check.h"
#include "workers/claims/inet.h"
#include "workers/claims/subject.h"
#include "workers/claims/veth.h"

enum { TEXT_BYTES = 512 };

/* All that comes until the other side has closed; terminated. */
static ssize_t receive_text(int fd, char *text)
{
    size_t used = 0;
    for (ssize_t got; used < TEXT_BYTES - 1 && (got = recv(fd, text + used, TEXT_BYTES - 1 - used, 0)) > 0;)
        used += (size_t)got;
    text[used] = '\0';
    return (ssize_t)used;
}

/* ---- 59: GET by hand ---- */

static const char page[] = "<!doctype html><title>ipclab</title>";

/* One request: HTTP/0.9 had neither version nor headers, and some servers still answer it. */
_Noreturn static void serve_pages(int listener, bool modern)
{
    for (;;) {
        char request[TEXT_BYTES] = "", answer[TEXT_BYTES] = "";
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 || recv(fd, request, sizeof request - 1, 0) <= 0)
            _exit(1);
        if (strstr(request, " HTTP/1.") != NULL)
            snprintf(answer, sizeof answer, "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n%s", page);
        else if (modern)
            snprintf(answer, sizeof answer, "HTTP/1.0 400 Bad Request\r\n\r\n");
        else
            snprintf(answer, sizeof answer, "%s", page);
        if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
            _exit(1);
        close(fd);
    }
}

static int fetch(const struct sockaddr_in *address, const char *request, char *text)
{
    int fd = inet_connect(address, 0);
    if (fd < 0 || send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
        return fd < 0 ? fd : -errno;
    receive_text(fd, text);
    close(fd);
    return 0;
}

static int check_get(struct check *check)
{
    struct sockaddr_in address;
    char bare[TEXT_BYTES] = "", versioned[TEXT_BYTES] = "";
    int listener = inet_listen(check, 5, &address);
    if (listener < 0)
        return listener;
    struct subject *server = subject_new();
    if (subject_fork(server) == 0)
        serve_pages(listener, check_is_sabotaged(check, "modern_server"));
    close(listener);
    fetch(&address, "GET /\r\n", bare);
    fetch(&address, "GET / HTTP/1.0\r\n\r\n", versioned);
    subject_kill(server);
    bool fetched = strstr(bare, page) != NULL;
    bool headers = strncmp(versioned, "HTTP/", 5) == 0, bare_headers = strncmp(bare, "HTTP/", 5) == 0;
    check_string(check, "answer_to_bare_get", bare);
    check_string(check, "answer_to_get_with_version", versioned);
    check_boolean(check, "bare_get_fetched_the_page", fetched);
    check_boolean(check, "bare_get_got_headers", bare_headers);
    return check_conclude(check, fetched, headers != bare_headers);
}

const struct claim claim_59 = {
    .number = 59,
    .mechanism = "tcp",
    .criteria = {"direction"},
    .source = "$ telnet 127.0.0.1 PORT\n"
              "GET /              # the page alone, if the server speaks HTTP/0.9\n"
              "\n"
              "GET / HTTP/1.0     # a status line, headers, an empty line, the page\n"
              "\n",
    .sabotages = {"modern_server"},
    .run = check_get,
};

/* ---- 70: the echo ---- */

/* One client after the other; what comes back is as long as C thinks the text is. */
_Noreturn static void echo(int listener, bool counts)
{
    for (;;) {
        char buffer[TEXT_BYTES] = "";
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            _exit(1);
        for (ssize_t got; (got = recv(fd, buffer, sizeof buffer - 1, 0)) > 0;) {
            buffer[got] = '\0';
            if (send(fd, buffer, counts ? (size_t)got : strlen(buffer), MSG_NOSIGNAL) < 0)
                break;
        }
        close(fd);
    }
}

static ssize_t exchange(const struct sockaddr_in *address, const void *bytes, size_t length, char *answer)
{
    int fd = inet_connect(address, 0);
    if (fd < 0 || send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
        return -1;
    shutdown(fd, SHUT_WR);
    ssize_t got = receive_text(fd, answer);
    close(fd);
    return got;
}

static int check_echo(struct check *check)
{
    struct sockaddr_in address;
    char text[TEXT_BYTES], binary[TEXT_BYTES];
    int listener = inet_listen(check, 5, &address);
    if (listener < 0)
        return listener;
    struct subject *server = subject_new(), *second = subject_new();
    if (subject_fork(server) == 0)
        echo(listener, check_is_sabotaged(check, "count_bytes"));
    close(listener);
    ssize_t text_got = exchange(&address, "hello", 5, text);
    ssize_t binary_got = exchange(&address, "ab\0cd", 5, binary);
    int first = inet_connect(&address, 0); /* stays */
    bool served = first >= 0 && send(first, "x", 1, MSG_NOSIGNAL) == 1 && recv(first, text + 6, 1, 0) == 1;
    if (subject_fork(second) == 0) {
        int fd = inet_connect(&address, 0);
        if (fd < 0 || send(fd, "y", 1, MSG_NOSIGNAL) != 1)
            _exit(1);
        subject_announce(second);
        _exit(recv(fd, second->bytes, 1, 0) != 1);
    }
    bool waits = served && subject_blocks(second);
    subject_kill(second);
    subject_kill(server);
    check_string(check, "echo_of_hello", text_got == 5 ? "hello" : text);
    check_integer(check, "sent_ab_nul_cd_bytes", 5);
    check_integer(check, "returned_of_ab_nul_cd_bytes", binary_got);
    check_boolean(check, "second_client_waits_for_the_first", waits);
    return check_conclude(check, text_got == 5 && memcmp(text, "hello", 5) == 0, binary_got != 5);
}

const struct claim claim_70 = {
    .number = 70,
    .mechanism = "tcp",
    .criteria = {"boundaries"},
    .source = "n = recv(fd, buffer, sizeof buffer - 1, 0);\n"
              "send(fd, buffer, strlen(buffer), 0); /* \"ab\\0cd\" comes back as \"ab\" */\n"
              "send(fd, buffer, n, 0);              /* all that came */",
    .sabotages = {"count_bytes"},
    .run = check_echo,
};

/* ---- 58: here and elsewhere ---- */

/* Sends a line and gets another back: both ways through one connection. */
static bool talk(int one, int other)
{
    char bytes[8] = "";
    return send(one, "there", 5, MSG_NOSIGNAL) == 5 && recv(other, bytes, 5, MSG_WAITALL) == 5 &&
           send(other, "back!", 5, MSG_NOSIGNAL) == 5 && recv(one, bytes, 5, MSG_WAITALL) == 5 &&
           memcmp(bytes, "back!", 5) == 0;
}

enum { AWAY_UNSHARE, AWAY_TCP, AWAY_PATH, AWAY_ABSTRACT };

static int abstract_errno(const char *name, bool listens)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listens)
        return bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0 ? errno : 0;
    return connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ? errno : 0;
}

/* The other machine: a network namespace of its own, at the other end of a cable. */
static void be_away(struct subject *away, int told, const char *name, const struct sockaddr_un *path)
{
    char byte;
    away->values[AWAY_UNSHARE] = unshare(CLONE_NEWNET) != 0 ? errno : 0;
    atomic_store(&away->calling, 1);
    if (away->values[AWAY_UNSHARE] != 0 || read(told, &byte, 1) != 1)
        _exit(1);
    away->values[AWAY_ABSTRACT] = abstract_errno(name, false);
    int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    away->values[AWAY_PATH] = connect(local, (const struct sockaddr *)path, sizeof *path) != 0 ? errno : 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(VETH_PORT)};
    address.sin_addr.s_addr = htonl(VETH_HERE);
    int result = veth_raise("ipclab1", VETH_THERE);
    int fd = result < 0 ? result : inet_connect(&address, 0);
    away->values[AWAY_TCP] = fd < 0 ? -fd : 0;
    char bytes[8];
    if (fd < 0 || recv(fd, bytes, 5, MSG_WAITALL) != 5 || send(fd, "back!", 5, MSG_NOSIGNAL) != 5)
        _exit(1);
    recv(fd, bytes, 1, 0); /* until the other side has read and closed */
    _exit(0);
}

/* A server of this side, for whom the kernel brings from the other. */
static bool talk_across(int listener)
{
    char bytes[8] = "";
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    bool answered = fd >= 0 && send(fd, "there", 5, MSG_NOSIGNAL) == 5 &&
                    recv(fd, bytes, 5, MSG_WAITALL) == 5 && memcmp(bytes, "back!", 5) == 0;
    if (fd >= 0)
        close(fd);
    return answered;
}

static int listen_here(void)
{
    struct timeval patience = {.tv_sec = SUBJECT_PATIENCE_MS / 1000};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(VETH_PORT)};
    address.sin_addr.s_addr = htonl(VETH_HERE);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience); /* for accept too */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0)
        return -errno;
    return fd;
}

static int check_reach(struct check *check)
{
    int fds[2], unix_fds[2], told[2];
    const char *name = "ipclab-claim-58";
    struct sockaddr_un path = unix_address(check, "socket");
    int result = inet_pair(check, fds);
    if (result != 0)
        return result;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, unix_fds) != 0)
        return check_skip(check, "socketpair", errno, "refused");
    bool local = talk(fds[0], fds[1]), local_unix = talk(unix_fds[0], unix_fds[1]);
    int path_listener = unix_bind(check, SOCK_STREAM, &path);
    if (path_listener < 0)
        return path_listener;
    if (listen(path_listener, 1) != 0 || pipe(told) != 0)
        return check_skip(check, "listen", errno, "refused");
    struct subject *away = subject_new();
    if (subject_fork(away) == 0)
        be_away(away, told[0], name, &path);
    while (atomic_load(&away->calling) == 0)
        usleep(200);
    if (away->values[AWAY_UNSHARE] != 0)
        return check_skip(check, "unshare", (int)away->values[AWAY_UNSHARE], "privilege");
    /* A network of our own as well: the machine's is none of our business. */
    if (unshare(CLONE_NEWNET) != 0)
        return check_skip(check, "unshare", errno, "privilege");
    abstract_errno(name, true);
    bool plugged = !check_is_sabotaged(check, "no_cable");
    result = plugged ? veth_make("ipclab0", "ipclab1", away->pid) : 0;
    if (result == 0 && plugged)
        result = veth_raise("ipclab0", VETH_HERE);
    int listener = plugged && result == 0 ? listen_here() : -ENODEV;
    if (result < 0)
        return check_skip(check, "veth", -result, "refused");
    bool told_it = write(told[1], "g", 1) == 1;
    bool remote = told_it && listener >= 0 && talk_across(listener);
    subject_wait(away, SUBJECT_PATIENCE_MS);
    check_boolean(check, "two_way_on_this_machine", local);
    check_boolean(check, "two_way_through_unix_sockets", local_unix);
    check_boolean(check, "two_way_between_two_networks", remote);
    check_errno(check, "tcp_from_other_network_errno", (int)away->values[AWAY_TCP]);
    check_errno(check, "unix_path_from_other_network_errno", (int)away->values[AWAY_PATH]);
    check_errno(check, "unix_abstract_from_other_network_errno", (int)away->values[AWAY_ABSTRACT]);
    return check_conclude(check, local && local_unix && remote, false);
}

const struct claim claim_58 = {
    .number = 58,
    .mechanism = "tcp",
    .also = {"unix_stream"},
    .criteria = {"reach", "direction"},
    .source = "/* another network, a veth pair between */\n"
              "unshare(CLONE_NEWNET);\n"
              "connect(tcp, \"10.58.0.1\", …);               /* through the cable */\n"
              "/* a file is found from any network */\n"
              "connect(local, \"/tmp/socket\", …);\n"
              "/* -1, ECONNREFUSED: abstract names are not */\n"
              "connect(local, \"\\0ipclab\", …);",
    .sabotages = {"no_cable"},
    .keeps_capabilities = true,
    .run = check_reach,
};
