#include "workers/cage.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cage_flags.h"
#include "common/cleanup.h"
#include "common/clock.h"

/* A sanitizer reserves terabytes of address space for its shadow. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER 1
#endif
#endif

static int mount_tmpfs(const char *directory, const char *options, struct err *err)
{
    if (mount("tmpfs", directory, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) != 0)
        return err_errno(err, errno, "mount a tmpfs over %s", directory);
    return 0;
}

/* A new network namespace has a loopback interface that is down. */
static int raise_loopback(struct err *err)
{
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(err, errno, "socket");
    struct ifreq interface = {.ifr_name = "lo"};
    if (ioctl(fd, SIOCGIFFLAGS, &interface) != 0)
        return err_errno(err, errno, "read the flags of lo");
    interface.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &interface) != 0)
        return err_errno(err, errno, "bring lo up");
    return 0;
}

int cage_furnish(const char *directory, struct err *err)
{
    /* First of all: a mount namespace starts as a copy whose mounts still propagate to the original. */
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return err_errno(err, errno, "make the mounts private");
    int result = mount_tmpfs("/dev/shm", "mode=1777,size=1g", err);
    if (result == 0)
        result = mount_tmpfs(directory, "mode=0700,size=1g", err);
    if (result < 0)
        return result;
    /* These two can be missing or refused (a container hides parts of /proc) without harm: the old /proc
     * still answers for /proc/self, and queues are in the IPC namespace whether their file system is
     * mounted or not. */
    mount("mqueue", "/dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    return raise_loopback(err);
}

/* SECBIT_NOROOT: user 0 is an ordinary user to exec. Without a capability it is one to permission bits too.
 */
int cage_drop_capabilities(struct err *err)
{
    unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                         SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                         SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0)
        return err_errno(err, errno, "lock the secure bits");
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
            return err_errno(err, errno, "drop capability %lu", capability);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{.effective = 0}};
    if (syscall(SYS_capset, &header, none) != 0)
        return err_errno(err, errno, "drop the capabilities");
    return 0;
}

static int limit(int resource, rlim_t value, const char *name, struct err *err)
{
    struct rlimit old;
    if (getrlimit((__rlimit_resource_t)resource, &old) != 0)
        return err_errno(err, errno, "read the limit %s", name);
    if (value > old.rlim_max)
        value = old.rlim_max;
    struct rlimit wanted = {.rlim_cur = value, .rlim_max = value};
    if (setrlimit((__rlimit_resource_t)resource, &wanted) != 0)
        return err_errno(err, errno, "set the limit %s", name);
    return 0;
}

/* Resource limits, and no gain of privilege by exec. */
static int set_limits(const struct trial_spec *spec, struct err *err)
{
    enum { FILES = 256, PROCESSES = 64, CPU_MARGIN_S = 10, GIB = 1 << 30 };
    rlim_t cpu_s = (rlim_t)(trial_spec_deadline_ms(spec) / MS_PER_S + CPU_MARGIN_S);
    int result = limit(RLIMIT_CORE, 0, "core", err);
    if (result == 0)
        result = limit(RLIMIT_CPU, cpu_s, "cpu", err);
    if (result == 0)
        result = limit(RLIMIT_FSIZE, GIB, "fsize", err);
    if (result == 0)
        result = limit(RLIMIT_NOFILE, FILES, "nofile", err);
#ifndef HAS_ADDRESS_SANITIZER
    if (result == 0)
        result = limit(RLIMIT_AS, 4 * (rlim_t)GIB, "as", err);
#endif
    /* Counted for the user in the namespace; elsewhere it would count all the user's processes. */
    if (result == 0 && spec->cage == CAGE_FULL && geteuid() != 0)
        result = limit(RLIMIT_NPROC, PROCESSES, "nproc", err);
    if (result == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_errno(err, errno, "set no_new_privs");
    return result;
}

int cage_enter(const struct trial_spec *spec, struct err *err)
{
    int result = 0;
    if (spec->cage == CAGE_FULL) {
        /* Mounting over /dev/shm is for the first process of a cage, not for somebody who tries this by hand.
         */
        if (getpid() != 1)
            return err_set(err, EPERM, "cage \"full\" is for a leader that was started in namespaces");
        result = cage_furnish(spec->directory, err);
        if (result == 0)
            result = cage_drop_capabilities(err);
    }
    if (result == 0)
        result = set_limits(spec, err);
    return result < 0 ? err_prefix(err, "cage") : 0;
}
