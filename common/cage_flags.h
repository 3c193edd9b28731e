/* cage_flags: how a crew leader is started inside namespaces of its own.
 *
 * The server (and the test that plays it) calls cage_clone, in the child cage_settle_user when it asked for a
 * user namespace, and then executes `ipclab-worker crew`; the leader, pid 1 of the cage, furnishes it
 * (workers/cage.h). When the leader dies, however it dies, the kernel kills what is left in its pid namespace
 * and frees every System V object, queue, mount and socket of the others: clone(2), pid_namespaces(7),
 * ipc_namespaces(7).
 *
 * Everything here may run between clone and exec of a single-threaded process. */
#ifndef IPCLAB_COMMON_CAGE_FLAGS_H
#define IPCLAB_COMMON_CAGE_FLAGS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define CAGE_NAMESPACES ((uint64_t)(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET))

/* Namespaces for a caller with this effective user id. An ordinary user needs a user namespace to be allowed
 * the others. Root takes none: inside one, permission bits would not bind it as they bind everybody else and
 * setresuid would fail, which falsifies experiments about permissions. */
static inline uint64_t cage_flags_for(uid_t euid)
{
    return euid == 0 ? CAGE_NAMESPACES : CAGE_NAMESPACES | CLONE_NEWUSER;
}

/* fork with namespaces (flags may be 0) and a pidfd, which is close-on-exec. As fork: 0 in the child, the
 * pid in the parent, -errno when refused (EPERM, ENOSPC, EINVAL: then start the crew uncaged). clone and not
 * clone3, whose flags a seccomp filter cannot see: the usual one of containers refuses it altogether. */
static inline pid_t cage_clone(uint64_t flags, int *pidfd)
{
    long pid = syscall(SYS_clone, (unsigned long)flags | CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, NULL);
    return pid < 0 ? -errno : (pid_t)pid;
}

static inline int cage_write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, text, strlen(text));
    int result = written < 0 ? -errno : 0;
    close(fd);
    return result;
}

/* In the child, when flags had CLONE_NEWUSER, with the ids the caller had before the clone: maps them to
 * themselves, the one mapping an ordinary user may write (user_namespaces(7)), and carries the capabilities
 * over the exec. The clone gave the child every capability in its namespace, but exec takes them from anyone
 * who is not user 0 there; only ambient ones survive (capabilities(7)). The leader needs them to mount and to
 * bring the loopback up, and drops them before it starts a worker. 0 or -errno. */
static inline int cage_settle_user(uid_t uid, gid_t gid)
{
    char uid_map[48], gid_map[48];
    snprintf(uid_map, sizeof uid_map, "%u %u 1", (unsigned)uid, (unsigned)uid);
    snprintf(gid_map, sizeof gid_map, "%u %u 1", (unsigned)gid, (unsigned)gid);
    const char *const files[][2] = {
        {"/proc/self/uid_map", uid_map}, {"/proc/self/setgroups", "deny"}, {"/proc/self/gid_map", gid_map}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int result = cage_write_file(files[i][0], files[i][1]);
        if (result < 0)
            return result;
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, data) != 0)
        return -errno;
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        data[i].inheritable = data[i].permitted;
    if (syscall(SYS_capset, &header, data) != 0)
        return -errno;
    for (unsigned long capability = 0; capability <= CAP_LAST_CAP; capability++)
        if ((data[capability / 32].permitted >> (capability % 32) & 1) != 0 &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0)
            return -errno;
    return 0;
}

#endif
