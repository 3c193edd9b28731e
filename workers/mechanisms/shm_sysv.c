/* System V shared memory: shmget, shmat, shmdt, shmctl (svipc(7)).
 *
 * A segment is an object of the kernel with a number of its own (the id), found by any process that knows its
 * key and is allowed to. Attaching it adds a mapping of the same physical pages to a process; from then on
 * the processes talk by plain loads and stores and the kernel is not involved. It also does not synchronise
 * them: the ring (workers/ring.h) does, with the wait the case names. */
#include <errno.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include "workers/mechanisms/mechanism.h"
#include "workers/parse.h"
#include "workers/ring.h"
#include "workers/sysv_key.h"

enum { KEY_ATTEMPTS = 16 };

struct shm_sysv {
    struct ring ring; /* first: ring_send and ring_receive take the state */
    int id;
    void *memory; /* where this process has it attached; NULL: not attached */
};

static int shm_sysv_open(void *state, struct channel *channel, struct err *err)
{
    struct shm_sysv *shm = state;
    shm->id = -1;
    shm->memory = NULL;
    size_t bytes = ring_object_bytes(channel);
    for (int attempt = 0; shm->id < 0; attempt++) {
        key_t key;
        /* Written down before it exists, with our pid, which the kernel keeps as the creator's: so a sweep
         * can tell our segment from a stranger's with the same key. */
        int result = sysv_key_record(channel->directory, "shm_sysv", &key, err);
        if (result < 0)
            return result;
        /* The pages are not allocated yet: each appears, zeroed, when it is first touched. IPC_EXCL fails
         * with EEXIST rather than hand us an object that somebody else made. */
        shm->id = shmget(key, bytes, IPC_CREAT | IPC_EXCL | 0600);
        if (shm->id < 0 && (errno != EEXIST || attempt == KEY_ATTEMPTS))
            return err_errno(err, errno, "shmget of %zu bytes", bytes);
        snprintf(channel->address, sizeof channel->address, "0x%x", (unsigned)key);
    }
    /* NULL lets the kernel choose the address; the segment lies elsewhere in every process that was not
     * forked from this one, so no pointer may ever be stored in it. */
    void *memory = shmat(shm->id, NULL, 0);
    if (memory == (void *)-1)
        return err_errno(err, errno, "shmat");
    shm->memory = memory;
    return ring_open(&shm->ring, memory, channel, err);
}

static int shm_sysv_attach(void *state, const struct channel *channel, struct seat seat, struct err *err)
{
    struct shm_sysv *shm = state;
    if (shm->memory == NULL) {
        /* A stranger finds the segment by its key. A relative does not come here: fork duplicated the
         * leader's attachment, at the same address. */
        int64_t key;
        if (parse_integer(channel->address, 16, 1, INT32_MAX, &key, NULL) < 0)
            return err_set(err, EINVAL, "\"%s\" is no key", channel->address);
        shm->id = shmget((key_t)key, 0, 0600);
        if (shm->id < 0)
            return err_errno(err, errno, "shmget of key %s", channel->address);
        void *memory = shmat(shm->id, NULL, 0);
        if (memory == (void *)-1)
            return err_errno(err, errno, "shmat");
        shm->memory = memory;
    }
    return ring_attach(&shm->ring, shm->memory, channel, seat, err);
}

static void shm_sysv_detach(void *state)
{
    struct shm_sysv *shm = state;
    ring_detach(&shm->ring);
    /* Our mapping goes; the segment stays, even after the last process has detached it. */
    if (shm->memory != NULL)
        shmdt(shm->memory);
    shm->memory = NULL;
}

static void shm_sysv_close(void *state, const struct channel *channel)
{
    struct shm_sysv *shm = state;
    (void)channel;
    ring_close(&shm->ring);
    /* Only IPC_RMID ends a segment. Linux takes it away from the key at once, so nobody new can come, and
     * frees the pages when the last process that has it attached detaches or dies, however it dies. */
    if (shm->id >= 0)
        shmctl(shm->id, IPC_RMID, NULL);
    shm->id = -1;
    if (shm->memory != NULL)
        shmdt(shm->memory);
    shm->memory = NULL;
}

static int shm_sysv_remove_name(const char *name, struct err *err)
{
    key_t key;
    pid_t creator;
    int result = sysv_key_parse(name, &key, &creator, err);
    if (result < 0)
        return result;
    int id = shmget(key, 0, 0);
    struct shmid_ds status;
    if (id < 0 || shmctl(id, IPC_STAT, &status) != 0 || status.shm_cpid != creator ||
        status.shm_perm.cuid != geteuid())
        return 0; /* gone, or not ours */
    if (shmctl(id, IPC_RMID, NULL) != 0 && errno != EINVAL && errno != EIDRM)
        return err_errno(err, errno, "remove the segment of key %s", name);
    return 0;
}

/* Is it usable? A kernel may be built without System V IPC (ENOSYS), or all its ids may be taken (ENOSPC, see
 * kernel.shmmni). */
static int shm_sysv_probe(struct err *err)
{
    int id = shmget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    if (id < 0)
        return err_errno(err, errno, "shmget (see kernel.shmmni, kernel.shmall and ipcs -m)");
    shmctl(id, IPC_RMID, NULL);
    return 0;
}

const struct mechanism shm_sysv_mechanism = {
    .name = "shm_sysv",
    .title = "Shared memory (System V)",
    .family = "memory",
    .traits = TRAIT_DUPLEX | TRAIT_MANY_SENDERS | TRAIT_MANY_RECEIVERS | TRAIT_PERSISTS,
    .waits = RING_WAITS,
    .message_bytes_max = MESSAGE_BYTES_MAX,
    .state_bytes = sizeof(struct shm_sysv),
    .probe = shm_sysv_probe,
    .open = shm_sysv_open,
    .attach = shm_sysv_attach,
    .send = ring_send,
    .receive = ring_receive,
    .detach = shm_sysv_detach,
    .close = shm_sysv_close,
    .remove_name = shm_sysv_remove_name,
};
