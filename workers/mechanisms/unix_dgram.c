/* Unix datagrams: socket(SOCK_DGRAM), bind, connect, send, recv (unix(7)).
 *
 * Messages to a path: each stays whole, in order, and on Linux none is lost, because a sender waits while the
 * receiver's queue is full. That queue counts messages, net.unix.max_dgram_qlen of them, beside the bytes of
 * the sender's buffer. There is no connection and so no end: a receiver is not told that its senders are
 * gone. */
#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/datagrams.h"
#include "workers/mechanisms/unix_socket.h"

enum { BUFFER_BYTES = 1024 * 1024, LARGE_MESSAGES = 4, MEET_MS_MAX = 5000, RETRY_NS = 500000 };

static int unix_dgram_open(void *state, struct channel *channel, struct err *err)
{
    struct datagrams *datagrams = state;
    int result = presence_open(&datagrams->presence, channel, err);
    return result < 0 ? result : unix_socket_open(channel, "dgram", err);
}

static int64_t own_choice(const struct channel *channel)
{
    int64_t large = LARGE_MESSAGES * channel->message_bytes;
    return large > BUFFER_BYTES ? large : BUFFER_BYTES;
}

/* Until the other side has bound its path, nobody is there to connect to. */
static int find(int fd, const struct channel *channel, int number, struct err *err)
{
    struct sockaddr_un address;
    int result = unix_socket_address(channel, number, &address, err);
    int64_t deadline = clock_now_ns() + MEET_MS_MAX * NS_PER_MS;
    while (result == 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        if ((errno != ENOENT && errno != ECONNREFUSED && errno != EINTR) || clock_now_ns() > deadline)
            return err_errno(err, errno, "connect to %s", address.sun_path);
        nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
    }
    return result;
}

static int add_bound(struct datagrams *datagrams, const struct channel *channel, int number, int other,
                     struct err *err)
{
    AUTO_CLOSE int fd = unix_socket_bind(SOCK_DGRAM, channel, number, own_choice(channel), err);
    int result = fd < 0 ? fd : 0;
    if (result == 0 && other >= 0)
        result = find(fd, channel, other, err);
    return result < 0 ? result : datagrams_add(datagrams, take_fd(&fd), SO_SNDBUF, channel, err);
}

static int add_out(struct datagrams *datagrams, const struct channel *channel, int receiver, struct err *err)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(err, errno, "socket");
    int result = unix_socket_set_buffers(fd, SOCK_DGRAM, channel, own_choice(channel), err);
    if (result == 0)
        result = find(fd, channel, receiver, err);
    return result < 0 ? result : datagrams_add(datagrams, take_fd(&fd), SO_SNDBUF, channel, err);
}

/* Numbers of paths: 0 … are the receivers', the one after them is that of a single sender. */
static int take_sockets(struct datagrams *datagrams, const struct channel *channel, struct seat seat,
                        struct err *err)
{
    bool sends = seat.side == SEAT_SENDER;
    if (channel->senders == 1 && channel->receivers == 1)
        return add_bound(datagrams, channel, sends ? 1 : 0, sends ? 0 : 1, err);
    if (!sends)
        return add_bound(datagrams, channel, seat.index, -1, err);
    int result = 0;
    for (int i = 0; i < channel->receivers && result == 0; i++)
        result = add_out(datagrams, channel, i, err);
    return result;
}

static int unix_dgram_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct datagrams *datagrams = state;
    datagrams_init(datagrams);
    int result = take_sockets(datagrams, channel, seat, err);
    return result < 0 ? result : presence_attach(&datagrams->presence, channel, seat, err);
}

static void unix_dgram_close(void *state, const struct channel *channel)
{
    struct datagrams *datagrams = state;
    presence_close(&datagrams->presence, channel);
    unix_socket_close(channel);
}

static int unix_dgram_probe(struct err *err)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? err_errno(err, errno, "socket(AF_UNIX, SOCK_DGRAM)") : 0;
}

static int64_t unix_dgram_limit(void)
{
    static int64_t limit; /* it takes some milliseconds to find */
    if (limit == 0)
        limit = unix_socket_packet_limit(SOCK_DGRAM);
    return limit;
}

const struct mechanism unix_dgram_mechanism = {
    .name = "unix_dgram",
    .title = "Unix datagrams",
    .family = "socket",
    .traits =
        TRAIT_DUPLEX | TRAIT_BOUNDARIES | TRAIT_SYNCHRONISES | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .message_bytes_limit = unix_dgram_limit,
    .message_bytes_settings = "net.core.wmem_max",
    .state_bytes = sizeof(struct datagrams),
    .probe = unix_dgram_probe,
    .open = unix_dgram_open,
    .attach = unix_dgram_attach,
    .send = datagrams_send,
    .receive = datagrams_receive,
    .detach = datagrams_detach,
    .close = unix_dgram_close,
};
