#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/crew.h"

/* Dies with the leader. PR_SET_PDEATHSIG says nothing if the parent died before it was set. */
static void follow_leader(pid_t leader)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != leader)
        _exit(WORKER_FAILED);
}

static void forget_leaders_descriptors(struct crew *crew)
{
    close(crew->metrics);
    close(crew->signal_fd);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); /* the leader blocks what it reads from its signalfd */
}

_Noreturn static void be_related(struct crew *crew, int index, pid_t leader)
{
    follow_leader(leader);
    forget_leaders_descriptors(crew);
    struct worker worker = {.spec = &crew->spec,
                            .mechanism = crew->mechanism,
                            .index = index,
                            .control = crew->control,
                            .attached = crew->attached_fd,
                            .control_fd = crew->control_fd,
                            .channels = crew->channels,
                            .channel_count = crew->channel_count};
    exit(worker_run(&worker));
}

/* Everything the leader opened is close-on-exec; only the control page and the counter are let through. */
_Noreturn static void be_unrelated(struct crew *crew, int index, pid_t leader, int document)
{
    char number[3][16];
    follow_leader(leader);
    forget_leaders_descriptors(crew);
    snprintf(number[0], sizeof number[0], "%d", index);
    snprintf(number[1], sizeof number[1], "%d", crew->control_fd);
    snprintf(number[2], sizeof number[2], "%d", crew->attached_fd);
    char *arguments[] = {"ipclab-worker", "worker", number[0], number[1], number[2], NULL};
    if (dup2(document, STDIN_FILENO) >= 0 && fcntl(crew->control_fd, F_SETFD, 0) == 0 &&
        fcntl(crew->attached_fd, F_SETFD, 0) == 0)
        execv("/proc/self/exe", arguments);
    _exit(WORKER_FAILED);
}

/* A pipe that holds the whole spec: TRIAL_SPEC_BYTES_MAX fits its capacity. */
static int open_document(const struct text *document, struct err *err)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_errno(err, errno, "pipe2");
    ssize_t written = write(fds[1], text_string(document), document->length);
    close(fds[1]);
    if (written == (ssize_t)document->length)
        return fds[0];
    close(fds[0]);
    return err_set(err, EIO, "the trial spec does not fit a pipe");
}

static int start(struct crew *crew, int index, struct err *err)
{
    AUTO_CLOSE int document = -1;
    bool related = crew->spec.one.relation == RELATION_RELATED;
    if (!related && (document = open_document(&crew->document, err)) < 0)
        return document;
    pid_t leader = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(err, errno, "fork worker %d", index);
    if (pid == 0 && related)
        be_related(crew, index, leader);
    if (pid == 0)
        be_unrelated(crew, index, leader, document);
    crew->members[index].pid = pid;
    crew->running++;
    return 0;
}

int crew_start(struct crew *crew, struct err *err)
{
    fflush(NULL); /* or a forked worker's exit would write it once more */
    int result = 0;
    for (int i = 0; i < crew->member_count && result == 0; i++)
        result = start(crew, i, err);
    return result;
}
