/* Lab 13. What becomes of clients who find the queue before accept full?
 *
 * A server listens with a small backlog and accepts nobody for a while. The kernel finishes connections for
 * it and keeps them in a queue, one more than the backlog says. Who comes after that is not refused: over TCP
 * its request is dropped and it asks again after a second; a Unix socket tells it to try again. listen(2),
 * tcp(7), unix(7). */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/labs/lab.h"

enum { BACKLOG, CLIENTS, DELAY_MS, FAMILY };
enum { INET, UNIX };
static const char *const families[] = {[INET] = "tcp", [UNIX] = "unix", NULL};
enum {
    CLIENTS_MAX = 32,
    THIRD = 3,
    SETTLE_MS = 50,
    CONNECT_MS = 7200,
    LOOK_MS = 20,
    LAST_MS = 1200,
    QUEUE_SAMPLES = 64
};
enum { IS_LISTENING, HAVE_TRIED, HAVE_CONNECTED, IS_OVER }; /* gates */

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
};

struct queue {
    union address address;
    int error[CLIENTS_MAX];            /* of connect, but EINPROGRESS */
    bool at_once[CLIENTS_MAX];         /* connected before the server accepted anybody */
    int64_t connected_ms[CLIENTS_MAX]; /* after its connect began; -1: never */
    char state[CLIENTS_MAX][16];       /* when all have tried */
    _Atomic int connected;             /* of those that tried; all of them until it is known */
    int accepted;
    _Atomic uint32_t sample_count; /* of the queue's length, by the server */
    struct {
        int64_t at_ns;
        int waiting;
    } samples[QUEUE_SAMPLES];
    int longest;
    int shown;
};

static socklen_t address_length(const struct lab *lab)
{
    return lab_value(lab, FAMILY) == UNIX ? sizeof(struct sockaddr_un) : sizeof(struct sockaddr_in);
}

/* ---- the server ---- */

/* tcp_info of a listening socket tells how many wait to be accepted. */
static void sample_queue(struct queue *queue, int listener)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    uint32_t number = queue->sample_count;
    if (number >= QUEUE_SAMPLES || getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
        return;
    queue->samples[number].waiting = (int)info.tcpi_unacked;
    queue->samples[number].at_ns = clock_now_ns();
    queue->longest =
        queue->samples[number].waiting > queue->longest ? queue->samples[number].waiting : queue->longest;
    atomic_fetch_add(&queue->sample_count, 1);
}

static int listen_somewhere(struct lab *lab, struct timeline *me, struct queue *queue)
{
    bool is_unix = lab_value(lab, FAMILY) == UNIX;
    int backlog = (int)lab_value(lab, BACKLOG);
    socklen_t length = address_length(lab);
    int fd = TRACE(me, socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0), "%s, SOCK_STREAM, 0",
                   is_unix ? "AF_UNIX" : "AF_INET");
    if (is_unix) {
        queue->address.un.sun_family = AF_UNIX;
        snprintf(queue->address.un.sun_path, sizeof queue->address.un.sun_path, "%.90s/server",
                 lab_directory(lab));
    } else {
        queue->address.in.sin_family = AF_INET;
        queue->address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    TRACE(me, bind(fd, &queue->address.any, length), "%d, %s", fd, is_unix ? "\"server\"" : "127.0.0.1:0");
    getsockname(fd, &queue->address.any, &length);
    TRACE(me, listen(fd, backlog), "%d, %d", fd, backlog);
    return fd;
}

/* Until all that connected are accepted. A client may count itself connected before the server does: the last
 * part of its handshake is dropped while the queue is full, and made up for by what the client sends next. */
static void accept_all(struct lab *lab, struct timeline *me, struct queue *queue, int listener)
{
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    int64_t until_ns = INT64_MAX;
    while (clock_now_ns() < until_ns && queue->accepted < atomic_load(&queue->connected)) {
        sample_queue(queue, listener);
        if (poll(&waiting, 1, LOOK_MS) == 1 &&
            TRACE(me, accept(listener, NULL, NULL), "%d, NULL, NULL", listener) >= 0)
            queue->accepted++;
        if (until_ns == INT64_MAX && lab_gate_is_open(lab, HAVE_CONNECTED))
            until_ns = clock_now_ns() + LAST_MS * NS_PER_MS;
    }
}

static void server(struct lab *lab, struct timeline *me)
{
    struct queue *queue = lab_shared(lab);
    unsigned delay_us = (unsigned)lab_value(lab, DELAY_MS) * 1000;
    int listener = listen_somewhere(lab, me, queue);
    lab_gate_open(lab, IS_LISTENING);
    lab_gate_wait(lab, HAVE_TRIED);
    sample_queue(queue, listener);
    TRACE(me, usleep(delay_us), "%u", delay_us);

    fcntl(listener, F_SETFL, O_NONBLOCK);
    accept_all(lab, me, queue, listener);
    sample_queue(queue, listener);
    lab_gate_open(lab, IS_OVER);
}

/* ---- the clients: so many sockets of one process ---- */

static void note_state(const struct lab *lab, struct queue *queue, int client, int fd)
{
    static const char *const names[] = {
        [TCP_ESTABLISHED] = "ESTABLISHED", [TCP_SYN_SENT] = "SYN_SENT", [TCP_CLOSE] = "CLOSE"};
    struct tcp_info info = {.tcpi_state = 0};
    socklen_t length = sizeof info;
    const char *name = queue->error[client] == 0 ? "connected" : strerrorname_np(queue->error[client]);
    if (lab_value(lab, FAMILY) == INET && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
        info.tcpi_state < sizeof names / sizeof *names && names[info.tcpi_state] != NULL)
        name = names[info.tcpi_state];
    snprintf(queue->state[client], sizeof queue->state[client], "%s", name);
}

static void await_connections(struct timeline *me, struct queue *queue, struct pollfd *fds,
                              const int64_t *began_ns, int count, int64_t timeout_ms)
{
    int64_t until_ns = clock_now_ns() + timeout_ms * NS_PER_MS;
    for (;;) {
        int open = 0;
        for (int i = 0; i < count; i++)
            open += fds[i].fd >= 0;
        int64_t left_ms = (until_ns - clock_now_ns()) / NS_PER_MS;
        if (open == 0 || left_ms <= 0 || poll(fds, (nfds_t)count, (int)left_ms) <= 0)
            return;
        for (int i = 0; i < count; i++) {
            socklen_t length = sizeof queue->error[i];
            if (fds[i].fd < 0 || fds[i].revents == 0)
                continue;
            getsockopt(fds[i].fd, SOL_SOCKET, SO_ERROR, &queue->error[i], &length);
            if (queue->error[i] == 0) {
                queue->connected_ms[i] = clock_nearest_ms(clock_now_ns() - began_ns[i]);
                TRACE(me, send(fds[i].fd, "hello", 5, MSG_NOSIGNAL), "%d, \"hello\", 5, MSG_NOSIGNAL",
                      fds[i].fd);
            }
            fds[i].fd = -1; /* poll takes no notice of it any more; it stays connected */
        }
    }
}

static int connected_count(const struct queue *queue, int count)
{
    int connected = 0;
    for (int i = 0; i < count; i++)
        connected += queue->connected_ms[i] >= 0;
    return connected;
}

static void clients(struct lab *lab, struct timeline *me)
{
    struct queue *queue = lab_shared(lab);
    int count = (int)lab_value(lab, CLIENTS), sockets[CLIENTS_MAX];
    struct pollfd fds[CLIENTS_MAX];
    int64_t began_ns[CLIENTS_MAX] = {0};
    for (int i = 0; i < count; i++) {
        sockets[i] = socket(queue->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        began_ns[i] = clock_now_ns();
        int result = TRACE(me, connect(sockets[i], &queue->address.any, address_length(lab)), "%d, server",
                           sockets[i]);
        queue->error[i] = result < 0 && errno != EINPROGRESS ? errno : 0;
        queue->connected_ms[i] = -1;
        fds[i] = (struct pollfd){.fd = queue->error[i] == 0 ? sockets[i] : -1, .events = POLLOUT};
    }
    await_connections(me, queue, fds, began_ns, count, SETTLE_MS);
    for (int i = 0; i < count; i++) {
        note_state(lab, queue, i, sockets[i]);
        queue->at_once[i] = queue->connected_ms[i] >= 0;
    }
    atomic_store(&queue->connected, count);
    lab_gate_open(lab, HAVE_TRIED);
    await_connections(me, queue, fds, began_ns, count, CONNECT_MS);
    atomic_store(&queue->connected, connected_count(queue, count));
    lab_gate_open(lab, HAVE_CONNECTED);
    lab_gate_wait(lab, IS_OVER); /* or its end would close what is not accepted yet */
}

/* ---- what the page sees ---- */

static void show_queue(struct lab *lab)
{
    struct queue *queue = lab_shared(lab);
    for (; queue->shown < (int)atomic_load(&queue->sample_count); queue->shown++) {
        struct lab_panel panel;
        struct json_writer *writer = lab_panel_begin(&panel, lab, "gauge");
        panel.at_ns = queue->samples[queue->shown].at_ns;
        json_write_null(writer, "used_bytes");
        json_write_null(writer, "capacity_bytes");
        json_write_integer(writer, "used_slots", queue->samples[queue->shown].waiting);
        json_write_integer(writer, "slots", lab_value(lab, BACKLOG) + 1);
        lab_panel_end(&panel);
    }
}

static void show_states(struct lab *lab, const struct queue *queue)
{
    struct lab_panel panel;
    char text[32];
    struct json_writer *writer = lab_panel_begin(&panel, lab, "matrix");
    json_begin_array(writer, "rows");
    for (int i = 0; i < lab_value(lab, CLIENTS); i++) {
        snprintf(text, sizeof text, "client %d", i + 1);
        json_write_string(writer, NULL, text);
    }
    json_end_array(writer);
    json_begin_array(writer, "columns");
    json_write_string(writer, NULL, "after connect");
    json_write_string(writer, NULL, "connected after");
    json_end_array(writer);
    json_begin_array(writer, "cells");
    for (int i = 0; i < lab_value(lab, CLIENTS); i++) {
        bool is_connected = queue->connected_ms[i] >= 0;
        snprintf(text, sizeof text, "%lld ms", (long long)queue->connected_ms[i]);
        json_begin_array(writer, NULL);
        lab_write_cell(writer, queue->state[i], queue->error[i] != 0 ? 0 : -1);
        lab_write_cell(writer, is_connected ? text : "never", is_connected);
        json_end_array(writer);
    }
    json_end_array(writer);
    lab_panel_end(&panel);
}

static const char *outcome_of(const struct queue *queue, int client)
{
    if (queue->error[client] == EAGAIN)
        return "try_again";
    if (queue->error[client] != 0)
        return "refused";
    if (queue->connected_ms[client] < 0)
        return "never";
    return queue->at_once[client] ? "at_once" : "later";
}

static void conclude(struct lab *lab, const struct queue *queue)
{
    struct json_writer *evidence = lab_evidence(lab);
    int count = (int)lab_value(lab, CLIENTS), third = (count < THIRD ? count : THIRD) - 1;
    int tally[4] = {0};
    for (int i = 0; i < count; i++) {
        const char *outcome = outcome_of(queue, i);
        tally[strcmp(outcome, "at_once") == 0 ? 0
              : strcmp(outcome, "later") == 0 ? 1
              : queue->error[i] != 0          ? 2
                                              : 3]++;
    }
    show_states(lab, queue);
    json_write_integer(evidence, "backlog", lab_value(lab, BACKLOG));
    json_write_integer(evidence, "connected_at_once", tally[0]);
    json_write_integer(evidence, "connected_later", tally[1]);
    json_write_integer(evidence, "told_off", tally[2]);
    json_write_integer(evidence, "never_connected", tally[3]);
    json_write_integer(evidence, "accepted", queue->accepted);
    if (lab_value(lab, FAMILY) == INET)
        json_write_integer(evidence, "queue_longest", queue->longest);
    json_write_string(evidence, "third_state", queue->state[third]);
    json_write_integer(evidence, "third_connected_ms", queue->connected_ms[third]);
    lab_outcome_word(lab, outcome_of(queue, third));
    lab_explain(lab, outcome_of(queue, third));
}

static int run(struct lab *lab, struct err *err)
{
    lab_on_look(lab, show_queue);
    if (lab_start(lab, "server", server, err) < 0)
        return -err->code;
    if (lab_gate_await(lab, IS_LISTENING) && lab_start(lab, "clients", clients, err) < 0)
        return -err->code;
    if (lab_await(lab, LAB_ALL, 0))
        conclude(lab, lab_shared(lab));
    return 0;
}

const struct lab_definition backlog_lab = {
    .name = "backlog",
    .number = 13,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"tcp", "unix_stream", NULL},
    .panels = (const char *const[]){"lanes", "gauge", "matrix", NULL},
    .claims = (const int[]){64, 66, 67, 68, 0},
    .parameters = {[BACKLOG] = {.name = "backlog", .min = 0, .max = 16, .standard = 1},
                   [CLIENTS] = {.name = "clients", .min = 1, .max = CLIENTS_MAX, .standard = 6},
                   [DELAY_MS] = {.name = "delay_ms", .min = 0, .max = 3000, .standard = 500},
                   [FAMILY] = {.name = "family", .type = LAB_CHOICE, .choices = families}},
    .prediction = {.type = LAB_CHOICE,
                   .choices =
                       (const char *const[]){"at_once", "later", "refused", "try_again", "never", NULL}},
    .shared_bytes = sizeof(struct queue),
    .run = run,
};
