/* TCP: socket, bind, listen, accept, connect, send, recv (tcp(7)).
 *
 * The only mechanism here whose two ends may be on different hosts; a crew uses the loopback interface, where
 * every segment still goes through the whole protocol: headers, acknowledgements, timers, the receiver's
 * softirq. A stream of bytes without boundaries, as with a pipe, in two directions. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/loopback.h"
#include "workers/mechanisms/stream_socket.h"

struct tcp {
    struct stream_socket connections; /* first: its send and receive take the state */
    struct loopback ports;            /* the leader's reservations */
    bool gathers;                     /* small messages into common segments */
};

static int tcp_open(void *state, struct channel *channel, struct err *err)
{
    struct tcp *tcp = state;
    stream_socket_init(&tcp->connections);
    return loopback_reserve(&tcp->ports, SOCK_STREAM, channel->receivers, channel, err);
}

/* The kernel sizes TCP's buffers by itself while it runs (tcp_moderate_rcvbuf), better than a fixed size
 * would; only what the case asks for is set. */
static int serve(struct tcp *tcp, uint16_t port, const struct channel *channel, struct err *err)
{
    AUTO_CLOSE int listener = loopback_bind(SOCK_STREAM, port, err);
    if (listener < 0)
        return listener;
    int result = stream_socket_set_buffers(listener, channel->buffer_bytes, 0, err);
    if (result < 0)
        return result;
    if (listen(listener, channel->senders) != 0)
        return err_errno(err, errno, "listen at port %u", (unsigned)port);
    return stream_socket_accept(&tcp->connections, listener, channel, err);
}

static int call(struct tcp *tcp, uint16_t port, const struct channel *channel, struct err *err)
{
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(err, errno, "socket");
    int result = stream_socket_set_buffers(fd, channel->buffer_bytes, 0, err);
    if (result < 0)
        return result;
    struct sockaddr_in address = loopback_address(port);
    return stream_socket_connect(&tcp->connections, take_fd(&fd), (const struct sockaddr *)&address,
                                 sizeof address, channel, err);
}

static int meet(struct tcp *tcp, const uint16_t *ports, const struct channel *channel, struct seat seat,
                struct err *err)
{
    if (seat.side == SEAT_RECEIVER)
        return serve(tcp, ports[seat.index], channel, err);
    int result = 0;
    for (int i = 0; i < channel->receivers && result == 0; i++)
        result = call(tcp, ports[i], channel, err);
    return result;
}

static int set_no_delay(const struct tcp *tcp, int value)
{
    for (int i = 0; i < tcp->connections.count; i++)
        if (setsockopt(tcp->connections.fds[i], IPPROTO_TCP, TCP_NODELAY, &value, sizeof value) != 0)
            return -errno;
    return 0;
}

/* What the path takes in one piece: 65483 on the loopback interface, an MTU of 65536 less the headers. */
static int segment_bytes(const struct tcp *tcp)
{
    int bytes = 0;
    socklen_t length = sizeof bytes;
    getsockopt(tcp->connections.fd, IPPROTO_TCP, TCP_MAXSEG, &bytes, &length);
    return bytes;
}

static int tcp_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct tcp *tcp = state;
    loopback_release(&tcp->ports); /* the copies a relative inherited */
    stream_socket_init(&tcp->connections);
    uint16_t ports[CREW_SIDE_MAX];
    int result = loopback_ports(channel, channel->receivers, ports, err);
    if (result == 0)
        result = meet(tcp, ports, channel, seat, err);
    if (result < 0)
        return result;
    /* Nagle's algorithm holds a small segment back while an earlier small one is not acknowledged, which the
     * other side delays in turn: 40 ms for an answer. A stream of small messages gains by it, since many of
     * them then share a segment. One of messages above a segment does not: the end of each would wait for the
     * acknowledgement of the end before it. (TCP_CORK, which would join one message's end to the next one's
     * beginning, holds such an end for 200 ms when the sender sleeps meanwhile; with several connections,
     * each waiting for the rest that another holds, that is most of the time.) */
    tcp->gathers = channel->pattern == PATTERN_STREAM && channel->message_bytes < segment_bytes(tcp);
    result = tcp->gathers ? 0 : set_no_delay(tcp, 1);
    return result < 0 ? err_errno(err, -result, "set TCP_NODELAY") : 0;
}

/* Sends at once what Nagle's algorithm was holding. */
static void tcp_flush(void *state)
{
    const struct tcp *tcp = state;
    if (!tcp->gathers)
        return;
    set_no_delay(tcp, 1);
    set_no_delay(tcp, 0);
}

static void tcp_close(void *state, const struct channel *channel)
{
    struct tcp *tcp = state;
    (void)channel;
    loopback_release(&tcp->ports);
}

static int tcp_probe(struct err *err)
{
    AUTO_CLOSE int fd = loopback_bind(SOCK_STREAM, 0, err);
    return fd < 0 ? fd : 0;
}

const struct mechanism tcp_mechanism = {
    .name = "tcp",
    .title = "TCP",
    .family = "socket",
    .traits = TRAIT_NETWORK | TRAIT_DUPLEX | TRAIT_SYNCHRONISES | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS,
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
