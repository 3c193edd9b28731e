#include "workers/claims/subject.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/cpus.h"
#include "workers/cage.h"
#include "workers/enclosure.h"
#include "workers/placement.h"
#include "workers/process.h"

enum { LOOK_NS = 200 * 1000, STRANGER = 65533, NO_RESOURCES = 90 };

static void pause_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
}

void *subject_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        _exit(NO_RESOURCES);
    return memory;
}

struct subject *subject_new(void)
{
    return subject_memory(sizeof(struct subject));
}

/* ---- life ---- */

pid_t subject_fork(struct subject *subject)
{
    atomic_store(&subject->calling, 0);
    subject->parent = getpid();
    pid_t pid = enclosure_fork();
    if (pid < 0)
        _exit(NO_RESOURCES);
    if (pid > 0)
        subject->pid = pid;
    return pid;
}

void subject_announce(struct subject *subject)
{
    subject->proc_pid = process_proc_pid();
    atomic_store(&subject->calling, 1);
}

bool subject_blocks(struct subject *subject)
{
    int64_t deadline_ns = clock_now_ns() + SUBJECT_PATIENCE_MS * NS_PER_MS;
    while (clock_now_ns() < deadline_ns) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_PID, (id_t)subject->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0)
            return false;
        if (atomic_load(&subject->calling) != 0 && process_state(subject->proc_pid) == 'S')
            return true;
        pause_a_moment();
    }
    return false;
}

struct subject_end subject_wait(struct subject *subject, int64_t patience_ms)
{
    struct subject_end end = {.timed_out = false};
    int status = 0;
    int pidfd = (int)syscall(SYS_pidfd_open, subject->pid, 0);
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    if (pidfd >= 0 && poll(&ended, 1, (int)patience_ms) == 0) {
        end.timed_out = true;
        kill(subject->pid, SIGKILL);
    }
    while (waitpid(subject->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pidfd >= 0)
        close(pidfd);
    end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    return end;
}

void subject_kill(struct subject *subject)
{
    kill(subject->pid, SIGKILL);
    while (waitpid(subject->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

int64_t subject_cpu_ns(const struct subject *subject)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(subject->pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return -1;
    return (int64_t)used.tv_sec * NS_PER_S + used.tv_nsec;
}

bool subject_become_stranger(struct subject *subject)
{
    struct err err;
    bool changed = geteuid() == 0 && setresgid(STRANGER, STRANGER, STRANGER) == 0 &&
                   setresuid(STRANGER, STRANGER, STRANGER) == 0;
    if (!changed)
        cage_drop_capabilities(&err); /* refused to who has none, who needs it not */
    enclosure_follow(subject->parent);
    return changed;
}

/* ---- what kills ---- */

int subject_read_signal(const volatile char *at)
{
    struct subject subject;
    if (subject_fork(&subject) == 0)
        _exit(*at == '\0' ? 0 : 1);
    return subject_wait(&subject, SUBJECT_PATIENCE_MS).signal;
}

int subject_write_signal(volatile char *at)
{
    struct subject subject;
    if (subject_fork(&subject) == 0) {
        *at = 'w';
        _exit(0);
    }
    return subject_wait(&subject, SUBJECT_PATIENCE_MS).signal;
}

/* ---- several at once ---- */

void gate_pass(struct gate *gate, int count)
{
    atomic_fetch_add(&gate->arrived, 1);
    while (atomic_load(&gate->arrived) < count)
        sched_yield();
}

/* As they were before anybody was pinned; forked processes know it too. */
static const struct cpus *allowed_cpus(void)
{
    static struct cpus allowed;
    static bool known;
    if (!known && cpus_read(&allowed) < 0)
        allowed = cpus_only(0);
    known = true;
    return &allowed;
}

int subject_cpu_count(void)
{
    return cpus_count(allowed_cpus());
}

void subject_pin(int which)
{
    if (which < subject_cpu_count())
        cpus_pin_to(placement_choose(allowed_cpus(), which, placement_core_of));
}
