/* System V message queue: msgget, msgsnd, msgrcv, msgctl (svipc(7)).
 *
 * A queue of whole messages in the kernel, found by a key like a System V segment. Each message has a type, a
 * positive number, and a receiver may take the oldest of all or of one type. A message has at most
 * kernel.msgmax bytes, a queue holds kernel.msgmnb bytes; every IPC namespace has its own of both. Senders of
 * a full queue and receivers of an empty one sleep. There is no descriptor: poll and epoll do not know it,
 * and nothing but IPC_RMID ends a queue, at once and under everybody's hands, so it is removed when the last
 * worker is gone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/mechanisms/byte_stream.h"
#include "workers/mechanisms/mechanism.h"
#include "workers/mechanisms/presence.h"
#include "workers/mechanisms/setting.h"
#include "workers/parse.h"
#include "workers/sysv_key.h"

enum { KEY_ATTEMPTS = 16, MSGMAX_DEFAULT = 8192, MSGMNB_DEFAULT = 16384 };

struct envelope {
    long type;
    char text[];
};

struct mq_sysv {
    struct endpoint endpoint;
    struct presence presence;
    int id;
    int flags;                 /* IPC_NOWAIT with wait poll */
    struct envelope *envelope; /* the worker's; the calls want type and text side by side */
};

static int64_t mq_sysv_limit(void)
{
    int64_t message = setting_read("/proc/sys/kernel/msgmax", MSGMAX_DEFAULT);
    int64_t queue = setting_read("/proc/sys/kernel/msgmnb", MSGMNB_DEFAULT);
    return message < queue ? message : queue;
}

static int set_capacity(int id, const struct channel *channel, struct err *err)
{
    struct msqid_ds status;
    if (channel->buffer_bytes == 0)
        return 0;
    if (msgctl(id, IPC_STAT, &status) != 0)
        return err_errno(err, errno, "msgctl");
    unsigned long granted = status.msg_qbytes;
    /* A queue with less room than one message would take none, and its sender sleep for ever. */
    bool one_fits = channel->buffer_bytes >= channel->message_bytes;
    status.msg_qbytes = (msglen_t)(one_fits ? channel->buffer_bytes : channel->message_bytes);
    if (msgctl(id, IPC_SET, &status) != 0)
        return err_errno(err, errno,
                         "a queue of %lld bytes was asked for and %lu are granted: raise kernel.msgmnb",
                         (long long)channel->buffer_bytes, granted);
    return 0;
}

static int mq_sysv_open(void *state, struct channel *channel, struct err *err)
{
    struct mq_sysv *mq = state;
    mq->id = -1;
    int result = presence_open(&mq->presence, channel, err);
    if (result < 0)
        return result;
    key_t key = IPC_PRIVATE;
    for (int attempt = 0; mq->id < 0; attempt++) {
        result = sysv_key_record(channel->directory, "mq_sysv", &key, err);
        if (result < 0)
            return result;
        mq->id = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
        if (mq->id < 0 && (errno != EEXIST || attempt == KEY_ATTEMPTS))
            return err_errno(err, errno, "msgget (see kernel.msgmni and ipcs -q)");
    }
    snprintf(channel->address, sizeof channel->address, "0x%x", (unsigned)key);
    return set_capacity(mq->id, channel, err);
}

static int mq_sysv_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct mq_sysv *mq = state;
    int64_t key;
    if (parse_integer(channel->address, 16, 1, INT32_MAX, &key, NULL) < 0)
        return err_set(err, EINVAL, "\"%s\" is no key", channel->address);
    mq->id = msgget((key_t)key, 0);
    struct msqid_ds status;
    if (mq->id < 0 || msgctl(mq->id, IPC_STAT, &status) != 0)
        return err_errno(err, errno, "msgget of key %s", channel->address);
    mq->envelope = malloc(sizeof *mq->envelope + (size_t)channel->message_bytes);
    if (mq->envelope == NULL)
        return err_set(err, ENOMEM, "out of memory");
    mq->endpoint = (struct endpoint){.buffer_bytes = (int64_t)status.msg_qbytes};
    mq->flags = channel->wait == WAIT_POLL ? IPC_NOWAIT : 0;
    return presence_attach(&mq->presence, channel, seat, err);
}

static ssize_t mq_sysv_send(void *state, const void *message, size_t bytes)
{
    struct mq_sysv *mq = state;
    mq->envelope->type = 1;
    memcpy(mq->envelope->text, message, bytes);
    for (;;) {
        int result = msgsnd(mq->id, mq->envelope, bytes, mq->flags);
        mq->endpoint.system_calls++;
        if (__builtin_expect(result == 0, 1))
            return (ssize_t)bytes;
        if (!byte_stream_again(errno))
            return errno == EIDRM || errno == EINVAL ? -EPIPE : -errno;
        if (presence_is_lost(&mq->presence))
            return -EPIPE;
    }
}

static ssize_t mq_sysv_receive(void *state, void *message, size_t bytes)
{
    struct mq_sysv *mq = state;
    bool is_over = false;
    for (;;) {
        /* Once the senders are gone, what they left is still in the queue. */
        ssize_t got = msgrcv(mq->id, mq->envelope, bytes, 0, is_over ? IPC_NOWAIT : mq->flags);
        mq->endpoint.system_calls++;
        if (__builtin_expect(got == (ssize_t)bytes, 1)) {
            memcpy(message, mq->envelope->text, bytes);
            return got;
        }
        if (got >= 0)
            return -EPROTO;
        if (errno == EIDRM || (is_over && errno == ENOMSG))
            return 0;
        if (errno != ENOMSG && errno != EINTR)
            return -errno;
        if (errno == ENOMSG)
            cpu_pause();
        is_over = is_over || presence_is_lost(&mq->presence);
    }
}

static void mq_sysv_detach(void *state)
{
    struct mq_sysv *mq = state;
    free(mq->envelope);
    mq->envelope = NULL;
    presence_detach(&mq->presence);
}

static void mq_sysv_close(void *state, const struct channel *channel)
{
    struct mq_sysv *mq = state;
    presence_close(&mq->presence, channel); /* the queue itself goes by its recorded name */
}

/* The kernel does not keep a queue's creator, only its user: the key, of 31 random bits, is what makes it
 * ours. */
static int mq_sysv_remove_name(const char *name, struct err *err)
{
    key_t key;
    pid_t creator;
    int result = sysv_key_parse(name, &key, &creator, err);
    if (result < 0)
        return result;
    struct msqid_ds status;
    int id = msgget(key, 0);
    if (id < 0 || msgctl(id, IPC_STAT, &status) != 0 || status.msg_perm.cuid != geteuid())
        return 0; /* gone, or not ours */
    if (msgctl(id, IPC_RMID, NULL) != 0 && errno != EINVAL && errno != EIDRM)
        return err_errno(err, errno, "remove the queue of key %s", name);
    return 0;
}

static int mq_sysv_probe(struct err *err)
{
    int id = msgget(IPC_PRIVATE, 0600);
    if (id < 0)
        return err_errno(err, errno, "msgget (see kernel.msgmni and ipcs -q)");
    msgctl(id, IPC_RMID, NULL);
    return 0;
}

const struct mechanism mq_sysv_mechanism = {
    .name = "mq_sysv",
    .title = "Message queue (System V)",
    .family = "message_queue",
    .traits =
        TRAIT_BOUNDARIES | TRAIT_SYNCHRONISES | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS | TRAIT_PERSISTS,
    .waits = KERNEL_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .message_bytes_limit = mq_sysv_limit,
    .message_bytes_settings = "kernel.msgmax and kernel.msgmnb, which a cage has at their defaults",
    .state_bytes = sizeof(struct mq_sysv),
    .probe = mq_sysv_probe,
    .open = mq_sysv_open,
    .attach = mq_sysv_attach,
    .send = mq_sysv_send,
    .receive = mq_sysv_receive,
    .detach = mq_sysv_detach,
    .close = mq_sysv_close,
    .remove_name = mq_sysv_remove_name,
};
