/* POSIX message queue: mq_open, mq_send, mq_receive, mq_unlink (mq_overview(7)).
 *
 * A queue of whole messages in the kernel, found by a name that begins with a slash. It holds so many
 * messages of at most so many bytes, both fixed when it is made and both bounded for an ordinary user by
 * fs.mqueue.msg_max and msgsize_max, of which every IPC namespace has its own; each has a priority, and the
 * highest comes out first, the oldest among equals. Senders of a full queue and receivers of an empty one
 * sleep. The queue and its messages outlive everybody until it is unlinked. On Linux a queue's descriptor is
 * a file descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/presence.h"
#include "workers/mechanisms/setting.h"
#include "workers/names.h"

enum { MESSAGES_DEFAULT = 10, MESSAGE_BYTES_DEFAULT = 8192 };

struct mq_posix {
    struct endpoint endpoint;
    struct presence presence;
    mqd_t queue; /* 0: none, in a stranger's zeroed state */
};

static int64_t messages_max(void)
{
    return setting_read("/proc/sys/fs/mqueue/msg_max", MESSAGES_DEFAULT);
}

static int64_t mq_posix_limit(void)
{
    return setting_read("/proc/sys/fs/mqueue/msgsize_max", MESSAGE_BYTES_DEFAULT);
}

/* What the channel asks for, in messages. */
static int capacity_for(const struct channel *channel, long *messages, struct err *err)
{
    int64_t most = messages_max();
    int64_t wanted = (channel->buffer_bytes + channel->message_bytes - 1) / channel->message_bytes;
    if (wanted > most)
        return err_set(err, ENOBUFS,
                       "a queue of %lld messages was asked for and %lld are granted: raise fs.mqueue.msg_max",
                       (long long)wanted, (long long)most);
    *messages = (long)(wanted > 0 ? wanted : most);
    return 0;
}

/* Waiting belongs to the open queue description, which relatives share: all of them wait in the same way. */
static int flags_for(const struct channel *channel)
{
    return O_RDWR | O_CLOEXEC | (channel->wait == WAIT_POLL ? O_NONBLOCK : 0);
}

/* The kernel reserves room for all of it now, counted against the user's RLIMIT_MSGQUEUE (EMFILE). When
 * nobody asked for the room by number, less will do. */
static mqd_t make_queue(const char *name, const struct channel *channel, struct mq_attr *attributes)
{
    for (;;) {
        mqd_t queue = mq_open(name, flags_for(channel) | O_CREAT | O_EXCL, 0600, attributes);
        if (queue >= 0 || errno != EMFILE || channel->buffer_bytes > 0 || attributes->mq_maxmsg == 1)
            return queue;
        attributes->mq_maxmsg /= 2;
    }
}

static int mq_posix_open(void *state, struct channel *channel, struct err *err)
{
    struct mq_posix *mq = state;
    mq->queue = -1;
    struct mq_attr attributes = {.mq_msgsize = (long)channel->message_bytes};
    int result = capacity_for(channel, &attributes.mq_maxmsg, err);
    if (result == 0)
        result = presence_open(&mq->presence, channel, err);
    char name[CHANNEL_ADDRESS_BYTES];
    if (result == 0)
        result = names_random(name, sizeof name, err);
    if (result == 0)
        result = names_record(channel->directory, "mq_posix", err, "%s", name);
    if (result < 0)
        return result;
    mq->queue = make_queue(name, channel, &attributes);
    if (mq->queue < 0)
        return err_errno(err, errno,
                         "mq_open of %ld messages of %ld bytes (see fs.mqueue.queues_max and ulimit -q)",
                         attributes.mq_maxmsg, attributes.mq_msgsize);
    snprintf(channel->address, sizeof channel->address, "%s", name);
    return 0;
}

static int mq_posix_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct mq_posix *mq = state;
    if (mq->queue == 0) {
        /* A stranger opens the name; a relative inherited the descriptor. */
        mq->queue = mq_open(channel->address, flags_for(channel));
        if (mq->queue < 0)
            return err_errno(err, errno, "mq_open %s", channel->address);
    }
    struct mq_attr attributes;
    if (mq_getattr(mq->queue, &attributes) != 0)
        return err_errno(err, errno, "mq_getattr");
    mq->endpoint = (struct endpoint){.buffer_bytes = (int64_t)attributes.mq_maxmsg * attributes.mq_msgsize};
    return presence_attach(&mq->presence, channel, seat, err);
}

static ssize_t mq_posix_send(void *state, const void *message, size_t bytes)
{
    struct mq_posix *mq = state;
    for (;;) {
        int result = mq_send(mq->queue, message, bytes, 0);
        mq->endpoint.system_calls++;
        if (__builtin_expect(result == 0, 1))
            return (ssize_t)bytes;
        if (!byte_stream_again(errno))
            return -errno;
        if (presence_is_lost(&mq->presence))
            return -EPIPE;
    }
}

/* The senders are gone; what they left is still in the queue. A deadline that has passed does not wait. */
static ssize_t receive_rest(struct mq_posix *mq, void *message, size_t bytes)
{
    const struct timespec past = {.tv_sec = 0};
    ssize_t got;
    do {
        got = mq_timedreceive(mq->queue, message, bytes, NULL, &past);
        mq->endpoint.system_calls++;
    } while (got < 0 && errno == EINTR);
    if (got >= 0)
        return got;
    return errno == ETIMEDOUT || errno == EAGAIN ? 0 : -errno;
}

static ssize_t mq_posix_receive(void *state, void *message, size_t bytes)
{
    struct mq_posix *mq = state;
    for (;;) {
        ssize_t got = mq_receive(mq->queue, message, bytes, NULL);
        mq->endpoint.system_calls++;
        if (__builtin_expect(got >= 0, 1))
            return got == (ssize_t)bytes ? got : -EPROTO;
        if (!byte_stream_again(errno))
            return -errno;
        if (presence_is_lost(&mq->presence))
            return receive_rest(mq, message, bytes);
    }
}

static void close_queue(struct mq_posix *mq)
{
    if (mq->queue > 0)
        mq_close(mq->queue);
    mq->queue = -1;
}

static void mq_posix_detach(void *state)
{
    struct mq_posix *mq = state;
    close_queue(mq);
    presence_detach(&mq->presence);
}

static void mq_posix_close(void *state, const struct channel *channel)
{
    struct mq_posix *mq = state;
    /* The name goes; the queue lives until its last descriptor is closed. */
    if (channel->address[0] != '\0')
        mq_unlink(channel->address);
    close_queue(mq);
    presence_close(&mq->presence, channel);
}

static int mq_posix_remove_name(const char *name, struct err *err)
{
    AUTO_CLOSE int queue = mq_open(name, O_RDWR | O_CLOEXEC);
    struct stat status;
    if (queue < 0 || fstat(queue, &status) != 0 || status.st_uid != geteuid())
        return 0; /* gone, or not ours */
    if (mq_unlink(name) != 0 && errno != ENOENT)
        return err_errno(err, errno, "mq_unlink %s", name);
    return 0;
}

static int mq_posix_probe(struct err *err)
{
    char name[CHANNEL_ADDRESS_BYTES];
    int result = names_random(name, sizeof name, err);
    if (result < 0)
        return result;
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 1};
    AUTO_CLOSE int queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
    if (queue < 0)
        return err_errno(err, errno, "mq_open (see fs.mqueue.queues_max and ulimit -q)");
    mq_unlink(name);
    return 0;
}

const struct mechanism mq_posix_mechanism = {
    .name = "mq_posix",
    .title = "Message queue (POSIX)",
    .family = "message_queue",
    .traits =
        TRAIT_BOUNDARIES | TRAIT_SYNCHRONISES | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS | TRAIT_PERSISTS,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .message_bytes_limit = mq_posix_limit,
    .message_bytes_settings = "fs.mqueue.msgsize_max, which a cage has at its default",
    .state_bytes = sizeof(struct mq_posix),
    .probe = mq_posix_probe,
    .open = mq_posix_open,
    .attach = mq_posix_attach,
    .send = mq_posix_send,
    .receive = mq_posix_receive,
    .detach = mq_posix_detach,
    .close = mq_posix_close,
    .remove_name = mq_posix_remove_name,
};
