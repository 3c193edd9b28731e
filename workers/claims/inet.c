#include "workers/claims/inet.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int inet_bind(struct check *check, int type, struct sockaddr_in *address)
{
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return check_skip(check, "socket", errno, "refused");
    if (bind(fd, (struct sockaddr *)address, sizeof *address) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &length) != 0)
        return check_skip(check, "bind", errno, "refused");
    return fd;
}

int inet_listen(struct check *check, int backlog, struct sockaddr_in *address)
{
    int fd = inet_bind(check, SOCK_STREAM, address);
    if (fd >= 0 && listen(fd, backlog) != 0)
        return check_skip(check, "listen", errno, "refused");
    return fd;
}

int inet_connect(const struct sockaddr_in *address, int flags)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EINPROGRESS)
        return fd;
    int error = errno;
    close(fd);
    return -error;
}

int inet_pair(struct check *check, int fds[2])
{
    struct sockaddr_in address;
    int listener = inet_listen(check, 1, &address);
    if (listener < 0)
        return listener;
    fds[0] = inet_connect(&address, 0);
    if (fds[0] < 0)
        return check_skip(check, "connect", -fds[0], "refused");
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    int error = errno;
    close(listener);
    return fds[1] < 0 ? check_skip(check, "accept4", error, "refused") : 0;
}

struct sockaddr_un unix_address(const struct check *check, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    /* The directory is /tmp, or short like it: unix(7) leaves 108 bytes. */
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/%s", check->enclosure->directory, name);
    return address;
}

int unix_bind(struct check *check, int type, const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return check_skip(check, "socket", errno, "refused");
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        return check_skip(check, "bind", errno, "refused");
    return fd;
}
