#include "server/listener.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_address(const char *text, uint16_t port, union address *address, socklen_t *length)
{
    if (strcmp(text, "localhost") == 0)
        text = "127.0.0.1";
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        *length = sizeof address->v4;
        return true;
    }
    if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(port);
        *length = sizeof address->v6;
        return true;
    }
    return false;
}

/* ---- who has the port: /proc/net/tcp names the socket's inode, /proc/PID/fd its owner ---- */

/* Inode of a socket that listens on the port, 0 if none is listed. See proc_net_tcp.txt of the kernel. */
static uint64_t find_listening_inode(const char *table, uint16_t port)
{
    AUTO_FCLOSE FILE *file = fopen(table, "re");
    if (file == NULL)
        return 0;
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned local_port, state;
        uint64_t inode;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %" SCNu64, &local_port, &state,
                   &inode) == 3 &&
            local_port == port && state == 0x0A /* TCP_LISTEN */)
            return inode;
    }
    return 0;
}

static bool process_has_socket(const char *pid, uint64_t inode)
{
    char path[300];
    char wanted[40];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return false;
    bool has = false;
    for (struct dirent *entry; !has && (entry = readdir(directory)) != NULL;) {
        char link[64];
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, link, sizeof link - 1);
        if (length < 0)
            continue;
        link[length] = '\0';
        has = strcmp(link, wanted) == 0;
    }
    closedir(directory);
    return has;
}

static void describe_owner(uint16_t port, char *owner, size_t owner_bytes)
{
    snprintf(owner, owner_bytes, "another process");
    uint64_t inode = find_listening_inode("/proc/net/tcp", port);
    if (inode == 0)
        inode = find_listening_inode("/proc/net/tcp6", port);
    DIR *processes = inode != 0 ? opendir("/proc") : NULL;
    if (processes == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !process_has_socket(entry->d_name, inode))
            continue;
        char path[300];
        char command[32] = "?";
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        text_read_line(path, command, sizeof command);
        snprintf(owner, owner_bytes, "process %.10s (%s)", entry->d_name, command);
        break;
    }
    closedir(processes);
}

static int refuse_bind(int code, const char *address, uint16_t port, struct err *err)
{
    if (code != EADDRINUSE)
        return err_errno(err, code, "listen on %s port %u", address, (unsigned)port);
    char owner[80];
    describe_owner(port, owner, sizeof owner);
    return err_set(err, code, "%s port %u is in use by %s; --port takes another, --port 0 a free one",
                   address, (unsigned)port, owner);
}

int listener_open(const char *address, uint16_t port, uint16_t *bound_port, struct err *err)
{
    union address name;
    socklen_t length;
    if (!parse_address(address, port, &name, &length))
        return err_set(err, EINVAL, "\"%s\" is not a numeric address to listen on", address);
    AUTO_CLOSE int fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(err, errno, "socket for %s", address);
    /* A server that was just stopped leaves connections in TIME_WAIT, which would refuse its successor. */
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, &name.any, length) != 0 || listen(fd, LISTENER_BACKLOG) != 0)
        return refuse_bind(errno, address, port, err);
    if (getsockname(fd, &name.any, &length) != 0)
        return err_errno(err, errno, "getsockname of %s", address);
    *bound_port = ntohs(name.any.sa_family == AF_INET ? name.v4.sin_port : name.v6.sin6_port);
    return take_fd(&fd);
}
