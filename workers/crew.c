#include "workers/crew.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/frame.h"
#include "workers/cage.h"
#include "workers/metrics.h"
#include "workers/names.h"
#include "workers/placement.h"
#include "workers/spec.h"

/* Survivors of a failed trial notice it within MECHANISM_PEER_CHECK_NS and then send what they have. */
enum { GRACE_MS = 600 };

static void report_exit(struct crew *crew, int worker, const char *cause)
{
    struct frame frame = {.type = FRAME_EXIT, .exit = {.worker = worker}};
    struct err ignored; /* a server that cannot be told is gone, which poll reports */
    text_copy(frame.exit.cause, sizeof frame.exit.cause, cause);
    frame_send(crew->metrics, &frame, &ignored);
}

/* ---- channels ---- */

static int open_channels(struct crew *crew, struct err *err)
{
    crew->channel_count = worker_channel_count(crew->mechanism, crew->spec.one.pattern);
    crew->channels_open = true;
    for (size_t i = 0; i < crew->channel_count; i++)
        crew->channels[i].channel = worker_channel_of(&crew->spec, (int)i);
    for (size_t i = 0; i < crew->channel_count; i++) {
        struct worker_channel *channel = &crew->channels[i];
        int result = crew->mechanism->open(channel->state, &channel->channel, err);
        if (result < 0) {
            crew->channel_count = i + 1; /* those close must undo, this one included */
            return err_prefix(err, "open %s", crew->mechanism->name);
        }
        text_copy(crew->control->addresses[i], sizeof crew->control->addresses[i], channel->channel.address);
    }
    return 0;
}

static void close_channels(struct crew *crew)
{
    for (size_t i = 0; i < crew->channel_count && crew->channels_open; i++)
        crew->mechanism->close(crew->channels[i].state, &crew->channels[i].channel);
    crew->channels_open = false;
}

/* ---- ends ---- */

static void kill_running(struct crew *crew)
{
    for (int i = 0; i < crew->member_count; i++)
        if (crew->members[i].pid != 0)
            kill(crew->members[i].pid, SIGKILL);
}

/* The trial is lost: wakes who waits at a barrier, and limits the patience with the rest. */
static void call_off(struct crew *crew, const char *reason)
{
    if (crew->failed)
        return;
    crew->failed = true;
    crew->deadline_ns = clock_now_ns() + GRACE_MS * NS_PER_MS;
    crew->deadline_reason = reason;
    control_set_phase(crew->control, CONTROL_ABORTED);
}

static void describe_end(const struct crew *crew, int index, int status, char *cause, size_t cause_bytes)
{
    const char *text = crew->control->errors[index].text;
    if (WIFSIGNALED(status))
        snprintf(cause, cause_bytes, "killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(cause, cause_bytes, "exited with status %d%s%.160s", WEXITSTATUS(status),
                 text[0] != '\0' ? ": " : "", text);
}

static int index_of(const struct crew *crew, pid_t pid)
{
    for (int i = 0; i < crew->member_count; i++)
        if (crew->members[i].pid == pid)
            return i;
    return -1; /* an orphan of a worker: as subreaper, or as pid 1, the leader inherits it */
}

static void settle(struct crew *crew, pid_t pid, int status)
{
    int index = index_of(crew, pid);
    if (index < 0)
        return;
    crew->members[index].pid = 0;
    crew->running--;
    if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_DONE)
        return;
    /* Of two that fail one is the cause; which of them is reaped first is chance. */
    crew->members[index].lost_peer = WIFEXITED(status) && WEXITSTATUS(status) == WORKER_LOST_PEER;
    if (!crew->members[index].lost_peer) {
        char cause[FRAME_CAUSE_BYTES];
        describe_end(crew, index, status, cause, sizeof cause);
        report_exit(crew, index, cause);
    }
    call_off(crew, "still running after another worker had failed");
}

static void reap(struct crew *crew)
{
    struct signalfd_siginfo info;
    while (read(crew->signal_fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGCHLD)
            call_off(crew, "stopped");
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        settle(crew, pid, status);
}

static void report_lost_peers(struct crew *crew)
{
    for (int i = 0; i < crew->member_count; i++)
        if (crew->members[i].lost_peer)
            report_exit(crew, i, crew->control->errors[i].text);
}

/* ---- the wait ---- */

static void count_attached(struct crew *crew)
{
    uint64_t more = 0;
    if (read(crew->attached_fd, &more, sizeof more) != sizeof more)
        return;
    crew->attached += more;
    if (crew->attached < (uint64_t)crew->member_count || crew->failed)
        return;
    close_channels(crew);
    control_set_phase(crew->control, CONTROL_ATTACHED);
}

static bool server_hung_up(const struct crew *crew)
{
    char byte;
    ssize_t got = recv(crew->metrics, &byte, sizeof byte, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

/* tear_down kills them. */
static void pass_deadline(struct crew *crew)
{
    crew->failed = true;
    for (int i = 0; i < crew->member_count; i++)
        if (crew->members[i].pid != 0)
            report_exit(crew, i, crew->deadline_reason);
}

static int wait_for_workers(struct crew *crew, struct err *err)
{
    struct pollfd fds[] = {{.fd = crew->signal_fd, .events = POLLIN},
                           {.fd = crew->attached_fd, .events = POLLIN},
                           {.fd = crew->metrics, .events = POLLIN}};
    while (crew->running > 0) {
        int64_t left_ns = crew->deadline_ns - clock_now_ns();
        if (left_ns <= 0) {
            pass_deadline(crew);
            break;
        }
        int ready = poll(fds, sizeof fds / sizeof *fds, (int)(left_ns / NS_PER_MS) + 1);
        if (ready < 0 && errno != EINTR)
            return err_errno(err, errno, "poll");
        if (ready <= 0)
            continue;
        if (fds[2].revents != 0 && server_hung_up(crew))
            return err_set(err, ECONNRESET, "the server hung up");
        if (fds[1].revents != 0)
            count_attached(crew);
        if (fds[0].revents != 0)
            reap(crew);
    }
    report_lost_peers(crew);
    return 0;
}

/* ---- the life ---- */

/* Before fork, or a child that ends early would be missed. */
static int open_signals(struct crew *crew, struct err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    crew->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return crew->signal_fd < 0 ? err_errno(err, errno, "signalfd") : 0;
}

static int set_up(struct crew *crew, struct err *err)
{
    int result = cage_enter(&crew->spec, err);
    if (result == 0)
        result = open_signals(crew, err);
    if (result < 0)
        return result;
    crew->control = control_create(&crew->control_fd, err);
    if (crew->control == NULL)
        return -err->code;
    crew->attached_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (crew->attached_fd < 0)
        return err_errno(err, errno, "eventfd");
    crew->deadline_ns = clock_now_ns() + trial_spec_deadline_ms(&crew->spec) * NS_PER_MS;
    crew->deadline_reason = "still running when the time allowed for the trial was over";
    crew->member_count = crew->spec.one.senders + crew->spec.one.receivers;
    result = open_channels(crew, err);
    return result < 0 ? result : crew_start(crew, err);
}

static void tear_down(struct crew *crew)
{
    kill_running(crew);
    for (int i = 0; i < crew->member_count; i++)
        if (crew->members[i].pid != 0)
            waitpid(crew->members[i].pid, NULL, 0);
    close_channels(crew);
    /* What close had to leave because removing it would have ended it under the workers' hands. */
    struct err err;
    if (names_clear(crew->spec.directory, &err) < 0)
        fprintf(stderr, "ipclab-worker crew: %s\n", err.text);
    control_unmap(crew->control);
    int fds[] = {crew->control_fd, crew->attached_fd, crew->signal_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static int run(struct crew *crew)
{
    struct err err;
    int status = CREW_BAD_SPEC;
    crew->mechanism = spec_mechanism(&crew->spec, &err);
    int result = crew->mechanism == NULL ? -err.code : placement_check(crew->spec.one.placement, &err);
    if (result == 0) {
        status = CREW_FAILED;
        result = set_up(crew, &err);
        if (result == 0)
            result = wait_for_workers(crew, &err);
        tear_down(crew);
    }
    if (result < 0) {
        report_exit(crew, FRAME_WORKER_LEADER, err.text);
        fprintf(stderr, "ipclab-worker crew: trial %lld: %s\n", (long long)crew->spec.trial, err.text);
    } else if (!crew->failed) {
        status = CREW_DONE;
    }
    struct frame bye = {.type = FRAME_BYE};
    frame_send(crew->metrics, &bye, &err);
    close(crew->metrics);
    return status;
}

int crew_main(int argument_count, char **arguments)
{
    (void)arguments;
    if (argument_count != 0) {
        fprintf(stderr, "usage: ipclab-worker crew < SPEC\n");
        return CREW_BAD_SPEC;
    }
    /* A server that died before this line is noticed by the connection below. */
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    static struct crew crew = {.control_fd = -1, .attached_fd = -1, .signal_fd = -1, .metrics = -1};
    struct err err;
    int status = CREW_BAD_SPEC;
    if (spec_read(STDIN_FILENO, &crew.document, &crew.spec, &err) < 0 ||
        (crew.metrics = metrics_connect(&crew.spec, FRAME_WORKER_LEADER, &err)) < 0)
        fprintf(stderr, "ipclab-worker crew: %s\n", err.text);
    else
        status = run(&crew);
    text_fini(&crew.document);
    return status;
}
