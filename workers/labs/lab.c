#include "workers/labs/lab_session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/futex.h"
#include "workers/pause.h"

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

static uint32_t worker_count(const struct lab *lab)
{
    uint32_t count = atomic_load(&lab->memory->worker_count);
    return count < LAB_WORKERS_MAX ? count : LAB_WORKERS_MAX;
}

/* Whoever starts it, the new process is the leader's child, so that one process reaps and knows all. Signals
 * as in a fresh program; no standard input or output that is the observer's. */
static pid_t clone_for_leader(struct lab *lab)
{
    bool is_leader = getpid() == lab->leader;
    struct clone_args arguments = {.flags = is_leader ? 0 : CLONE_PARENT,
                                   .exit_signal = is_leader ? SIGCHLD : 0};
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    return pid < 0 ? -errno : (pid_t)pid;
}

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
    struct err err;
    struct timeline_slot *call = timeline_begin(me, "fork()", "");
    int number = lab_start(lab, name, main, &err);
    if (number < 0)
        lab_give_up(lab, err.code, "fork");
    timeline_end(me, call, lab_pid(lab, number), false);
    return lab_pid(lab, number);
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
    char path[48], line[256];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (text_read_line(path, line, sizeof line) < 0)
        return false;
    const char *state = strrchr(line, ')'); /* the name before it may hold anything */
    return state != NULL && state[1] == ' ' && state[2] == 'S';
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

/* ---- the leader waits ---- */

static void settle(struct lab *lab, int number, int status)
{
    struct lab_follower *follower = &lab->followers[number];
    follower->has_ended = true;
    follower->status = status;
    follower->ended_ns = clock_now_ns();
    bool is_killed = WIFSIGNALED(status) && !follower->is_killed_by_us &&
                     (lab->expected_signals >> WTERMSIG(status) & 1) == 0;
    if (is_killed && lab->over == NULL)
        lab->over = "killed";
    if (is_killed)
        json_write_string(&lab->evidence_writer, "killed_worker", lab->memory->workers[number].name);
}

static void reap(struct lab *lab)
{
    struct signalfd_siginfo info;
    while (read(lab->signal_fd, &info, sizeof info) == sizeof info)
        ;
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (uint32_t i = 0; i < worker_count(lab); i++)
            if (lab_pid(lab, (int)i) == pid && !lab->followers[i].has_ended)
                settle(lab, (int)i, status);
    if (atomic_load(&lab->memory->has_failed) && lab->over == NULL)
        lab->over = "failed";
}

static bool has_ended(const struct lab *lab, int worker)
{
    if (worker != LAB_ALL)
        return lab->followers[worker].has_ended;
    for (uint32_t i = 0; i < worker_count(lab); i++)
        if (!lab->followers[i].has_ended)
            return false;
    return true;
}

static void look(struct lab *lab)
{
    lab->looked_ns = clock_now_ns();
    lab_tell(lab);
    if (lab->look != NULL)
        lab->look(lab);
    lab_flush(lab);
    if (!lab->is_observed && lab->over == NULL)
        lab->over = "unobserved";
}

/* One turn: until something happens, but not beyond until_ns. */
static void turn(struct lab *lab, int64_t until_ns)
{
    int64_t now_ns = clock_now_ns(), next_ns = lab->looked_ns + LAB_LOOK_MS * NS_PER_MS;
    int64_t wait_ns = (next_ns < until_ns ? next_ns : until_ns) - now_ns;
    struct pollfd fds[2] = {{.fd = lab->signal_fd, .events = POLLIN},
                            {.fd = lab->input_ended ? -1 : STDIN_FILENO, .events = POLLIN}};
    poll(fds, 2, wait_ns > 0 ? (int)((wait_ns + NS_PER_MS - 1) / NS_PER_MS) : 0);
    if (fds[1].revents != 0)
        lab_take_input(lab);
    reap(lab);
    if (clock_now_ns() >= lab->deadline_ns && lab->over == NULL)
        lab->over = "deadline";
    if (clock_now_ns() >= next_ns)
        look(lab);
}

bool lab_await(struct lab *lab, int worker, int64_t timeout_ms)
{
    int64_t until_ns = timeout_ms > 0 ? clock_now_ns() + timeout_ms * NS_PER_MS : INT64_MAX;
    reap(lab);
    while (!has_ended(lab, worker) && lab->over == NULL && clock_now_ns() < until_ns)
        turn(lab, until_ns);
    return has_ended(lab, worker) && lab->over == NULL;
}

bool lab_is_over(const struct lab *lab)
{
    return lab->over != NULL;
}

bool lab_gate_is_open(const struct lab *lab, int gate)
{
    return atomic_load(&lab->memory->gates[gate]) != 0;
}

bool lab_gate_await(struct lab *lab, int gate)
{
    enum { STEP_MS = 2 };
    while (!lab_gate_is_open(lab, gate) && lab->over == NULL)
        turn(lab, clock_now_ns() + STEP_MS * NS_PER_MS);
    return lab->over == NULL;
}

void lab_watch(struct lab *lab, int64_t ms)
{
    int64_t until_ns = clock_now_ns() + ms * NS_PER_MS;
    while (lab->over == NULL && clock_now_ns() < until_ns)
        turn(lab, until_ns);
}

void lab_kill(struct lab *lab, int worker)
{
    pid_t pid = lab_pid(lab, worker);
    lab->followers[worker].is_killed_by_us = true;
    if (pid > 0 && !lab->followers[worker].has_ended) /* 0 would be the whole group */
        kill(pid, SIGKILL); /* nobody else reaps it, so the number is still its own */
}

void lab_session_end_all(struct lab *lab)
{
    for (uint32_t i = 0; i < worker_count(lab); i++)
        lab_kill(lab, (int)i);
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, 0)) > 0 || (pid < 0 && errno == EINTR))
        for (uint32_t i = 0; i < worker_count(lab); i++)
            if (lab_pid(lab, (int)i) == pid && !lab->followers[i].has_ended)
                settle(lab, (int)i, status);
    look(lab);
}

int lab_status(const struct lab *lab, int worker)
{
    return lab->followers[worker].has_ended ? lab->followers[worker].status : -1;
}

void lab_expect_signal(struct lab *lab, int number)
{
    lab->expected_signals |= UINT64_C(1) << number;
}

void lab_on_look(struct lab *lab, void (*look_at)(struct lab *lab))
{
    lab->look = look_at;
}

void lab_on_input(struct lab *lab, void (*input)(struct lab *lab, const struct lab_input *input))
{
    lab->input = input;
    lab_hand_on_input(lab); /* what came together with the request */
}

/* ---- what came out ---- */

void lab_outcome_integer(struct lab *lab, int64_t outcome)
{
    text_clear(&lab->outcome);
    struct json_writer writer = json_writer_on(&lab->outcome);
    json_write_integer(&writer, NULL, outcome);
}

void lab_outcome_word(struct lab *lab, const char *outcome)
{
    text_clear(&lab->outcome);
    struct json_writer writer = json_writer_on(&lab->outcome);
    json_write_string(&writer, NULL, outcome);
}

void lab_explain(struct lab *lab, const char *key)
{
    lab->explanation = key;
}

struct json_writer *lab_evidence(struct lab *lab)
{
    return &lab->evidence_writer;
}

void lab_skip(struct lab *lab, const char *call, int error, const char *what)
{
    lab->skip_call = call;
    lab->skip_error = error;
    lab->skip_what = what;
}
