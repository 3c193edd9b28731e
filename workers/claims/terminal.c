#include "workers/claims/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* TIOCGPTPEER opens the other side without a path, which a mount namespace could lead elsewhere. */
int terminal_open(int fds[2])
{
    fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fds[0] < 0)
        return -errno;
    fds[1] = unlockpt(fds[0]) == 0 ? ioctl(fds[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    if (fds[1] >= 0)
        return 0;
    int error = errno;
    close(fds[0]);
    errno = error;
    return -error;
}
