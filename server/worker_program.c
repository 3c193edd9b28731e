#include "server/worker_program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cage_flags.h"
#include "common/cleanup.h"
#include "common/clock.h"

enum { ARGUMENTS_MAX = 8, CAPTURE_TIMEOUT_MS = 10000, CAPTURE_BYTES_MAX = 1 << 20 };

int worker_program_find(struct worker_program *program, struct err *err)
{
    static const char name[] = "ipclab-worker";
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return err_errno(err, errno, "read /proc/self/exe");
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL || (size_t)(slash + 1 - self) + sizeof name > sizeof program->path)
        return err_set(err, ENAMETOOLONG, "the path of this program is too long");
    memcpy(program->path, self, (size_t)(slash + 1 - self));
    memcpy(program->path + (slash + 1 - self), name, sizeof name);
    if (access(program->path, X_OK) < 0)
        return err_errno(err, errno, "%s has to lie beside the server", program->path);
    return 0;
}

/* In the child: never returns. What fails here shows as exit status 127. */
_Noreturn static void become_worker(const struct worker_program *program, char *const *arguments, int input,
                                    int output, uint64_t namespaces, uid_t uid, gid_t gid)
{
    char *vector[ARGUMENTS_MAX + 2] = {(char *)program->path};
    for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; i++)
        vector[i + 1] = arguments[i];
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* also those that are ignored: that would survive the exec */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if ((namespaces & CLONE_NEWUSER) != 0 && cage_settle_user(uid, gid) < 0)
        _exit(127);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (dup2(input >= 0 ? input : null, STDIN_FILENO) < 0 ||
        dup2(output >= 0 ? output : null, STDOUT_FILENO) < 0)
        _exit(127);
    close_range(STDERR_FILENO + 1, ~0u, 0);
    execv(program->path, vector);
    _exit(127);
}

int worker_program_start(const struct worker_program *program, char *const *arguments, int input, int output,
                         uint64_t namespaces, struct worker_child *child, struct err *err)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    pid_t pid = cage_clone(namespaces, &child->pidfd);
    if (pid == 0)
        become_worker(program, arguments, input, output, namespaces, uid, gid);
    if (pid < 0)
        return err_errno(err, -pid, "start %s %s", program->path, arguments[0]);
    return 0;
}

/* Appends what comes until the other end closes. */
static int read_until_closed(int fd, struct text *output, int64_t deadline_ns)
{
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int64_t left_ms = (deadline_ns - clock_now_ns()) / NS_PER_MS;
        int ready = left_ms > 0 ? poll(&wait, 1, (int)left_ms) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return ready == 0 ? -ETIMEDOUT : -errno;
        char chunk[4096];
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got <= 0)
            return got == 0 ? 0 : -errno;
        text_append_bytes(output, chunk, (size_t)got);
        if (output->length > CAPTURE_BYTES_MAX)
            return -EFBIG;
    }
}

bool worker_child_reap(const struct worker_child *child, const char *who, char *cause, size_t cause_bytes)
{
    siginfo_t info = {.si_pid = 0};
    while (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED) < 0 && errno == EINTR)
        ;
    if (info.si_code != CLD_EXITED)
        snprintf(cause, cause_bytes, "%s was killed by signal %d (%s)", who, info.si_status,
                 strsignal(info.si_status));
    else if (info.si_status != 0)
        snprintf(cause, cause_bytes, "%s ended with status %d", who, info.si_status);
    else
        return true;
    return false;
}

int worker_program_capture(const struct worker_program *program, char *const *arguments, uint64_t namespaces,
                           struct text *output, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(err, errno, "create a pipe");
    AUTO_CLOSE int read_end = ends[0];
    struct worker_child child;
    int result = worker_program_start(program, arguments, -1, ends[1], namespaces, &child, err);
    close(ends[1]);
    if (result < 0)
        return result;
    AUTO_CLOSE int pidfd = child.pidfd;
    result = read_until_closed(read_end, output, clock_now_ns() + CAPTURE_TIMEOUT_MS * NS_PER_MS);
    if (result < 0)
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    char who[64], cause[160];
    snprintf(who, sizeof who, "ipclab-worker %s", arguments[0]);
    bool ended_well = worker_child_reap(&child, who, cause, sizeof cause);
    if (result < 0)
        return err_errno(err, -result, "read from %s", who);
    return ended_well ? 0 : err_set(err, ECHILD, "%s", cause);
}
