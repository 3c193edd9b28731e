#include "workers/descriptor.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

void descriptor_allow(void)
{
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* EINVAL without Yama, where nothing is needed */
}

int descriptor_take(pid_t pid, int fd, struct err *err)
{
    AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return err_errno(err, errno, "pidfd_open of process %d", (int)pid);
    int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
    if (copy < 0)
        return err_errno(err, errno,
                         "pidfd_getfd of descriptor %d of process %d (see kernel.yama.ptrace_scope and the "
                         "container's seccomp filter; relatives need none of it)",
                         fd, (int)pid);
    return copy;
}
