#include "workers/labs/lab_session.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

/* ---- the ends of workers ---- */

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
    if (is_killed && lab->killed_worker == NULL)
        lab->killed_worker = lab->memory->workers[number].name;
}

static void reap(struct lab *lab)
{
    struct signalfd_siginfo info;
    while (read(lab->signal_fd, &info, sizeof info) == sizeof info)
        ;
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (uint32_t i = 0; i < lab_worker_count(lab); i++)
            if (lab_pid(lab, (int)i) == pid && !lab->followers[i].has_ended)
                settle(lab, (int)i, status);
    if (atomic_load(&lab->memory->has_failed) && lab->over == NULL)
        lab->over = "failed";
}

static bool has_ended(const struct lab *lab, int worker)
{
    if (worker != LAB_ALL)
        return lab->followers[worker].has_ended;
    for (uint32_t i = 0; i < lab_worker_count(lab); i++)
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
    for (uint32_t i = 0; i < lab_worker_count(lab); i++)
        lab_kill(lab, (int)i);
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, 0)) > 0 || (pid < 0 && errno == EINTR))
        for (uint32_t i = 0; i < lab_worker_count(lab); i++)
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

void lab_evidence_figure(struct lab *lab, const char *name, double figure)
{
    json_write_number(&lab->evidence_writer, name, round(10 * figure) / 10);
}

void lab_skip(struct lab *lab, const char *call, int error, const char *what)
{
    lab->skip_call = call;
    lab->skip_error = error;
    lab->skip_what = what;
}
