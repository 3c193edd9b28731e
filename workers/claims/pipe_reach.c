/* Who can use a pipe: descriptors and how they travel: fork(2), unix(7), pidfd_getfd(2), proc(5). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workers/claims/check.h"
#include "workers/claims/subject.h"
#include "workers/descriptor.h"

/* ---- 41: parent, child, grandchild, another program ---- */

enum { NOT_THERE = 127 };

/* Does a program that is executed in our place still find the descriptor? */
static bool survives_exec(int fd, bool close_on_exec)
{
    struct subject *subject = subject_new();
    if (subject_fork(subject) == 0) {
        char script[64];
        fcntl(fd, F_SETFD, close_on_exec ? FD_CLOEXEC : 0);
        snprintf(script, sizeof script, "echo x 2>/dev/null >&%d", fd);
        execl("/bin/sh", "sh", "-c", script, (char *)NULL);
        _exit(NOT_THERE);
    }
    return subject_wait(subject, SUBJECT_PATIENCE_MS).status == 0;
}

static bool child_writes(int fd, int generations, bool closes)
{
    struct subject *child = subject_new();
    if (subject_fork(child) == 0) {
        if (generations > 1)
            _exit(child_writes(fd, generations - 1, closes) ? 0 : 1);
        if (closes)
            close(fd);
        _exit(write(fd, "x", 1) == 1 ? 0 : 1);
    }
    return subject_wait(child, SUBJECT_PATIENCE_MS).status == 0;
}

static int check_inheritance(struct check *check)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return check_skip(check, "pipe2", errno, "refused");
    bool closes = check_is_sabotaged(check, "close");
    bool child = child_writes(fds[1], 1, closes), grandchild = child_writes(fds[1], 2, closes);
    bool executed = survives_exec(fds[1], false), executed_cloexec = survives_exec(fds[1], true);
    check_boolean(check, "child_writes", child);
    check_boolean(check, "grandchild_writes", grandchild);
    check_boolean(check, "executed_program_writes", executed);
    check_boolean(check, "executed_program_writes_cloexec", executed_cloexec);
    return check_conclude(check, child && grandchild, executed != executed_cloexec);
}

const struct claim claim_41 = {
    .number = 41,
    .mechanism = "pipe",
    .criteria = {"reach", "count"},
    .source = "fcntl(fds[1], F_SETFD, FD_CLOEXEC);\n"
              "if (fork() == 0) {\n"
              "    write(fds[1], \"x\", 1); /* works, in grandchildren too */\n"
              "    execl(…);              /* here the kernel closes fds[1] */\n"
              "}",
    .sabotages = {"close"},
    .run = check_inheritance,
};

/* ---- 42, 44: and processes that are no relatives ---- */

/* A message of one byte and one descriptor. */
static int send_descriptor(int through, int fd, bool number_alone)
{
    struct iovec number = {.iov_base = &fd, .iov_len = sizeof fd};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {.bytes = ""};
    struct msghdr message = {.msg_iov = &number, .msg_iovlen = 1};
    if (!number_alone) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    return sendmsg(through, &message, 0) < 0 ? -errno : 0;
}

/* The descriptor, or the bare number if that is all that came. */
static int receive_descriptor(int through)
{
    int fd = -1;
    struct iovec number = {.iov_base = &fd, .iov_len = sizeof fd};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct msghdr message = {.msg_iov = &number,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    if (recvmsg(through, &message, 0) < 0)
        return -errno;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

enum { ROUTE_SCM_RIGHTS, ROUTE_PIDFD, ROUTE_PROC, ROUTE_COUNT };

/* A process from before the pipe was made tries to write into it, by each route; what happened is in its
 * values, as errnos. */
static void be_stranger(struct subject *stranger, int through, pid_t maker, bool other_user)
{
    char byte = 's';
    int fd = receive_descriptor(through);
    stranger->values[ROUTE_SCM_RIGHTS] = write(fd, &byte, 1) == 1 ? 0 : errno;
    int number;
    if (read(through, &number, sizeof number) != sizeof number)
        _exit(1);
    stranger->values[ROUTE_COUNT] = other_user && subject_become_stranger(stranger);
    struct err err;
    int taken = descriptor_take(maker, number, &err);
    stranger->values[ROUTE_PIDFD] = taken < 0 ? -taken : write(taken, &byte, 1) == 1 ? 0 : errno;
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)maker, number);
    int opened = open(path, O_WRONLY | O_CLOEXEC);
    stranger->values[ROUTE_PROC] = opened >= 0 && write(opened, &byte, 1) == 1 ? 0 : errno;
    _exit(0);
}

static int try_routes(struct check *check, bool other_user, struct subject **tried, int *received)
{
    int through[2], fds[2];
    bool number_alone = check_is_sabotaged(check, "number_alone");
    struct subject *stranger = subject_new();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, through) != 0)
        return check_skip(check, "socketpair", errno, "refused");
    descriptor_allow();
    pid_t maker = getpid();
    if (subject_fork(stranger) == 0)
        be_stranger(stranger, through[1], maker, other_user);
    /* The stranger is there already, so it cannot inherit this. */
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return check_skip(check, "pipe2", errno, "refused");
    int named = number_alone ? -1 : fds[1];
    if (send_descriptor(through[0], fds[1], number_alone) < 0 ||
        write(through[0], &named, sizeof named) != sizeof named)
        return check_skip(check, "sendmsg", errno, "refused");
    subject_wait(stranger, SUBJECT_PATIENCE_MS);
    char bytes[ROUTE_COUNT + 1];
    ssize_t got = read(fds[0], bytes, sizeof bytes);
    *received = got < 0 ? 0 : (int)got;
    *tried = stranger;
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        close(through[i]);
    }
    return 0;
}

static int check_passing(struct check *check)
{
    struct subject *same, *other;
    int received, received_other;
    int result = try_routes(check, false, &same, &received);
    if (result == 0)
        result = try_routes(check, true, &other, &received_other);
    if (result != 0)
        return result;
    check_errno(check, "scm_rights_errno", (int)same->values[ROUTE_SCM_RIGHTS]);
    check_errno(check, "pidfd_getfd_errno", (int)same->values[ROUTE_PIDFD]);
    check_errno(check, "proc_fd_errno", (int)same->values[ROUTE_PROC]);
    check_integer(check, "received_bytes", received);
    if (other->values[ROUTE_COUNT] != 0) {
        check_errno(check, "other_user_scm_rights_errno", (int)other->values[ROUTE_SCM_RIGHTS]);
        check_errno(check, "other_user_pidfd_getfd_errno", (int)other->values[ROUTE_PIDFD]);
        check_errno(check, "other_user_proc_fd_errno", (int)other->values[ROUTE_PROC]);
    }
    return check_conclude(check, received == 0, false);
}

const struct claim claim_42 = {
    .number = 42,
    .mechanism = "pipe",
    .criteria = {"reach"},
    .source = "header->cmsg_type = SCM_RIGHTS;          /* 1: through a Unix socket */\n"
              "memcpy(CMSG_DATA(header), &fds[1], sizeof fds[1]);\n"
              "sendmsg(socket, &message, 0);\n"
              "fd = pidfd_getfd(pidfd, number, 0);      /* 2: out of a process */\n"
              "fd = open(\"/proc/4182/fd/4\", O_WRONLY);  /* 3: by its file in /proc */",
    .sabotages = {"number_alone"},
    .keeps_capabilities = true,
    .run = check_passing,
};

static int check_relatives(struct check *check)
{
    struct subject *stranger;
    int received;
    int result = try_routes(check, false, &stranger, &received);
    if (result != 0)
        return result;
    check_errno(check, "write_errno", (int)stranger->values[ROUTE_SCM_RIGHTS]);
    check_integer(check, "received_bytes", received);
    return check_conclude(check, received == 0, false);
}

const struct claim claim_44 = {
    .number = 44,
    .mechanism = "pipe",
    .criteria = {"reach"},
    .source = "if (fork() == 0)          /* before there is a pipe */\n"
              "    write(receive_descriptor(socket), \"s\", 1);\n"
              "pipe(fds);\n"
              "send_descriptor(socket, fds[1]);\n"
              "n = read(fds[0], &byte, 1);",
    .sabotages = {"number_alone"},
    .run = check_relatives,
};

/* ---- 43: what fork copies ---- */

enum { MOVED_TO = 5 };

static int check_copies(struct check *check)
{
    char path[ENCLOSURE_PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/file", check->enclosure->directory);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "0123456789", 10) != 10 || lseek(fd, 0, SEEK_SET) != 0)
        return check_skip(check, "open", errno, "refused");
    struct subject *child = subject_new();
    if (subject_fork(child) == 0) {
        int mine = check_is_sabotaged(check, "reopen") ? open(path, O_RDONLY | O_CLOEXEC) : fd;
        lseek(mine, MOVED_TO, SEEK_SET);
        close(mine);
        _exit(0);
    }
    subject_wait(child, SUBJECT_PATIENCE_MS);
    int64_t offset = lseek(fd, 0, SEEK_CUR);
    char byte = '\0';
    bool readable = read(fd, &byte, 1) == 1;
    check_boolean(check, "parent_reads_after_child_closed", readable);
    check_integer(check, "child_moved_to_bytes", MOVED_TO);
    check_integer(check, "parent_offset_bytes", offset);
    return check_conclude(check, readable, offset == MOVED_TO);
}

const struct claim claim_43 = {
    .number = 43,
    .mechanism = "pipe",
    .criteria = {"reach"},
    .source = "if (fork() == 0) {\n"
              "    lseek(fd, 5, SEEK_SET);\n"
              "    close(fd);            /* the child's copy alone */\n"
              "    _exit(0);\n"
              "}\n"
              "lseek(fd, 0, SEEK_CUR);   /* parent: 5 */",
    .sabotages = {"reopen"},
    .run = check_copies,
};
