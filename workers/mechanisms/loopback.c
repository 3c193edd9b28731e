#include "workers/mechanisms/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "workers/parse.h"

struct sockaddr_in loopback_address(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

int loopback_bind(int type, uint16_t port, struct err *err)
{
    AUTO_CLOSE int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(err, errno, "socket");
    int yes = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0)
        return err_errno(err, errno, "set SO_REUSEPORT");
    struct sockaddr_in address = loopback_address(port);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return err_errno(err, errno, "bind port %u of the loopback interface", (unsigned)port);
    return take_fd(&fd);
}

int loopback_reserve(struct loopback *loopback, int type, int count, struct channel *channel, struct err *err)
{
    loopback->count = 0;
    size_t used = 0;
    while (loopback->count < count) {
        int fd = loopback_bind(type, 0, err);
        if (fd < 0)
            return fd;
        loopback->fds[loopback->count++] = fd;
        struct sockaddr_in address = loopback_address(0);
        socklen_t length = sizeof address;
        if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
            return err_errno(err, errno, "getsockname");
        used += (size_t)snprintf(channel->address + used, sizeof channel->address - used, "%u ",
                                 (unsigned)ntohs(address.sin_port));
    }
    return 0;
}

void loopback_release(struct loopback *loopback)
{
    while (loopback->count > 0)
        close(loopback->fds[--loopback->count]);
}

int loopback_ports(const struct channel *channel, int count, uint16_t *ports, struct err *err)
{
    const char *rest = channel->address;
    for (int i = 0; i < count; i++) {
        int64_t port;
        if (parse_integer(rest, 10, 1, UINT16_MAX, &port, &rest) < 0)
            return err_set(err, EINVAL, "\"%s\" is not %d ports", channel->address, count);
        ports[i] = (uint16_t)port;
    }
    return 0;
}
