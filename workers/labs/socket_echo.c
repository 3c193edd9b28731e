/* Lab 12. A client writes to a socket twice. Does the server read the same two pieces?
 *
 * The course's own example: a client sends to an echo server and reads what comes back. It sends its bytes in
 * several writes; the server looks when all have arrived. A stream is a queue of bytes: where one write ended
 * is not in it. A datagram is a message: a read takes exactly one, and what of it does not fit is gone.
 * socket(2), unix(7), tcp(7), udp(7). */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "workers/labs/lab.h"

enum { FAMILY, TYPE, BYTES, WRITES, BUFFER_BYTES, ECHO };
enum { INET, UNIX };
enum { STREAM, DGRAM };
enum { ALL_READ, BY_STRLEN };
static const char *const families[] = {[INET] = "inet", [UNIX] = "unix", NULL};
static const char *const types[] = {[STREAM] = "stream", [DGRAM] = "dgram", NULL};
static const char *const echoes[] = {[ALL_READ] = "what_was_read", [BY_STRLEN] = "strlen", NULL};
enum { BYTES_MAX = 65536, WRITES_MAX = 16, PIECES_MAX = 64, ARRIVAL_MS = 3000, QUIET_MS = 250 };
enum { IS_LISTENING, IS_SENT, IS_ANSWERED }; /* gates */

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
};

struct echo {
    union address server, client;
    int writes, reads, echoes;
    int64_t sent[PIECES_MAX], read[PIECES_MAX], echoed[PIECES_MAX]; /* bytes of each */
    int send_error;
};

static socklen_t address_length(const struct lab *lab)
{
    return lab_value(lab, FAMILY) == UNIX ? sizeof(struct sockaddr_un) : sizeof(struct sockaddr_in);
}

static int make_socket(const struct lab *lab, struct timeline *me)
{
    bool is_unix = lab_value(lab, FAMILY) == UNIX, is_stream = lab_value(lab, TYPE) == STREAM;
    int domain = is_unix ? AF_UNIX : AF_INET, type = is_stream ? SOCK_STREAM : SOCK_DGRAM;
    return TRACE(me, socket(domain, type, 0), "%s, %s, 0", is_unix ? "AF_UNIX" : "AF_INET",
                 is_stream ? "SOCK_STREAM" : "SOCK_DGRAM");
}

/* The kernel picks the port; a path lies in the lab's directory. */
static void name_socket(struct lab *lab, struct timeline *me, int fd, union address *own, const char *name)
{
    socklen_t length = address_length(lab);
    if (lab_value(lab, FAMILY) == UNIX) {
        own->un.sun_family = AF_UNIX;
        snprintf(own->un.sun_path, sizeof own->un.sun_path, "%.80s/%s", lab_directory(lab), name);
        TRACE(me, bind(fd, &own->any, length), "%d, \"%s\"", fd, name);
        return;
    }
    own->in.sin_family = AF_INET;
    own->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TRACE(me, bind(fd, &own->any, length), "%d, 127.0.0.1:0", fd);
    getsockname(fd, &own->any, &length);
}

/* ---- the server ---- */

/* Looks when all has arrived, so that what a read returns is not a matter of when it was made. */
static void await_arrival(const struct lab *lab, int fd)
{
    int bytes = 0;
    for (int ms = 0; ms < ARRIVAL_MS && lab_value(lab, TYPE) == STREAM; ms++) {
        ioctl(fd, FIONREAD, &bytes);
        if (bytes >= lab_value(lab, BYTES))
            return;
        lab_sleep_ms(1);
    }
}

static void answer(struct lab *lab, struct timeline *me, int fd, const char *text, ssize_t length)
{
    const struct echo *echo = lab_shared(lab);
    size_t bytes = lab_value(lab, ECHO) == BY_STRLEN ? strlen(text) : (size_t)length;
    if (lab_value(lab, TYPE) == STREAM)
        TRACE(me, send(fd, text, bytes, MSG_NOSIGNAL), "%d, …, %zu, 0", fd, bytes);
    else
        TRACE(me, sendto(fd, text, bytes, 0, &echo->client.any, address_length(lab)), "%d, …, %zu, 0, client",
              fd, bytes);
}

static void serve(struct lab *lab, struct timeline *me, int fd)
{
    static char text[BYTES_MAX + 1];
    struct echo *echo = lab_shared(lab);
    size_t room = (size_t)lab_value(lab, BUFFER_BYTES);
    struct timeval quiet = {.tv_usec = QUIET_MS * 1000}; /* a datagram socket has no end of stream */
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof quiet);
    while (echo->reads < PIECES_MAX) {
        ssize_t got = TRACE(me, read(fd, text, room), "%d, …, %zu", fd, room);
        if (got <= 0)
            break;
        text[got] = '\0';
        echo->read[echo->reads++] = got;
        answer(lab, me, fd, text, got);
    }
    lab_gate_open(lab, IS_ANSWERED);
}

static void server(struct lab *lab, struct timeline *me)
{
    struct echo *echo = lab_shared(lab);
    int fd = make_socket(lab, me);
    name_socket(lab, me, fd, &echo->server, "server");
    if (lab_value(lab, TYPE) == STREAM)
        TRACE(me, listen(fd, 1), "%d, 1", fd);
    lab_gate_open(lab, IS_LISTENING);
    if (lab_value(lab, TYPE) == STREAM)
        fd = TRACE(me, accept(fd, NULL, NULL), "%d, NULL, NULL", fd);
    lab_gate_wait(lab, IS_SENT);
    await_arrival(lab, fd);
    serve(lab, me, fd);
}

/* ---- the client ---- */

static void send_all(struct lab *lab, struct timeline *me, int fd)
{
    static char text[BYTES_MAX];
    struct echo *echo = lab_shared(lab);
    int64_t bytes = lab_value(lab, BYTES), writes = lab_value(lab, WRITES);
    for (int64_t i = 0; i < bytes; i++)
        text[i] = (char)('a' + i % 26);
    if (lab_value(lab, ECHO) == BY_STRLEN)
        text[bytes / 2] = '\0'; /* a byte like any other, but not to strlen */
    for (int64_t i = 0; i < writes; i++) {
        int64_t from = bytes * i / writes, length = bytes * (i + 1) / writes - from;
        ssize_t sent =
            TRACE(me, write(fd, text + from, (size_t)length), "%d, …, %lld", fd, (long long)length);
        if (sent < 0) {
            echo->send_error = errno;
            return;
        }
        echo->sent[echo->writes++] = sent;
    }
}

static void client(struct lab *lab, struct timeline *me)
{
    static char text[BYTES_MAX];
    struct echo *echo = lab_shared(lab);
    struct timeval quiet = {.tv_usec = QUIET_MS * 1000};
    int fd = make_socket(lab, me);
    if (lab_value(lab, TYPE) == DGRAM)
        name_socket(lab, me, fd, &echo->client, "client"); /* or the server could not answer */
    TRACE(me, connect(fd, &echo->server.any, address_length(lab)), "%d, server", fd);
    send_all(lab, me, fd);
    if (lab_value(lab, TYPE) == STREAM)
        TRACE(me, shutdown(fd, SHUT_WR), "%d, SHUT_WR", fd);
    lab_gate_open(lab, IS_SENT);
    lab_gate_wait(lab, IS_ANSWERED);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof quiet);
    while (echo->echoes < PIECES_MAX) {
        ssize_t got = TRACE(me, read(fd, text, sizeof text), "%d, …, %zu", fd, sizeof text);
        if (got <= 0)
            return;
        echo->echoed[echo->echoes++] = got;
    }
}

/* ---- the conclusion ---- */

static int64_t sum(const int64_t *pieces, int count)
{
    int64_t all = 0;
    for (int i = 0; i < count; i++)
        all += pieces[i];
    return all;
}

static void show_strip(struct lab *lab, const char *name, const char *verb, const int64_t *pieces, int count)
{
    const struct echo *echo = lab_shared(lab);
    struct lab_panel panel;
    char label[24];
    struct json_writer *writer = lab_panel_begin(&panel, lab, "strip");
    json_write_string(writer, "name", name);
    json_write_string(writer, "marked", "regrouped");
    json_begin_array(writer, "segments");
    for (int i = 0; i < count; i++) {
        snprintf(label, sizeof label, "%s %d", verb, i + 1);
        json_begin_object(writer, NULL);
        json_write_string(writer, "label", label);
        json_write_integer(writer, "bytes", pieces[i]);
        json_write_boolean(writer, "torn", i >= echo->writes || pieces[i] != echo->sent[i]);
        json_end_object(writer);
    }
    json_end_array(writer);
    lab_panel_end(&panel);
}

static const char *explanation_for(const struct lab *lab, const struct echo *echo)
{
    if (echo->send_error != 0)
        return "too_long";
    int64_t received = sum(echo->read, echo->reads);
    if (lab_value(lab, ECHO) == BY_STRLEN && sum(echo->echoed, echo->echoes) < received)
        return "strlen";
    if (lab_value(lab, TYPE) == DGRAM)
        return received < sum(echo->sent, echo->writes) ? "cut" : "messages";
    return echo->reads < echo->writes ? "joined" : echo->reads > echo->writes ? "split" : "as_sent";
}

static void conclude(struct lab *lab, const struct echo *echo)
{
    struct json_writer *evidence = lab_evidence(lab);
    show_strip(lab, "sent", "write", echo->sent, echo->writes);
    show_strip(lab, "received by the server", "read", echo->read, echo->reads);
    show_strip(lab, "echoed to the client", "read", echo->echoed, echo->echoes);
    json_write_integer(evidence, "writes", echo->writes);
    json_write_integer(evidence, "sent_bytes", sum(echo->sent, echo->writes));
    json_write_integer(evidence, "reads", echo->reads);
    json_write_integer(evidence, "received_bytes", sum(echo->read, echo->reads));
    json_write_integer(evidence, "first_read_bytes", echo->read[0]);
    json_write_integer(evidence, "lost_bytes", sum(echo->sent, echo->writes) - sum(echo->read, echo->reads));
    json_write_integer(evidence, "echoed_bytes", sum(echo->echoed, echo->echoes));
    json_write_string(evidence, "send_errno",
                      echo->send_error != 0 ? strerrorname_np(echo->send_error) : NULL);
    lab_outcome_integer(lab, echo->reads);
    lab_explain(lab, explanation_for(lab, echo));
}

static int run(struct lab *lab, struct err *err)
{
    if (lab_start(lab, "server", server, err) < 0)
        return -err->code;
    if (lab_gate_await(lab, IS_LISTENING) && lab_start(lab, "client", client, err) < 0)
        return -err->code;
    if (lab_await(lab, LAB_ALL, 0))
        conclude(lab, lab_shared(lab));
    return 0;
}

const struct lab_definition socket_echo_lab = {
    .name = "socket_echo",
    .number = 12,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"tcp", "udp", "unix_stream", "unix_dgram", NULL},
    .panels = (const char *const[]){"lanes", "strip", NULL},
    .claims = (const int[]){58, 61, 62, 63, 65, 70, 0},
    .parameters = {[FAMILY] = {.name = "family", .type = LAB_CHOICE, .choices = families},
                   [TYPE] = {.name = "type", .type = LAB_CHOICE, .choices = types},
                   [BYTES] = {.name = "bytes", .min = 1, .max = BYTES_MAX, .standard = 6},
                   [WRITES] = {.name = "writes", .min = 1, .max = WRITES_MAX, .standard = 2},
                   [BUFFER_BYTES] = {.name = "buffer_bytes", .min = 1, .max = BYTES_MAX, .standard = 1024},
                   [ECHO] = {.name = "echo", .type = LAB_CHOICE, .choices = echoes}},
    /* No write is empty, and so many reads are enough. */
    .bounds = {{WRITES, BYTES, LAB_BOUND_TIMES, .limit = 1},
               {BUFFER_BYTES, BYTES, LAB_BOUND_SHARE, .limit = PIECES_MAX}},
    .prediction = {.type = LAB_INTEGER, .min = 0, .max = PIECES_MAX},
    .shared_bytes = sizeof(struct echo),
    .run = run,
};
