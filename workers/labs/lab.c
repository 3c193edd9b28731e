#include "workers/labs/lab_session.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/futex.h"
#include "workers/pause.h"
#include "workers/process.h"

enum { GATE_LOOK_MS = 100 }; /* a wake that got lost costs no more */

/* ---- life ---- */

static void *map_shared(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

static size_t shared_bytes(const struct lab *lab)
{
    return lab->definition->shared_bytes > 0 ? lab->definition->shared_bytes : 1;
}

int lab_session_init(struct lab *lab, struct err *err)
{
    sigset_t children;
    struct stat status;
    lab->leader = getpid();
    setsid(); /* a signal to the lab's group is nobody else's */
    lab->is_observed = true;
    lab->origin_ns = clock_now_ns();
    lab->memory = map_shared(sizeof *lab->memory);
    lab->shared = map_shared(shared_bytes(lab));
    if (lab->memory == NULL || lab->shared == NULL)
        return err_errno(err, ENOMEM, "map the lab's memory");
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    signal(SIGPIPE, SIG_IGN); /* an observer that left is seen as EPIPE */
    lab->signal_fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (lab->signal_fd < 0)
        return err_errno(err, errno, "signalfd");
    lab->input_is_socket = fstat(STDIN_FILENO, &status) == 0 && S_ISSOCK(status.st_mode);
    lab->evidence_writer = json_writer_on(&lab->evidence);
    json_begin_object(&lab->evidence_writer, NULL);
    return 0;
}

void lab_session_fini(struct lab *lab)
{
    if (lab->signal_fd > 0)
        close(lab->signal_fd);
    if (lab->memory != NULL)
        munmap(lab->memory, sizeof *lab->memory);
    if (lab->shared != NULL)
        munmap(lab->shared, shared_bytes(lab));
    text_fini(&lab->lines);
    text_fini(&lab->evidence);
    text_fini(&lab->outcome);
    text_fini(&lab->input_bytes);
}

int64_t lab_value(const struct lab *lab, int parameter)
{
    return lab->values[parameter];
}

const char *lab_text(const struct lab *lab, int parameter)
{
    return lab->texts[parameter];
}

void *lab_shared(const struct lab *lab)
{
    return lab->shared;
}

int64_t lab_since_start_ns(const struct lab *lab, int64_t at_ns)
{
    return at_ns - lab->origin_ns;
}

const char *lab_directory(const struct lab *lab)
{
    return lab->enclosure->directory;
}

/* ---- workers ---- */

uint32_t lab_worker_count(const struct lab *lab)
{
    uint32_t count = atomic_load(&lab->memory->worker_count);
    return count < LAB_WORKERS_MAX ? count : LAB_WORKERS_MAX;
}

/* Whoever starts it, the new process is the leader's child, so that one process reaps and knows all; with
 * CLONE_PARENT its end is told as the caller's own. Not clone3, which containers refuse
 * (common/cage_flags.h). */
static pid_t clone_for_leader(struct lab *lab)
{
    unsigned long flags = getpid() == lab->leader ? SIGCHLD : CLONE_PARENT;
    long pid = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
    return pid < 0 ? -errno : (pid_t)pid;
}

/* Signals as in a fresh program; no standard input or output that is the observer's. */
_Noreturn static void be_worker(struct lab *lab, int number, lab_worker_main *main)
{
    enclosure_follow(lab->leader);
    if (lab->signal_fd > 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);
        close(lab->signal_fd);
        lab->signal_fd = 0;
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        close(null);
    }
    lab->number = number;
    main(lab, &lab->memory->workers[number].timeline);
    _exit(EXIT_SUCCESS);
}

int lab_start(struct lab *lab, const char *name, lab_worker_main *main, struct err *err)
{
    uint32_t number = atomic_fetch_add(&lab->memory->worker_count, 1);
    if (number >= LAB_WORKERS_MAX)
        return err_set(err, EAGAIN, "a lab has at most %d workers", LAB_WORKERS_MAX);
    struct lab_worker *worker = &lab->memory->workers[number];
    text_copy(worker->name, sizeof worker->name, name);
    fflush(NULL); /* or what is buffered would be written twice */
    pid_t pid = clone_for_leader(lab);
    if (pid < 0)
        return err_errno(err, -pid, "start %s", name);
    if (pid == 0) {
        atomic_store(&worker->pid, getpid());
        be_worker(lab, (int)number, main);
    }
    atomic_store(&worker->pid, pid);
    return (int)number;
}

pid_t lab_fork(struct lab *lab, struct timeline *me, const char *name, lab_worker_main *main)
{
    struct err err = {.code = 0};
    struct timeline_slot *call = timeline_begin(me, "fork()", "");
    int number = lab_start(lab, name, main, &err);
    pid_t pid = number >= 0 ? lab_pid(lab, number) : -1;
    timeline_end(me, call, pid, false);
    if (pid < 0)
        lab_give_up(lab, err.code, "fork");
    return pid;
}

pid_t lab_pid(const struct lab *lab, int worker)
{
    return atomic_load(&lab->memory->workers[worker].pid);
}

int lab_number(const struct lab *lab)
{
    return lab->number;
}

void lab_give_up(struct lab *lab, int error, const char *format, ...)
{
    struct lab_memory *memory = lab->memory;
    char what[ERR_TEXT_BYTES / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    err_errno(&memory->failure, error, "%s", what);
    atomic_store(&memory->has_failed, true);
    _exit(EXIT_FAILURE);
}

/* ---- meeting ---- */

void lab_gate_open(struct lab *lab, int gate)
{
    atomic_store(&lab->memory->gates[gate], 1);
    futex_wake_all(&lab->memory->gates[gate]);
}

void lab_gate_wait(struct lab *lab, int gate)
{
    while (atomic_load(&lab->memory->gates[gate]) == 0)
        futex_wait(&lab->memory->gates[gate], 0, GATE_LOOK_MS * NS_PER_MS);
}

void lab_meet(struct lab *lab, int gate, uint32_t count)
{
    enum { SPINS = 2000 };
    _Atomic uint32_t *arrived = &lab->memory->gates[gate];
    atomic_fetch_add(arrived, 1);
    for (uint32_t spins = 1; atomic_load(arrived) < count; spins++)
        if (spins % SPINS == 0)
            sched_yield(); /* the others may need this CPU */
        else
            cpu_pause();
}

bool lab_is_asleep(pid_t pid)
{
    if (process_proc_pid() != getpid())
        return true; /* to the best of our knowledge: callers ask of one that has not moved for a while */
    return process_state(pid) == 'S';
}

bool lab_await_asleep(struct lab *lab, int worker, int64_t timeout_ms)
{
    enum { STEP_MS = 5, STEPS_ASLEEP = 3 };
    struct timeline *timeline = &lab->memory->workers[worker].timeline;
    int64_t until_ns = clock_now_ns() + timeout_ms * NS_PER_MS;
    uint32_t begun = atomic_load(&timeline->begun);
    int asleep = 0;
    while (asleep < STEPS_ASLEEP && clock_now_ns() < until_ns) {
        lab_sleep_ms(STEP_MS);
        uint32_t now = atomic_load(&timeline->begun);
        asleep = now == begun && lab_is_asleep(lab_pid(lab, worker)) ? asleep + 1 : 0;
        begun = now;
    }
    return asleep == STEPS_ASLEEP;
}

void lab_sleep_ms(int64_t ms)
{
    struct timespec left = {.tv_sec = ms / MS_PER_S, .tv_nsec = ms % MS_PER_S * NS_PER_MS};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}
