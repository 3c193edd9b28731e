/* A server's calls, one after the other, and what each of them does: listen(2), accept(2), bind(2). */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/claims/check.h"
#include "workers/claims/inet.h"
#include "workers/claims/subject.h"

/* Until then a connection through the loopback interface is established, if it ever will be. */
enum { ESTABLISH_MS = 50, RETRY_MS = 5000 };

/* A connection that was begun without waiting: 1 established, 0 on its way, -errno. */
static int connection_state(int fd, int wait_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof error;
    if (poll(&ready, 1, wait_ms) == 0)
        return 0;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error == 0 ? 1 : -error;
}

/* ---- 64: listen, connect, accept ---- */

static int check_sequence(struct check *check)
{
    struct sockaddr_in silent, address;
    int bound = inet_bind(check, SOCK_STREAM, &silent);
    int listener = bound < 0 ? bound : inet_listen(check, 5, &address);
    if (listener < 0)
        return listener;
    if (check_is_sabotaged(check, "listen") && listen(bound, 5) != 0)
        return check_skip(check, "listen", errno, "refused");
    int unheard = inet_connect(&silent, 0);
    int client = inet_connect(&address, 0);
    ssize_t early = client < 0 ? -1 : send(client, "early", 5, MSG_NOSIGNAL);
    int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    char bytes[8] = "";
    ssize_t got = recv(accepted, bytes, sizeof bytes - 1, 0);
    check_errno(check, "connect_without_listen_errno", unheard < 0 ? -unheard : 0);
    check_errno(check, "connect_before_accept_errno", client < 0 ? -client : 0);
    check_integer(check, "sent_before_accept_bytes", early < 0 ? 0 : early);
    check_integer(check, "received_after_accept_bytes", got < 0 ? 0 : got);
    return check_conclude(check, unheard == -ECONNREFUSED && got == 5, early == 5);
}

const struct claim claim_64 = {
    .number = 64,
    .mechanism = "tcp",
    .criteria = {"synchronises"},
    .source = "bind(fd, …); connect(client, …);       /* -1, ECONNREFUSED: nobody listens */\n"
              "listen(fd, 5);\n"
              "connect(client, …);                    /* 0: the kernel shakes hands */\n"
              "send(client, \"early\", 5, 0);           /* 5: and keeps what comes */\n"
              "accepted = accept(fd, NULL, NULL);     /* hands over what is there already */",
    .sabotages = {"listen"},
    .run = check_sequence,
};

/* ---- 65: names ---- */

static int bind_errno(int domain, const void *address, socklen_t length)
{
    int fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = fd < 0 || bind(fd, address, length) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error;
}

static int check_names(struct check *check)
{
    struct sockaddr_in address = {.sin_port = 0}, named = {.sin_port = 0};
    socklen_t length = sizeof named;
    struct sockaddr_un path = unix_address(check, "socket");
    int fd = inet_bind(check, SOCK_STREAM, &address);
    int local = fd < 0 ? fd : unix_bind(check, SOCK_STREAM, &path);
    if (local < 0)
        return local;
    getsockname(fd, (struct sockaddr *)&named, &length);
    int in_use = bind_errno(AF_INET, &address, sizeof address);
    close(fd);
    close(local);
    if (check_is_sabotaged(check, "unlink"))
        unlink(path.sun_path);
    int port_again = bind_errno(AF_INET, &address, sizeof address);
    int path_again = bind_errno(AF_UNIX, &path, sizeof path);
    check_boolean(check, "getsockname_tells_the_port",
                  named.sin_port == address.sin_port && named.sin_port != 0);
    check_errno(check, "second_bind_errno", in_use);
    check_errno(check, "port_after_close_errno", port_again);
    check_errno(check, "unix_path_after_close_errno", path_again);
    return check_conclude(check, in_use == EADDRINUSE && named.sin_port == address.sin_port, path_again != 0);
}

const struct claim claim_65 = {
    .number = 65,
    .mechanism = "unix_stream",
    .criteria = {"persists"},
    .source = "bind(fd, &address, sizeof address);    /* 0 */\n"
              "bind(second, &address, sizeof address);/* -1, EADDRINUSE */\n"
              "close(unix_fd);\n"
              "/* -1, EADDRINUSE: the file is still there */\n"
              "bind(second, &path, sizeof path);\n"
              "unlink(path.sun_path);                 /* the missing line */",
    .sabotages = {"unlink"},
    .run = check_names,
};

/* ---- 66, 67: the backlog ---- */

enum { BACKLOG = 1, CLIENTS = 6, MANY_CLIENTS = 50 };

struct queue {
    int established, refused, on_their_way, later;
};

/* Clients that come while nobody accepts, and what becomes of them when somebody does. */
static void fill_queue(int listener, const struct sockaddr_in *address, struct queue *queue)
{
    int clients[CLIENTS] = {0};
    *queue = (struct queue){.established = 0};
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = inet_connect(address, SOCK_NONBLOCK);
        int state = clients[i] < 0 ? clients[i] : connection_state(clients[i], ESTABLISH_MS);
        queue->established += state > 0;
        queue->on_their_way += state == 0;
        queue->refused += state < 0;
    }
    int64_t deadline_ns = clock_now_ns() + RETRY_MS * NS_PER_MS;
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    for (int accepted = 0; accepted < CLIENTS && clock_now_ns() < deadline_ns; accepted++)
        if (poll(&waiting, 1, RETRY_MS) <= 0 || accept4(listener, NULL, NULL, SOCK_CLOEXEC) < 0)
            break;
    for (int i = 0; i < CLIENTS; i++)
        queue->later += clients[i] >= 0 && connection_state(clients[i], 0) > 0;
}

static int check_backlog(struct check *check)
{
    struct sockaddr_in address;
    struct sockaddr_un path = unix_address(check, "socket");
    int listener = inet_listen(check, BACKLOG, &address);
    int local = listener < 0 ? listener : unix_bind(check, SOCK_STREAM, &path);
    if (local < 0)
        return local;
    if (listen(local, BACKLOG) != 0)
        return check_skip(check, "listen", errno, "refused");
    int error = 0, established = 0;
    for (int i = 0; i < CLIENTS && error == 0; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        error = connect(fd, (struct sockaddr *)&path, sizeof path) != 0 ? errno : 0;
        established += error == 0;
    }
    struct queue queue;
    if (check_is_sabotaged(check, "close_listener"))
        close(listener);
    fill_queue(listener, &address, &queue);
    check_integer(check, "backlog", BACKLOG);
    check_integer(check, "clients_count", CLIENTS);
    check_integer(check, "established_before_accept_count", queue.established);
    check_integer(check, "refused_count", queue.refused);
    check_integer(check, "left_waiting_count", queue.on_their_way);
    check_integer(check, "established_when_accepted_count", queue.later);
    check_integer(check, "unix_established_before_accept_count", established);
    check_errno(check, "unix_next_errno", error);
    return check_conclude(check, queue.refused > 0, false);
}

const struct claim claim_66 = {
    .number = 66,
    .mechanism = "tcp",
    .also = {"unix_stream"},
    .criteria = {"count"},
    .source = "listen(fd, 1);\n"
              "for (i = 0; i < 6; i++)\n"
              "    connect(client[i], …);  /* two are established, four stay in SYN_SENT */\n"
              "while (accept(fd, NULL, NULL) >= 0)\n"
              "    /* and are established when their SYN comes again */\n"
              "    ;",
    .sabotages = {"close_listener"},
    .run = check_backlog,
};

static int check_total(struct check *check)
{
    struct sockaddr_in address;
    int listener = inet_listen(check, BACKLOG, &address), accepted = 0;
    if (listener < 0)
        return listener;
    int clients = check_is_sabotaged(check, "no_accept") ? 2 * CLIENTS : MANY_CLIENTS, established = 0;
    for (int i = 0; i < clients; i++) {
        int fd = inet_connect(&address, SOCK_NONBLOCK);
        established += fd >= 0 && connection_state(fd, ESTABLISH_MS) > 0;
        if (!check_is_sabotaged(check, "no_accept"))
            accepted += accept4(listener, NULL, NULL, SOCK_CLOEXEC) >= 0;
    }
    check_integer(check, "backlog", BACKLOG);
    check_integer(check, "accepted_count", accepted);
    check_integer(check, "established_at_once_count", established);
    return check_conclude(check, accepted == clients && established == clients, false);
}

const struct claim claim_67 = {
    .number = 67,
    .mechanism = "tcp",
    .criteria = {"count"},
    .source = "listen(fd, 1);\n"
              "for (i = 0; i < 50; i++) {\n"
              "    connect(client[i], …);\n"
              "    server[i] = accept(fd, NULL, NULL);  /* fifty, all open at once */\n"
              "}",
    .sabotages = {"no_accept"},
    .run = check_total,
};

/* ---- 68: accept's new socket ---- */

static bool is_listening(int fd)
{
    int listening = 0;
    socklen_t length = sizeof listening;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening != 0;
}

static int check_accepted(struct check *check)
{
    struct sockaddr_in address;
    int listener = inet_listen(check, 5, &address);
    if (listener < 0)
        return listener;
    int first = inet_connect(&address, 0), accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (check_is_sabotaged(check, "close_listener"))
        close(listener);
    int second = inet_connect(&address, 0);
    int accepted_second = second < 0 ? second : accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    check_integer(check, "listening_fd", listener);
    check_integer(check, "accepted_fd", accepted);
    check_boolean(check, "accepted_one_listens", is_listening(accepted));
    check_errno(check, "second_client_errno", second < 0 ? -second : 0);
    return check_conclude(check,
                          first >= 0 && accepted >= 0 && accepted != listener && !is_listening(accepted) &&
                              accepted_second >= 0,
                          false);
}

const struct claim claim_68 = {
    .number = 68,
    .mechanism = "tcp",
    .criteria = {"count"},
    .source = "accepted = accept(fd, NULL, NULL);\n"
              "accepted != fd;                     /* one for this client */\n"
              "second = accept(fd, NULL, NULL);    /* fd goes on listening */",
    .sabotages = {"close_listener"},
    .run = check_accepted,
};

/* ---- 69: who is it? ---- */

static int check_client_address(struct check *check)
{
    struct sockaddr_in address, client_address = {.sin_port = 0}, seen = {.sin_port = 1};
    struct sockaddr_un path = unix_address(check, "server"), own = unix_address(check, "client"), local_seen;
    socklen_t length = sizeof seen, own_length = sizeof client_address, local_length = sizeof local_seen;
    int listener = inet_listen(check, 5, &address);
    int local = listener < 0 ? listener : unix_bind(check, SOCK_STREAM, &path);
    if (local < 0)
        return local;
    int client = inet_connect(&address, 0);
    int accepted = accept4(listener, (struct sockaddr *)&seen, &length, SOCK_CLOEXEC);
    getsockname(client, (struct sockaddr *)&client_address, &own_length);
    int unnamed = check_is_sabotaged(check, "bind") ? unix_bind(check, SOCK_STREAM, &own)
                                                    : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listen(local, 5) != 0 || unnamed < 0 || connect(unnamed, (struct sockaddr *)&path, sizeof path) != 0)
        return check_skip(check, "connect", errno, "refused");
    int local_accepted = accept4(local, (struct sockaddr *)&local_seen, &local_length, SOCK_CLOEXEC);
    struct ucred credentials = {.pid = 0};
    socklen_t credentials_length = sizeof credentials;
    getsockopt(local_accepted, SOL_SOCKET, SO_PEERCRED, &credentials, &credentials_length);
    bool same = accepted >= 0 && seen.sin_port == client_address.sin_port &&
                seen.sin_addr.s_addr == client_address.sin_addr.s_addr;
    bool nameless = local_length <= sizeof(sa_family_t);
    check_boolean(check, "tcp_address_is_the_clients", same);
    check_integer(check, "unix_address_bytes", (int64_t)local_length);
    check_boolean(check, "unix_client_has_a_name", !nameless);
    check_boolean(check, "peercred_tells_its_process", credentials.pid == getpid());
    check_integer(check, "peercred_uid", credentials.uid);
    return check_conclude(check, same, nameless);
}

const struct claim claim_69 = {
    .number = 69,
    .mechanism = "unix_stream",
    .also = {"tcp"},
    .criteria = {"reach"},
    .source = "accept(fd, (struct sockaddr *)&address, &length);\n"
              "/* TCP: the client's address and port; AF_UNIX: length is 2, no name */\n"
              "getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &credentials, &length);\n"
              "/* its process, user and group, from the kernel */",
    .sabotages = {"bind"},
    .run = check_client_address,
};
