#include "workers/enclosure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common/cage_flags.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "workers/cage.h"
#include "workers/names.h"

#define DIRECTORY_PREFIX "ipclab-enclosure-"

/* How a keeper ends that could not build its walls: the caller then goes without. */
enum { STATUS_REFUSED = ENCLOSURE_STATUS_MAX + 1, STATUS_KILLED = 128 };
enum { CPU_MARGIN_S = 10, FILE_BYTES_MAX = 1 << 30 };

struct plan {
    const struct enclosure_options *options;
    int (*function)(const struct enclosure *enclosure, void *context);
    void *context;
    struct enclosure enclosure;
};

/* ---- inside ---- */

void enclosure_follow(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent)
        _exit(STATUS_KILLED); /* it ended before we asked */
}

pid_t enclosure_fork(void)
{
    fflush(NULL);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        enclosure_follow(parent);
    return pid;
}

static void limit(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit old;
    if (getrlimit(resource, &old) != 0 || old.rlim_max < value)
        return; /* it is stricter already */
    setrlimit(resource, &(struct rlimit){value, value});
}

static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* fails for SIGKILL, SIGSTOP and the C library's own */
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Root in a container may lack the right to lower its bounding set, CAP_SETPCAP; then what counts for this
 * process alone has to do. */
static int drop_capabilities(void)
{
    struct err err;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{.effective = 0}};
    if (cage_drop_capabilities(&err) == 0 || syscall(SYS_capset, &header, none) == 0)
        return 0;
    return -errno;
}

_Noreturn static void be_subject(struct plan *plan)
{
    reset_signals();
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, (rlim_t)(plan->options->deadline_ms / MS_PER_S + CPU_MARGIN_S));
    limit(RLIMIT_FSIZE, FILE_BYTES_MAX);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    bool has_capabilities = plan->enclosure.caged || geteuid() == 0;
    if (has_capabilities && !plan->options->keeps_capabilities && drop_capabilities() < 0)
        _exit(STATUS_REFUSED);
    int status = plan->function(&plan->enclosure, plan->context);
    fflush(NULL);
    _exit(status);
}

/* Also as the one who reaps what lost its parent. */
static int wait_for(pid_t subject)
{
    int status = 0;
    for (;;) {
        pid_t pid = waitpid(-1, &status, 0);
        if (pid == subject)
            return status;
        if (pid < 0 && errno != EINTR)
            return W_EXITCODE(STATUS_REFUSED, 0);
    }
}

/* PR_SET_PDEATHSIG says nothing if the caller died before it was set, and in a process namespace of one's own
 * getppid() is 0: so the caller holds the other end of a pipe. */
static bool caller_lives(int lifeline)
{
    struct pollfd end = {.fd = lifeline, .events = POLLIN};
    return poll(&end, 1, 0) == 0;
}

/* Until the subject has ended, or the caller: -ECANCELED. */
static int watch(pid_t subject, int lifeline)
{
    AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, subject, 0);
    struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN}, {.fd = lifeline, .events = POLLIN}};
    while (poll(fds, sizeof fds / sizeof *fds, -1) < 0 && errno == EINTR)
        ;
    return fds[1].revents != 0 ? -ECANCELED : 0;
}

static void kill_children(void)
{
    AUTO_FCLOSE FILE *children = fopen("/proc/thread-self/children", "re");
    int pid;
    while (children != NULL && fscanf(children, "%d", &pid) == 1)
        kill(pid, SIGKILL);
}

/* What outlived its parents came to us, for we are their subreaper; and it comes in waves. */
static void bury_children(void)
{
    do
        kill_children();
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

static void sweep(const char *directory)
{
    struct err err;
    if (names_sweep(directory, &err) < 0)
        fprintf(stderr, "ipclab-worker: sweep %s: %s\n", directory, err.text);
}

static int furnish(struct plan *plan, uid_t uid, gid_t gid)
{
    struct err err;
    if (!plan->enclosure.caged)
        return 0;
    /* Our own /tmp on a tmpfs: then there is no directory outside that a kill could leave. */
    strcpy(plan->enclosure.directory, "/tmp");
    int result = (cage_flags_for(uid) & CLONE_NEWUSER) != 0 ? cage_settle_user(uid, gid) : 0;
    if (result == 0)
        result = cage_furnish(plan->enclosure.directory, &err);
    return result == 0 && chmod(plan->enclosure.directory, 0755) != 0 ? -errno : result;
}

_Noreturn static void be_keeper(struct plan *plan, int lifeline, uid_t uid, gid_t gid)
{
    if (furnish(plan, uid, gid) < 0)
        _exit(STATUS_REFUSED);
    /* After the ids are settled, for that cancels it. Without namespaces the keeper outlives the caller, to
     * sweep in its place. */
    if (plan->enclosure.caged) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (!caller_lives(lifeline))
            _exit(STATUS_REFUSED);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid_t subject = enclosure_fork();
    if (subject < 0)
        _exit(STATUS_REFUSED);
    if (subject == 0) {
        close(lifeline);
        be_subject(plan);
    }
    if (!plan->enclosure.caged && watch(subject, lifeline) < 0) {
        bury_children();
        sweep(plan->enclosure.directory);
        _exit(STATUS_REFUSED);
    }
    int status = wait_for(subject);
    _exit(WIFSIGNALED(status) ? STATUS_KILLED + WTERMSIG(status) : WEXITSTATUS(status));
}

/* ---- a directory, for an enclosure without namespaces ---- */

/* Locked through an open file description that all processes of the enclosure inherit: it is in use as long
 * as one of them lives. */
static int lock_directory(const char *path)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return -errno;
    if (status.st_uid != geteuid())
        return -EPERM;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return -errno;
    /* Whoever swept may have removed it before it was ours. */
    return fstat(fd, &status) == 0 && status.st_nlink > 0 ? take_fd(&fd) : -ENOENT;
}

static void sweep_abandoned(const char *parent)
{
    DIR *stream = opendir(parent);
    if (stream == NULL)
        return;
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        if (strncmp(entry->d_name, DIRECTORY_PREFIX, strlen(DIRECTORY_PREFIX)) != 0)
            continue;
        char path[ENCLOSURE_PATH_BYTES];
        if ((size_t)snprintf(path, sizeof path, "%s/%s", parent, entry->d_name) >= sizeof path)
            continue;
        AUTO_CLOSE int fd = lock_directory(path);
        if (fd >= 0)
            names_sweep(path, NULL);
    }
    closedir(stream);
}

/* Its lock, or -errno. */
static int make_directory(char *path, size_t path_bytes, struct err *err)
{
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || *parent == '\0')
        parent = "/tmp";
    sweep_abandoned(parent);
    for (int tries = 0; tries < 5; tries++) {
        if ((size_t)snprintf(path, path_bytes, "%s/" DIRECTORY_PREFIX "XXXXXX", parent) >= path_bytes)
            return err_set(err, ENAMETOOLONG, "TMPDIR is too long: %s", parent);
        if (mkdtemp(path) == NULL)
            return err_errno(err, errno, "make a directory in %s", parent);
        int fd = lock_directory(path);
        if (fd >= 0 && fchmod(fd, 0755) == 0)
            return fd;
    }
    return err_set(err, EBUSY, "lock a directory in %s", parent);
}

/* ---- outside ---- */

static void await(pid_t keeper, int pidfd, int64_t deadline_ns, struct enclosure_end *end)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    int64_t left_ns;
    while ((left_ns = deadline_ns - clock_now_ns()) > 0)
        if (poll(&ended, 1, (int)(left_ns / NS_PER_MS) + 1) > 0)
            break;
    if (left_ns <= 0 && poll(&ended, 1, 0) == 0) {
        end->timed_out = true;
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    }
    int status = 0;
    while (waitpid(keeper, &status, 0) < 0 && errno == EINTR)
        ;
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    if (end->status > STATUS_KILLED) {
        end->signal = end->status - STATUS_KILLED;
        end->status = 0;
    }
}

/* -EAGAIN: the walls were refused. */
static int run(struct plan *plan, struct enclosure_end *end, struct err *err)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int lifeline[2], pidfd;
    if (pipe2(lifeline, O_CLOEXEC) != 0)
        return err_errno(err, errno, "pipe2");
    fflush(NULL);
    plan->enclosure.deadline_ns = clock_now_ns() + plan->options->deadline_ms * NS_PER_MS;
    pid_t keeper = cage_clone(plan->enclosure.caged ? cage_flags_for(uid) : 0, &pidfd);
    if (keeper == 0) {
        close(lifeline[1]);
        be_keeper(plan, lifeline[0], uid, gid);
    }
    close(lifeline[0]);
    if (keeper > 0) {
        await(keeper, pidfd, plan->enclosure.deadline_ns, end);
        close(pidfd);
    }
    close(lifeline[1]);
    if (keeper < 0)
        return plan->enclosure.caged ? -EAGAIN : err_errno(err, -keeper, "start a keeper");
    if (end->signal == 0 && end->status == STATUS_REFUSED)
        return plan->enclosure.caged ? -EAGAIN : err_set(err, EPERM, "give up the capabilities");
    return 0;
}

static int run_uncaged(struct plan *plan, struct enclosure_end *end, struct err *err)
{
    plan->enclosure.caged = false;
    AUTO_CLOSE int lock = make_directory(plan->enclosure.directory, sizeof plan->enclosure.directory, err);
    if (lock < 0)
        return lock;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    int result = run(plan, end, err);
    bury_children();
    sweep(plan->enclosure.directory);
    return result;
}

int enclosure_run(const struct enclosure_options *options,
                  int (*function)(const struct enclosure *enclosure, void *context), void *context,
                  struct enclosure_end *end, struct err *err)
{
    struct plan plan = {.options = options, .function = function, .context = context};
    int result = -EAGAIN;
    *end = (struct enclosure_end){.caged = true};
    if (!options->without_namespaces) {
        plan.enclosure.caged = true;
        result = run(&plan, end, err);
    }
    if (result != -EAGAIN)
        return result;
    *end = (struct enclosure_end){.caged = false};
    return run_uncaged(&plan, end, err);
}

/* ---- System V objects of an enclosure without namespaces ---- */

/* A segment may have no key, and the key may be the experiment's subject; its creator is always known. */
int enclosure_record_segments(const struct enclosure *enclosure, struct err *err)
{
    if (enclosure->caged)
        return 0;
    return names_record(enclosure->directory, ENCLOSURE_RECORDER, err, "segments %d %lld", (int)getpid(),
                        (long long)time(NULL));
}

int enclosure_semget(const struct enclosure *enclosure, int count, struct err *err)
{
    uint32_t key = 0;
    if (getrandom(&key, sizeof key, 0) != sizeof key)
        return err_errno(err, errno, "getrandom");
    key = (key & INT32_MAX) | 1; /* never IPC_PRIVATE, which is 0 */
    int result = enclosure->caged ? 0
                                  : names_record(enclosure->directory, ENCLOSURE_RECORDER, err,
                                                 "semaphores %u", (unsigned)key);
    if (result < 0)
        return result;
    int id = semget((key_t)key, count, IPC_CREAT | IPC_EXCL | 0600);
    return id < 0 ? err_errno(err, errno, "semget") : id;
}

static int remove_semaphores(key_t key, struct err *err)
{
    int id = semget(key, 0, 0);
    if (id < 0 || semctl(id, 0, IPC_RMID) == 0 || errno == EPERM)
        return 0; /* EPERM: somebody else's */
    return err_errno(err, errno, "remove semaphores %d", id);
}

static int remove_segments(pid_t creator, int64_t since_s, struct err *err)
{
    AUTO_FCLOSE FILE *segments = fopen("/proc/sysvipc/shm", "re");
    if (segments == NULL)
        return err_errno(err, errno, "open /proc/sysvipc/shm");
    char line[512];
    while (fgets(line, sizeof line, segments) != NULL) {
        int id, pid;
        unsigned uid;
        long long changed_s;
        /* key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime: proc(5) */
        if (sscanf(line, "%*d %d %*o %*u %d %*d %*u %*u %*u %u %*u %*u %*u %lld", &id, &pid, &uid,
                   &changed_s) != 4)
            continue;
        if (pid == creator && uid == geteuid() && changed_s >= since_s && shmctl(id, IPC_RMID, NULL) != 0)
            return err_errno(err, errno, "remove segment %d", id);
    }
    return 0;
}

int enclosure_remove_name(const char *name, struct err *err)
{
    int creator;
    unsigned key;
    long long since_s;
    if (sscanf(name, "segments %d %lld", &creator, &since_s) == 2)
        return remove_segments(creator, since_s, err);
    if (sscanf(name, "semaphores %u", &key) == 1)
        return remove_semaphores((key_t)key, err);
    return err_set(err, EINVAL, "sweep: \"%s\" tells of no segments or semaphores", name);
}
