/* TCP: socket, bind, listen, accept, connect, send, recv (tcp(7)).
 *
 * The only mechanism here whose two ends may be on different hosts; a crew uses the loopback interface, where
 * every segment still goes through the whole protocol: headers, acknowledgements, timers, the receiver's
 * softirq. A stream of bytes without boundaries, as with a pipe, in two directions. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/stream_socket.h"
#include "workers/parse.h"

struct tcp {
    struct stream_socket connection; /* first: its send and receive take the state */
    int reservation;                 /* the leader's; -1 closed, 0 in a stranger's zeroed state */
};

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

/* A socket bound to the port on the loopback interface; port 0 takes a free one. */
static int bound_socket(uint16_t port, struct err *err)
{
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(err, errno, "socket");
    int yes = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0)
        return err_errno(err, errno, "set SO_REUSEPORT");
    struct sockaddr_in address = loopback(port);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return err_errno(err, errno, "bind port %u of the loopback interface", (unsigned)port);
    return take_fd(&fd);
}

static int tcp_open(void *state, struct channel *channel, struct err *err)
{
    struct tcp *tcp = state;
    tcp->connection.fd = tcp->reservation = -1;
    /* The worker that receives will listen, but both workers must know the port before. The leader binds a
     * free one and holds it without listening: nobody else is given it, connections cannot arrive at it, and
     * SO_REUSEPORT lets a process of the same user bind it too. */
    tcp->reservation = bound_socket(0, err);
    if (tcp->reservation < 0)
        return tcp->reservation;
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    if (getsockname(tcp->reservation, (struct sockaddr *)&address, &length) != 0)
        return err_errno(err, errno, "getsockname");
    snprintf(channel->address, sizeof channel->address, "%u", (unsigned)ntohs(address.sin_port));
    return 0;
}

static void close_reservation(struct tcp *tcp)
{
    if (tcp->reservation > 0)
        close(tcp->reservation);
    tcp->reservation = -1;
}

/* The kernel sizes TCP's buffers by itself while it runs (tcp_moderate_rcvbuf), better than a fixed size
 * would; only what the case asks for is set. */
static int serve(struct tcp *tcp, uint16_t port, const struct channel *channel, struct err *err)
{
    AUTO_CLOSE int listener = bound_socket(port, err);
    if (listener < 0)
        return listener;
    stream_socket_set_buffers(listener, channel->buffer_bytes);
    if (listen(listener, 1) != 0)
        return err_errno(err, errno, "listen at port %u", (unsigned)port);
    return stream_socket_accept(&tcp->connection, listener, channel, err);
}

static int call(struct tcp *tcp, uint16_t port, const struct channel *channel, struct err *err)
{
    tcp->connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (tcp->connection.fd < 0)
        return err_errno(err, errno, "socket");
    stream_socket_set_buffers(tcp->connection.fd, channel->buffer_bytes);
    struct sockaddr_in address = loopback(port);
    return stream_socket_connect(&tcp->connection, (const struct sockaddr *)&address, sizeof address, channel,
                                 err);
}

static int tcp_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct tcp *tcp = state;
    close_reservation(tcp); /* the copy a relative inherited */
    tcp->connection.fd = -1;
    int64_t port;
    if (parse_integer(channel->address, 10, 1, UINT16_MAX, &port, NULL) < 0)
        return err_set(err, EINVAL, "\"%s\" is no port", channel->address);
    int result = seat.side == SEAT_RECEIVER ? serve(tcp, (uint16_t)port, channel, err)
                                            : call(tcp, (uint16_t)port, channel, err);
    if (result < 0)
        return result;
    /* Nagle's algorithm holds a small segment back while an earlier one is not acknowledged, which the other
     * side delays in turn: 40 ms for an answer. A stream wants just that, small messages gathered into large
     * segments, until its last one: see tcp_flush. */
    int no_delay = channel->pattern == PATTERN_STREAM ? 0 : 1;
    if (setsockopt(tcp->connection.fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay) != 0)
        return err_errno(err, errno, "set TCP_NODELAY");
    return 0;
}

/* Turning Nagle's algorithm off sends at once what it was holding. */
static void tcp_flush(void *state)
{
    struct tcp *tcp = state;
    int no_delay = 1;
    setsockopt(tcp->connection.fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
    no_delay = 0;
    setsockopt(tcp->connection.fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
}

static void tcp_close(void *state, const struct channel *channel)
{
    (void)channel;
    close_reservation(state);
}

static int tcp_probe(struct err *err)
{
    AUTO_CLOSE int fd = bound_socket(0, err);
    return fd < 0 ? fd : 0;
}

const struct mechanism tcp_mechanism = {
    .name = "tcp",
    .title = "TCP",
    .family = "socket",
    .traits = TRAIT_NETWORK | TRAIT_DUPLEX | TRAIT_SYNCHRONISES,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct tcp),
    .probe = tcp_probe,
    .open = tcp_open,
    .attach = tcp_attach,
    .send = stream_socket_send,
    .receive = stream_socket_receive,
    .flush = tcp_flush,
    .detach = stream_socket_detach,
    .close = tcp_close,
};
