#include "workers/mechanisms/datagrams.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workers/mechanisms/byte_stream.h"

void datagrams_init(struct datagrams *datagrams)
{
    datagrams->endpoint = (struct endpoint){.buffer_bytes = 0};
    datagrams->count = datagrams->turn = 0;
}

int datagrams_add(struct datagrams *datagrams, int fd, int option, const struct channel *channel,
                  struct err *err)
{
    datagrams->fds[datagrams->count++] = fd;
    int granted = 0;
    socklen_t length = sizeof granted;
    getsockopt(fd, SOL_SOCKET, option, &granted, &length);
    datagrams->endpoint.buffer_bytes = granted;
    if (channel->wait == WAIT_POLL && fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        return err_errno(err, errno, "set the wait of a socket");
    return 0;
}

/* The host answers for a receiver that has gone, or its path is nobody's any more. */
static bool is_nobody(int error)
{
    return error == ECONNREFUSED || error == ECONNRESET || error == ENOTCONN || error == EPIPE;
}

ssize_t datagrams_send(void *state, const void *message, size_t bytes)
{
    struct datagrams *datagrams = state;
    int fd = datagrams->fds[datagrams->turn];
    if (__builtin_expect(datagrams->count > 1, 0))
        datagrams->turn = datagrams->turn + 1 == datagrams->count ? 0 : datagrams->turn + 1;
    for (;;) {
        ssize_t sent = send(fd, message, bytes, MSG_NOSIGNAL);
        datagrams->endpoint.system_calls++;
        if (__builtin_expect(sent >= 0, 1))
            return sent; /* a datagram goes whole or not at all */
        if (is_nobody(errno))
            return -EPIPE;
        if (errno != ENOBUFS && !byte_stream_again(errno))
            return -errno;
        if (presence_is_lost(&datagrams->presence))
            return -EPIPE;
    }
}

/* Nothing is there: how that is to be answered, and 1 for "try again". */
static ssize_t consider(struct datagrams *datagrams, sig_atomic_t began)
{
    if (presence_is_lost(&datagrams->presence))
        return 0;
    bool long_enough = (unsigned)ticker_ticks - (unsigned)began > 2;
    return datagrams->may_lose && long_enough ? -ETIMEDOUT : 1;
}

ssize_t datagrams_receive(void *state, void *message, size_t bytes)
{
    struct datagrams *datagrams = state;
    sig_atomic_t began = ticker_ticks;
    ssize_t verdict = 1;
    for (;;) {
        /* The last try, once the verdict is clear, takes what came just before it. */
        ssize_t got = recv(datagrams->fds[0], message, bytes, verdict == 1 ? 0 : MSG_DONTWAIT);
        datagrams->endpoint.system_calls++;
        if (__builtin_expect(got == (ssize_t)bytes, 1))
            return got;
        if (got >= 0)
            return -EPROTO;
        /* An error that belongs to something we sent; receiving goes on. */
        if (is_nobody(errno))
            continue;
        if (errno == EINTR && verdict != 1)
            continue;
        if (verdict != 1)
            return errno == EAGAIN ? verdict : -errno;
        if (!byte_stream_again(errno))
            return -errno;
        verdict = consider(datagrams, began);
    }
}

void datagrams_detach(void *state)
{
    struct datagrams *datagrams = state;
    for (int i = 0; i < datagrams->count; i++)
        close(datagrams->fds[i]);
    datagrams->count = 0;
    presence_detach(&datagrams->presence);
}
