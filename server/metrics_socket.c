#include "server/metrics_socket.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"

enum { CONNECTIONS_MAX = 256, BACKLOG = 64, WORKER_UNKNOWN = -2 };

struct metrics_connection {
    struct metrics_socket *metrics;
    struct metrics_connection *next;
    struct loop_source source;
    void *owner; /* NULL until its hello */
    int worker;
    int next_part; /* 1 … while a long frame arrives, 0 otherwise */
    struct text parts;
};

struct metrics_socket {
    struct loop *loop;
    struct metrics_client client;
    struct loop_source listener;
    struct sockaddr_un address;
    struct metrics_connection *connections;
    size_t count;
    char datagram[FRAME_BYTES_MAX + 1]; /* one byte more shows what is too long */
    struct frame frame;                 /* large: a result holds a histogram */
};

/* ---- one connection ---- */

static void free_connection(struct metrics_connection *connection)
{
    struct metrics_socket *metrics = connection->metrics;
    for (struct metrics_connection **link = &metrics->connections; *link != NULL; link = &(*link)->next)
        if (*link == connection) {
            *link = connection->next;
            break;
        }
    loop_remove(metrics->loop, &connection->source);
    close(connection->source.fd);
    text_fini(&connection->parts);
    metrics->count--;
    free(connection);
}

static void close_connection(struct metrics_connection *connection)
{
    if (connection->owner != NULL)
        connection->metrics->client.closed(connection->owner, connection->worker);
    free_connection(connection);
}

static int take_hello(struct metrics_connection *connection, const struct frame *frame, struct err *err)
{
    struct metrics_client *client = &connection->metrics->client;
    if (frame->type != FRAME_HELLO)
        return err_set(err, EPROTO, "the first frame is \"%s\", not \"hello\"",
                       frame_type_names[frame->type]);
    connection->worker = frame->hello.worker;
    return client->hello(client->context, connection, &frame->hello, &connection->owner, err);
}

/* Joins parts in order. 1: the frame is whole now and in metrics->frame; 0: more to come; -errno. */
static int take_part(struct metrics_connection *connection, const struct frame_part *part, struct err *err)
{
    if (part->number != (connection->next_part > 0 ? connection->next_part : 1))
        return err_set(err, EPROTO, "part %d came where %d was expected", part->number,
                       connection->next_part);
    text_append_bytes(&connection->parts, text_string(&part->text), part->text.length);
    connection->next_part = part->number + 1;
    if (part->number < part->of)
        return 0;
    connection->next_part = 0;
    struct frame *frame = &connection->metrics->frame;
    int result = frame_decode(text_string(&connection->parts), connection->parts.length, frame, err);
    text_clear(&connection->parts);
    if (result == 0 && frame->type == FRAME_PART) {
        frame_fini(frame);
        return err_set(err, EPROTO, "a part within parts");
    }
    return result < 0 ? result : 1;
}

static int take_datagram(struct metrics_connection *connection, size_t length, struct err *err)
{
    struct metrics_socket *metrics = connection->metrics;
    if (length > FRAME_BYTES_MAX)
        return err_set(err, EMSGSIZE, "a frame of more than %d bytes", FRAME_BYTES_MAX);
    struct frame *frame = &metrics->frame;
    int result = frame_decode(metrics->datagram, length, frame, err);
    if (result < 0)
        return result;
    if (connection->owner == NULL) {
        result = take_hello(connection, frame, err);
        frame_fini(frame);
        return result;
    }
    if (frame->type == FRAME_PART) {
        struct frame_part part = frame->part; /* the whole frame is decoded into the same place */
        result = take_part(connection, &part, err);
        text_fini(&part.text);
        if (result <= 0)
            return result;
    }
    metrics->client.frame(connection->owner, connection->worker, frame);
    return 0;
}

/* Reads all that is there; closes the connection at its end or at a fault. */
static void read_connection(struct metrics_connection *connection)
{
    struct metrics_socket *metrics = connection->metrics;
    for (;;) {
        ssize_t got = recv(connection->source.fd, metrics->datagram, sizeof metrics->datagram, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0)
            break;
        struct err err;
        if (take_datagram(connection, (size_t)got, &err) == 0)
            continue;
        if (connection->owner != NULL)
            metrics->client.fault(connection->owner, connection->worker, err.text);
        else
            log_write(LOG_WARNING, "refused a connection to the metrics socket", "%s", err.text);
        break;
    }
    close_connection(connection);
}

static void connection_ready(struct loop_source *source, uint32_t events)
{
    (void)events;
    read_connection(
        (struct metrics_connection *)((char *)source - offsetof(struct metrics_connection, source)));
}

int metrics_connection_send(struct metrics_connection *connection, const struct frame *frame, struct err *err)
{
    return frame_send(connection->source.fd, frame, err);
}

/* ---- the listener ---- */

static int check_peer(int fd, struct err *err)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
        return err_errno(err, errno, "ask who connected");
    if (peer.uid != geteuid())
        return err_set(err, EACCES, "process %d of user %u connected", (int)peer.pid, (unsigned)peer.uid);
    return 0;
}

static int add_connection(struct metrics_socket *metrics, int accepted, struct err *err)
{
    AUTO_CLOSE int fd = accepted;
    int result = check_peer(fd, err);
    if (result < 0)
        return result;
    if (metrics->count == CONNECTIONS_MAX)
        return err_set(err, EMFILE, "more than %d connections", CONNECTIONS_MAX);
    struct metrics_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return err_set(err, ENOMEM, "out of memory for a connection");
    connection->metrics = metrics;
    connection->worker = WORKER_UNKNOWN;
    connection->source = (struct loop_source){.fd = fd, .ready = connection_ready};
    result = loop_add(metrics->loop, &connection->source, EPOLLIN, err);
    if (result < 0) {
        free(connection);
        return result;
    }
    connection->next = metrics->connections;
    metrics->connections = connection;
    metrics->count++;
    take_fd(&fd);
    return 0;
}

static void accept_all(struct metrics_socket *metrics)
{
    for (;;) {
        int fd = accept4(metrics->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return;
        struct err err;
        if (add_connection(metrics, fd, &err) < 0)
            log_write(LOG_WARNING, "refused a connection to the metrics socket", "%s", err.text);
    }
}

static void listener_ready(struct loop_source *source, uint32_t events)
{
    (void)events;
    accept_all((struct metrics_socket *)((char *)source - offsetof(struct metrics_socket, listener)));
}

void metrics_socket_drain(struct metrics_socket *metrics)
{
    accept_all(metrics);
    struct metrics_connection *next = NULL;
    for (struct metrics_connection *connection = metrics->connections; connection != NULL;
         connection = next) {
        next = connection->next; /* reading may close this one, never another */
        read_connection(connection);
    }
}

void metrics_socket_drop(struct metrics_socket *metrics, const void *owner)
{
    struct metrics_connection *next = NULL;
    for (struct metrics_connection *connection = metrics->connections; connection != NULL;
         connection = next) {
        next = connection->next;
        if (connection->owner == owner)
            free_connection(connection);
    }
}

const char *metrics_socket_path(const struct metrics_socket *metrics)
{
    return metrics->address.sun_path;
}

static int listen_at(struct metrics_socket *metrics, const char *run_directory, struct err *err)
{
    int length = snprintf(metrics->address.sun_path, sizeof metrics->address.sun_path, "%s/metrics.sock",
                          run_directory);
    if (length < 0 || (size_t)length >= sizeof metrics->address.sun_path)
        return err_set(err, ENAMETOOLONG, "%s is too long for a socket in it", run_directory);
    metrics->address.sun_family = AF_UNIX;
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_errno(err, errno, "create the metrics socket");
    mode_t mask = umask(0177); /* the name must never be open to others, not even before a chmod */
    int bound = bind(fd, (const struct sockaddr *)&metrics->address, sizeof metrics->address);
    int code = errno;
    umask(mask);
    if (bound < 0)
        return err_errno(err, code, "bind %s", metrics->address.sun_path);
    if (listen(fd, BACKLOG) < 0)
        return err_errno(err, errno, "listen on %s", metrics->address.sun_path);
    metrics->listener = (struct loop_source){.fd = fd, .ready = listener_ready};
    int added = loop_add(metrics->loop, &metrics->listener, EPOLLIN, err);
    if (added == 0)
        take_fd(&fd);
    return added;
}

int metrics_socket_open(struct loop *loop, const char *run_directory, const struct metrics_client *client,
                        struct metrics_socket **metrics, struct err *err)
{
    struct metrics_socket *made = calloc(1, sizeof *made);
    if (made == NULL)
        return err_set(err, ENOMEM, "out of memory for the metrics socket");
    made->loop = loop;
    made->client = *client;
    int result = listen_at(made, run_directory, err);
    if (result < 0) {
        free(made);
        return result;
    }
    *metrics = made;
    return 0;
}

void metrics_socket_close(struct metrics_socket *metrics)
{
    if (metrics == NULL)
        return;
    while (metrics->connections != NULL)
        free_connection(metrics->connections);
    loop_remove(metrics->loop, &metrics->listener);
    close(metrics->listener.fd);
    unlink(metrics->address.sun_path);
    free(metrics);
}
