/* UDP: socket(SOCK_DGRAM), bind, connect, send, recv (udp(7)).
 *
 * Messages to a port of a host, each in a packet of its own, with nothing promised: no connection, no
 * acknowledgement, no flow control. A packet that finds the receiver's buffer full is dropped, and nobody is
 * told; on the loopback interface that is the only way to lose one. A stream therefore counts what was lost,
 * and a receive that has waited in vain says so rather than wait for what may never come. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/datagrams.h"
#include "workers/mechanisms/loopback.h"
#include "workers/mechanisms/stream_socket.h"

enum {
    RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024,
    PACKET_BYTES_MAX = 65507, /* 65535 less the headers of IP and UDP */
};

struct udp {
    struct datagrams datagrams; /* first: its send and receive take the state */
    struct loopback ports;      /* the leader's reservations: the receivers', then a single sender's */
};

static int port_count(const struct channel *channel)
{
    return channel->senders == 1 && channel->receivers == 1 ? 2 : channel->receivers;
}

static int udp_open(void *state, struct channel *channel, struct err *err)
{
    struct udp *udp = state;
    udp->datagrams.may_lose = true;
    int result = presence_open(&udp->datagrams.presence, channel, err);
    return result < 0 ? result : loopback_reserve(&udp->ports, SOCK_DGRAM, port_count(channel), channel, err);
}

/* Own port 0 takes any, no other port takes packets from anybody. */
static int add_socket(struct udp *udp, uint16_t own, uint16_t other, const struct channel *channel,
                      struct err *err)
{
    AUTO_CLOSE int fd = loopback_bind(SOCK_DGRAM, own, err);
    if (fd < 0)
        return fd;
    int result = stream_socket_set_buffers(fd, channel->buffer_bytes, RECEIVE_BUFFER_BYTES, err);
    if (result < 0)
        return result;
    /* For UDP connect sends nothing: it sets the destination, lets in only what comes from there, and has the
     * refusal of a port where nobody is any more reported to us. */
    struct sockaddr_in address = loopback_address(other);
    if (other != 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return err_errno(err, errno, "connect to port %u", (unsigned)other);
    return datagrams_add(&udp->datagrams, take_fd(&fd), SO_RCVBUF, channel, err);
}

static int take_sockets(struct udp *udp, const uint16_t *ports, const struct channel *channel,
                        struct seat seat, struct err *err)
{
    bool sends = seat.side == SEAT_SENDER;
    if (port_count(channel) > channel->receivers)
        return add_socket(udp, ports[sends ? 1 : 0], ports[sends ? 0 : 1], channel, err);
    if (!sends)
        return add_socket(udp, ports[seat.index], 0, channel, err);
    int result = 0;
    for (int i = 0; i < channel->receivers && result == 0; i++)
        result = add_socket(udp, 0, ports[i], channel, err);
    return result;
}

static int udp_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct udp *udp = state;
    loopback_release(&udp->ports); /* the copies a relative inherited */
    datagrams_init(&udp->datagrams);
    udp->datagrams.may_lose = true;
    uint16_t ports[LOOPBACK_PORTS_MAX];
    int result = loopback_ports(channel, port_count(channel), ports, err);
    if (result == 0)
        result = take_sockets(udp, ports, channel, seat, err);
    return result < 0 ? result : presence_attach(&udp->datagrams.presence, channel, seat, err);
}

static void udp_close(void *state, const struct channel *channel)
{
    struct udp *udp = state;
    loopback_release(&udp->ports);
    presence_close(&udp->datagrams.presence, channel);
}

static int udp_probe(struct err *err)
{
    AUTO_CLOSE int fd = loopback_bind(SOCK_DGRAM, 0, err);
    return fd < 0 ? fd : 0;
}

const struct mechanism udp_mechanism = {
    .name = "udp",
    .title = "UDP",
    .family = "socket",
    .traits = TRAIT_NETWORK | TRAIT_DUPLEX | TRAIT_BOUNDARIES | TRAIT_SYNCHRONISES | TRAIT_MANY_SENDERS |
              TRAIT_MANY_RECEIVERS | TRAIT_MAY_LOSE,
    .waits = KERNEL_WAITS,
    .message_bytes_max = PACKET_BYTES_MAX,
    .state_bytes = sizeof(struct udp),
    .probe = udp_probe,
    .open = udp_open,
    .attach = udp_attach,
    .send = datagrams_send,
    .receive = datagrams_receive,
    .detach = datagrams_detach,
    .close = udp_close,
};
