/* The waits of a ring: what a worker does until memory has changed, and how another one ends it.
 *
 * Each but the plain spin sleeps on something of the kernel's that belongs to its seat; it says so first, and
 * is woken only by somebody who has seen that (ring.c). So a wake costs a system call, and a message to a
 * worker that is awake none. */
#include <errno.h>
#include <semaphore.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/descriptor.h"
#include "workers/futex.h"
#include "workers/ring_layout.h"
#include "workers/ring_semaphores.h"
#include "workers/sysv_key.h"
#include "workers/ticker.h"

enum { KEY_ATTEMPTS = 16, SEATS = 2 * CREW_SIDE_MAX };

#define SLEEP_NS (MECHANISM_PEER_CHECK_NS / 2)

static int seat_number(int side, int index)
{
    return side * CREW_SIDE_MAX + index;
}

/* ---- futex: the word asleep itself ---- */

static bool futex_sleep(struct ring *ring, uint32_t asleep)
{
    return futex_wait(&ring->seat->asleep, asleep, SLEEP_NS);
}

static void futex_rouse(struct ring *ring, int side, int index)
{
    futex_wake_all(&ring->object->seats[side][index].asleep);
}

/* ---- POSIX semaphore: in the shared memory, sem_overview(7) ---- */

static int sem_posix_join(struct ring *ring, bool stranger, struct err *err)
{
    (void)stranger;
    if (sem_init(&ring->seat->semaphore, 1, 0) != 0)
        return err_errno(err, errno, "sem_init");
    return 0;
}

static bool sem_posix_sleep(struct ring *ring, uint32_t asleep)
{
    (void)asleep;
    int64_t until_ns = clock_now_ns() + SLEEP_NS;
    struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    return sem_clockwait(&ring->seat->semaphore, CLOCK_MONOTONIC, &until) == 0;
}

static void sem_posix_rouse(struct ring *ring, int side, int index)
{
    sem_post(&ring->object->seats[side][index].semaphore);
}

/* ---- System V semaphores: a set in the kernel, one for each seat, semop(2) ---- */

static int sem_sysv_open(struct ring *ring, struct ring_object *object, const struct channel *channel,
                         struct err *err)
{
    (void)ring;
    int id = -1;
    for (int attempt = 0; id < 0; attempt++) {
        key_t key;
        int result = sysv_key_record(channel->directory, SEM_SYSV_RECORDER, &key, err);
        if (result < 0)
            return result;
        id = semget(key, SEATS, IPC_CREAT | IPC_EXCL | 0600);
        if (id < 0 && (errno != EEXIST || attempt == KEY_ATTEMPTS))
            return err_errno(err, errno, "semget of %d semaphores (see kernel.sem and ipcs -s)", SEATS);
    }
    object->waits.semaphores = id;
    return 0;
}

static bool sem_sysv_sleep(struct ring *ring, uint32_t asleep)
{
    (void)asleep;
    struct sembuf take = {.sem_num = (unsigned short)seat_number((int)ring->side, ring->seat_index),
                          .sem_op = -1};
    const struct timespec timeout = {.tv_nsec = SLEEP_NS};
    return semtimedop(ring->object->waits.semaphores, &take, 1, &timeout) == 0;
}

static void sem_sysv_rouse(struct ring *ring, int side, int index)
{
    struct sembuf give = {.sem_num = (unsigned short)seat_number(side, index), .sem_op = 1};
    semop(ring->object->waits.semaphores, &give, 1);
}

/* The kernel does not keep a set's creator, only its user: the key, of 31 random bits, is what makes it ours.
 */
int sem_sysv_remove_name(const char *name, struct err *err)
{
    key_t key;
    pid_t creator;
    int result = sysv_key_parse(name, &key, &creator, err);
    if (result < 0)
        return result;
    union {
        struct semid_ds *status;
    } argument = {.status = &(struct semid_ds){.sem_nsems = 0}};
    int id = semget(key, 0, 0);
    if (id < 0 || semctl(id, 0, IPC_STAT, argument) != 0 || argument.status->sem_nsems != SEATS ||
        argument.status->sem_perm.cuid != geteuid())
        return 0; /* gone, or not ours */
    if (semctl(id, 0, IPC_RMID) != 0 && errno != EINVAL && errno != EIDRM)
        return err_errno(err, errno, "remove the semaphores of key %s", name);
    return 0;
}

/* ---- eventfd: one for each seat, opened by the leader, eventfd(2) ---- */

static void eventfd_leave(struct ring *ring)
{
    for (int number = 0; number < SEATS; number++) {
        int *fd = &ring->eventfds[number / CREW_SIDE_MAX][number % CREW_SIDE_MAX];
        if (*fd >= 0)
            close(*fd);
        *fd = -1;
    }
}

static int eventfd_open(struct ring *ring, struct ring_object *object, const struct channel *channel,
                        struct err *err)
{
    const int counts[2] = {[SEAT_SENDER] = channel->senders, [SEAT_RECEIVER] = channel->receivers};
    descriptor_allow();
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < counts[side]; i++) {
            /* EFD_SEMAPHORE: a read takes one of what was written, not all of it. */
            int fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
            if (fd < 0)
                return err_errno(err, errno, "eventfd");
            ring->eventfds[side][i] = object->waits.eventfds[side][i] = fd;
        }
    return 0;
}

static int eventfd_join_worker(struct ring *ring, bool stranger, struct err *err)
{
    if (!stranger)
        return ticker_start(err);
    memset(ring->eventfds, -1, sizeof ring->eventfds);
    for (int i = -1; i < ring->others; i++) {
        int side = i < 0 ? (int)ring->side : 1 - (int)ring->side;
        int index = i < 0 ? ring->seat_index : i;
        int fd = descriptor_take(ring->object->waits.leader, ring->object->waits.eventfds[side][index], err);
        if (fd < 0)
            return fd;
        ring->eventfds[side][index] = fd;
    }
    return ticker_start(err);
}

static bool eventfd_sleep(struct ring *ring, uint32_t asleep)
{
    (void)asleep;
    uint64_t one;
    return read(ring->eventfds[ring->side][ring->seat_index], &one, sizeof one) == sizeof one;
}

static void eventfd_rouse(struct ring *ring, int side, int index)
{
    const uint64_t one = 1;
    /* Refused only when the count is near 2^64. */
    (void)!write(ring->eventfds[side][index], &one, sizeof one);
}

static void eventfd_leave_worker(struct ring *ring)
{
    if (ring->object != NULL)
        ticker_stop();
    eventfd_leave(ring);
}

/* Waking a process on another CPU takes 25-50 us, so it pays to look for about that long before sleeping; the
 * plain spin looks for about 2 ms between two checks of the peer. */
static const struct ring_strategy strategies[WAIT_MEMORY_COUNT] = {
    [WAIT_SPIN] = {.looks = 1 << 16},
    [WAIT_SPIN_FUTEX] = {.looks = 1500, .sleeps = true, .sleep = futex_sleep, .wake = futex_rouse},
    [WAIT_FUTEX] = {.looks = 1, .sleeps = true, .fences = true, .sleep = futex_sleep, .wake = futex_rouse},
    [WAIT_SEM_POSIX] = {.looks = 1,
                        .sleeps = true,
                        .fences = true,
                        .counts = true,
                        .join = sem_posix_join,
                        .sleep = sem_posix_sleep,
                        .wake = sem_posix_rouse},
    [WAIT_SEM_SYSV] = {.looks = 1,
                       .sleeps = true,
                       .fences = true,
                       .counts = true,
                       .open = sem_sysv_open,
                       .sleep = sem_sysv_sleep,
                       .wake = sem_sysv_rouse},
    [WAIT_EVENTFD] = {.looks = 1,
                      .sleeps = true,
                      .fences = true,
                      .counts = true,
                      .open = eventfd_open,
                      .join = eventfd_join_worker,
                      .sleep = eventfd_sleep,
                      .wake = eventfd_rouse,
                      .leave = eventfd_leave_worker},
};

const struct ring_strategy *ring_strategy_of(enum wait wait)
{
    return (int)wait < (int)WAIT_MEMORY_COUNT ? &strategies[wait] : NULL;
}
