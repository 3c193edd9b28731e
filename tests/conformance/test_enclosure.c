/* An enclosure's promises, with namespaces and without. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "tests/support/criterion.h"
#include "tests/support/scratch.h"
#include "workers/enclosure.h"
#include "workers/labs/lab.h"

enum { DEADLINE_MS = 30 * 1000, SHORT_MS = 100, PATIENCE_MS = 60 * 1000 };

/* What the function made, told to the test through a pipe whose write end its processes hold. */
struct made {
    int segment, semaphores;
    pid_t keeper;
    char directory[ENCLOSURE_PATH_BYTES];
};

static const bool ways[] = {false, true};

static struct enclosure_end enclose(bool without_namespaces, int64_t deadline_ms,
                                    int (*function)(const struct enclosure *, void *), void *context)
{
    struct enclosure_options options = {.deadline_ms = deadline_ms, .without_namespaces = without_namespaces};
    struct enclosure_end end;
    struct err err;
    cr_assert(eq(int, enclosure_run(&options, function, context, &end, &err), 0), "%s", err.text);
    return end;
}

static int return_seven(const struct enclosure *enclosure, void *context)
{
    (void)enclosure;
    (void)context;
    return 7;
}

static int crash(const struct enclosure *enclosure, void *context)
{
    (void)enclosure;
    (void)context;
    return raise(SIGSEGV);
}

static int wait_for_ever(const struct enclosure *enclosure, void *context)
{
    (void)enclosure;
    (void)context;
    while (pause() != 0)
        ;
    return 0;
}

/* A segment, semaphores, a file, and two generations of children that never end. */
static int make_things(const struct enclosure *enclosure, void *context)
{
    int report = *(int *)context;
    struct err err;
    struct made made = {.segment = -1, .keeper = getppid()};
    memcpy(made.directory, enclosure->directory, sizeof made.directory);
    if (enclosure_record_segments(enclosure, &err) < 0)
        return 1;
    made.segment = shmget(IPC_PRIVATE, 4096, 0600);
    made.semaphores = enclosure_semget(enclosure, 1, &err);
    char path[ENCLOSURE_PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/fifo", enclosure->directory);
    if (made.segment < 0 || made.semaphores < 0 || mkfifo(path, 0600) != 0)
        return 2;
    int told[2];
    if (pipe2(told, O_CLOEXEC) != 0)
        return 3;
    if (enclosure_fork() == 0) {
        if (enclosure_fork() == 0 &&
            (write(report, &made, sizeof made) != sizeof made || write(told[1], "", 1) != 1))
            _exit(1);
        wait_for_ever(enclosure, NULL);
    }
    char byte;
    return read(told[0], &byte, 1) == 1 ? 0 : 4;
}

static int make_things_and_wait(const struct enclosure *enclosure, void *context)
{
    int status = make_things(enclosure, context);
    return status != 0 ? status : wait_for_ever(enclosure, NULL);
}

/* End of file: every process that held the other end is gone. */
static void await_all_gone(int fd)
{
    struct pollfd end = {.fd = fd, .events = POLLIN};
    char byte;
    cr_assert(eq(int, poll(&end, 1, PATIENCE_MS), 1));
    cr_assert(eq(long, read(fd, &byte, 1), 0));
}

static void nothing_is_left(const struct made *made, bool had_directory)
{
    struct shmid_ds status;
    if (!had_directory)
        return; /* other namespaces: their ids mean something else here, and nothing reaches out */
    cr_assert(eq(int, shmctl(made->segment, IPC_STAT, &status), -1));
    cr_assert(eq(int, semctl(made->semaphores, 0, GETVAL), -1));
    cr_assert(eq(int, access(made->directory, F_OK), -1));
}

Test(enclosure, tells_how_the_function_ended)
{
    for (int i = 0; i < 2; i++) {
        struct enclosure_end end = enclose(ways[i], DEADLINE_MS, return_seven, NULL);
        cr_assert(eq(int, end.status, 7));
        cr_assert(eq(int, end.signal, 0));
        end = enclose(ways[i], DEADLINE_MS, crash, NULL);
        cr_assert(eq(int, end.signal, SIGSEGV));
        end = enclose(ways[i], SHORT_MS, wait_for_ever, NULL);
        cr_assert(end.timed_out);
    }
}

Test(enclosure, takes_everything_with_it)
{
    for (int i = 0; i < 2; i++) {
        int fds[2];
        cr_assert(eq(int, pipe2(fds, O_CLOEXEC), 0));
        struct enclosure_end end = enclose(ways[i], DEADLINE_MS, make_things, &fds[1]);
        close(fds[1]);
        struct made made;
        cr_assert(eq(long, read(fds[0], &made, sizeof made), (long)sizeof made));
        await_all_gone(fds[0]);
        nothing_is_left(&made, !end.caged);
        close(fds[0]);
    }
}

static int open_a_closed_file(const struct enclosure *enclosure, void *context)
{
    (void)context;
    char path[ENCLOSURE_PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/closed", enclosure->directory);
    AUTO_CLOSE int made = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
    AUTO_CLOSE int opened = open(path, O_RDONLY | O_CLOEXEC);
    return made < 0 ? ENCLOSURE_STATUS_MAX : opened < 0 ? errno : 0;
}

Test(enclosure, binds_root_by_permission_bits)
{
    for (int i = 0; i < 2; i++) {
        struct enclosure_end end = enclose(ways[i], DEADLINE_MS, open_a_closed_file, NULL);
        cr_assert(eq(int, end.status, EACCES));
    }
}

/* As the usual seccomp filter of containers does, which cannot look into clone3's arguments. */
static void refuse_clone3(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    cr_assert(eq(int, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0));
    cr_assert(eq(int, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0));
}

Test(enclosure, needs_no_clone3)
{
    refuse_clone3();
    for (int i = 0; i < 2; i++)
        cr_assert(eq(int, enclose(ways[i], DEADLINE_MS, return_seven, NULL).status, 7));
}

/* One with a worker that is started by another. */
Test(enclosure, its_labs_need_no_clone3)
{
    char name[] = "pipe_gauge";
    char *arguments[] = {name, NULL};
    refuse_clone3();
    pid_t lab = enclosure_fork();
    if (lab == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        _exit(lab_main(1, arguments));
    }
    int status = -1;
    cr_assert(eq(int, waitpid(lab, &status, 0), lab));
    cr_assert(eq(int, status, 0));
}

/* A caller whose function waits for ever; *made is what it has made until now. */
static pid_t start_caller(bool without_namespaces, int *gone, struct made *made)
{
    int fds[2];
    cr_assert(eq(int, pipe2(fds, O_CLOEXEC), 0));
    pid_t caller = fork();
    if (caller == 0) {
        enclose(without_namespaces, DEADLINE_MS, make_things_and_wait, &fds[1]);
        _exit(0);
    }
    close(fds[1]);
    *gone = fds[0];
    cr_assert(eq(long, read(fds[0], made, sizeof *made), (long)sizeof *made));
    return caller;
}

Test(enclosure, does_not_outlive_its_caller)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    setenv("TMPDIR", scratch.path, 1);
    for (int i = 0; i < 2; i++) {
        struct made made;
        AUTO_CLOSE int gone = -1;
        pid_t caller = start_caller(ways[i], &gone, &made);
        kill(caller, SIGKILL);
        waitpid(caller, NULL, 0);
        await_all_gone(gone);
        nothing_is_left(&made, strncmp(made.directory, scratch.path, strlen(scratch.path)) == 0);
    }
}

Test(enclosure, is_swept_by_the_next_when_all_were_killed)
{
    AUTO(scratch_fini) struct scratch scratch;
    scratch_init(&scratch);
    setenv("TMPDIR", scratch.path, 1);
    struct made made;
    AUTO_CLOSE int gone = -1;
    pid_t caller = start_caller(true, &gone, &made);
    kill(caller, SIGSTOP);
    kill(made.keeper, SIGKILL);
    kill(caller, SIGKILL);
    waitpid(caller, NULL, 0);
    await_all_gone(gone);
    cr_assert(eq(int, access(made.directory, F_OK), 0));
    enclose(true, DEADLINE_MS, return_seven, NULL);
    nothing_is_left(&made, true);
}
