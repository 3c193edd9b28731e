/* Unix sequenced packets: socket(SOCK_SEQPACKET), bind, listen, accept, connect, send, recv (unix(7)).
 *
 * A connection like a Unix stream's whose messages stay messages: what one send wrote, one recv returns,
 * whole and in order. So nobody has to count bytes or mark where a message ends; in return a message has to
 * fit the socket's send buffer, and a recv with too small a buffer loses the rest of it. */
#include <errno.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/unix_socket.h"

enum { BUFFER_BYTES = 1024 * 1024, LARGE_MESSAGES = 4 };

static int unix_seqpacket_open(void *state, struct channel *channel, struct err *err)
{
    stream_socket_init(state);
    return unix_socket_open(channel, "seqpacket", err);
}

/* Room for a few of the large ones, so that sender and receiver need not take turns. */
static int unix_seqpacket_attach(void *state, const struct channel *channel, struct seat seat,
                                 struct err *err)
{
    int64_t large = LARGE_MESSAGES * channel->message_bytes;
    return unix_socket_meet(state, SOCK_SEQPACKET, channel, seat, large > BUFFER_BYTES ? large : BUFFER_BYTES,
                            err);
}

static ssize_t unix_seqpacket_send(void *state, const void *message, size_t bytes)
{
    struct stream_socket *connections = state;
    int fd = stream_socket_next_out(connections);
    for (;;) {
        ssize_t sent = send(fd, message, bytes, MSG_NOSIGNAL);
        connections->endpoint.system_calls++;
        if (sent >= 0)
            return sent; /* a packet goes whole or not at all */
        if (!byte_stream_again(errno))
            return -errno;
    }
}

static ssize_t receive_packet(struct stream_socket *connections, int fd, void *message, size_t bytes)
{
    ssize_t got;
    do {
        got = recv(fd, message, bytes, 0);
        connections->endpoint.system_calls++;
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == ECONNRESET ? 0 : -errno;
    return got == 0 || got == (ssize_t)bytes ? got : -EPROTO;
}

static ssize_t unix_seqpacket_receive(void *state, void *message, size_t bytes)
{
    struct stream_socket *connections = state;
    if (__builtin_expect(connections->count > 1, 0))
        return stream_socket_receive_any(connections, message, bytes, receive_packet);
    for (;;) {
        ssize_t got = receive_packet(connections, connections->fd, message, bytes);
        if (__builtin_expect(got != -EAGAIN, 1))
            return got;
        cpu_pause();
    }
}

static void unix_seqpacket_close(void *state, const struct channel *channel)
{
    (void)state;
    unix_socket_close(channel);
}

static int unix_seqpacket_probe(struct err *err)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return fd < 0 ? err_errno(err, errno, "socket(AF_UNIX, SOCK_SEQPACKET)") : 0;
}

static int64_t unix_seqpacket_limit(void)
{
    static int64_t limit; /* it takes some milliseconds to find */
    if (limit == 0)
        limit = unix_socket_packet_limit(SOCK_SEQPACKET);
    return limit;
}

const struct mechanism unix_seqpacket_mechanism = {
    .name = "unix_seqpacket",
    .title = "Unix sequenced packets",
    .family = "socket",
    .traits =
        TRAIT_DUPLEX | TRAIT_BOUNDARIES | TRAIT_SYNCHRONISES | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .message_bytes_limit = unix_seqpacket_limit,
    .message_bytes_settings = "net.core.wmem_max",
    .state_bytes = sizeof(struct stream_socket),
    .probe = unix_seqpacket_probe,
    .open = unix_seqpacket_open,
    .attach = unix_seqpacket_attach,
    .send = unix_seqpacket_send,
    .receive = unix_seqpacket_receive,
    .detach = stream_socket_detach,
    .close = unix_seqpacket_close,
};
