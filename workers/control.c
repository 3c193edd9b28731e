#include "workers/control.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "workers/futex.h"
#include "workers/pause.h"

enum { SPINS_A_LOOK = 1000, SLEEP_MS = 50 };

struct control *control_map(int fd, struct err *err)
{
    void *memory =
        mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (memory == MAP_FAILED) {
        err_errno(err, errno, "map the control page");
        return NULL;
    }
    return memory;
}

struct control *control_create(int *fd, struct err *err)
{
    AUTO_CLOSE int page = memfd_create("ipclab-control", MFD_CLOEXEC);
    if (page < 0 || ftruncate(page, sizeof(struct control)) != 0) {
        err_errno(err, errno, "create the control page");
        return NULL;
    }
    struct control *control = control_map(page, err);
    if (control != NULL)
        *fd = take_fd(&page);
    return control;
}

void control_unmap(struct control *control)
{
    if (control != NULL)
        munmap(control, sizeof *control);
}

void control_set_phase(struct control *control, uint32_t phase)
{
    atomic_store_explicit(&control->phase, phase, memory_order_release);
    futex_wake_all(&control->phase);
    if (phase == CONTROL_ABORTED)
        futex_wake_all(&control->generation);
}

int control_wait_attached(struct control *control, int64_t deadline_ns)
{
    for (;;) {
        uint32_t phase = atomic_load_explicit(&control->phase, memory_order_acquire);
        if (phase == CONTROL_ATTACHED)
            return 0;
        if (phase == CONTROL_ABORTED)
            return -ECANCELED;
        if (clock_now_ns() > deadline_ns)
            return -ETIMEDOUT;
        futex_wait(&control->phase, phase, SLEEP_MS * NS_PER_MS);
    }
}

void control_begin_block(struct control_block *block, uint64_t first_sequence)
{
    atomic_store_explicit(&block->first_sequence, first_sequence, memory_order_relaxed);
    atomic_store_explicit(&block->last_sequence, UINT64_MAX, memory_order_relaxed);
    atomic_store_explicit(&block->begun_ns, INT64_MAX, memory_order_relaxed);
    atomic_store_explicit(&block->finished_ns, INT64_MAX, memory_order_relaxed);
}

int64_t control_begun_ns(struct control *control, int senders, uint32_t number)
{
    int64_t first_ns = INT64_MAX;
    for (int i = 0; i < senders; i++) {
        int64_t begun_ns =
            atomic_load_explicit(&control->senders[i][number % 2].begun_ns, memory_order_relaxed);
        first_ns = begun_ns < first_ns ? begun_ns : first_ns;
    }
    return first_ns;
}

void control_finish_block(struct control_block *block)
{
    atomic_store_explicit(&block->finished_ns, clock_now_ns(), memory_order_release);
}

bool control_all_finished(struct control *control, int senders, uint32_t number, int64_t moment_ns)
{
    for (int i = 0; i < senders; i++) {
        struct control_block *block = &control->senders[i][number % 2];
        if (atomic_load_explicit(&block->finished_ns, memory_order_acquire) > moment_ns)
            return false;
    }
    return true;
}

int control_barrier(struct control *control, uint32_t workers, bool sleeps, int64_t deadline_ns)
{
    uint32_t generation = atomic_load_explicit(&control->generation, memory_order_acquire);
    if (atomic_fetch_add_explicit(&control->arrived, 1, memory_order_acq_rel) + 1 == workers) {
        atomic_store_explicit(&control->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&control->generation, generation + 1, memory_order_release);
        if (sleeps)
            futex_wake_all(&control->generation);
        return 0;
    }
    for (;;) {
        for (int i = 0; i < SPINS_A_LOOK && !sleeps; i++) {
            if (atomic_load_explicit(&control->generation, memory_order_acquire) != generation)
                return 0;
            cpu_pause();
        }
        if (atomic_load_explicit(&control->generation, memory_order_acquire) != generation)
            return 0;
        if (control_is_aborted(control))
            return -ECANCELED;
        if (clock_now_ns() > deadline_ns)
            return -ETIMEDOUT;
        if (sleeps)
            futex_wait(&control->generation, generation, SLEEP_MS * NS_PER_MS);
        else
            sched_yield(); /* placement free may have put everybody on one CPU */
    }
}
