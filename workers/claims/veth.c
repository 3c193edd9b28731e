#include "workers/claims/veth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/cleanup.h"

struct request {
    union {
        struct nlmsghdr header;
        char bytes[512];
    };
};

static void *tail_of(struct request *request)
{
    return request->bytes + NLMSG_ALIGN(request->header.nlmsg_len);
}

/* Appends an attribute; one with others inside is begun with no bytes and closed by its end. */
static struct rtattr *append(struct request *request, unsigned short type, const void *bytes, size_t length)
{
    struct rtattr *attribute = tail_of(request);
    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(length);
    if (length > 0)
        memcpy(RTA_DATA(attribute), bytes, length);
    request->header.nlmsg_len =
        NLMSG_ALIGN(request->header.nlmsg_len) + (uint32_t)RTA_ALIGN(RTA_LENGTH(length));
    return attribute;
}

static void close_attribute(struct request *request, struct rtattr *attribute)
{
    attribute->rta_len = (unsigned short)((char *)tail_of(request) - (char *)attribute);
}

static int ask(struct request *request)
{
    AUTO_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    union {
        struct nlmsghdr header;
        char bytes[1024];
    } answer;
    if (fd < 0 || send(fd, request, request->header.nlmsg_len, 0) < 0)
        return -errno;
    if (recv(fd, &answer, sizeof answer, 0) < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
        return -EPROTO;
    const struct nlmsgerr *error = NLMSG_DATA(&answer.header);
    return answer.header.nlmsg_type == NLMSG_ERROR ? error->error : -EPROTO;
}

int veth_make(const char *here, const char *there, pid_t pid)
{
    struct request request = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
                   .nlmsg_type = RTM_NEWLINK,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK}};
    static const struct ifinfomsg any = {.ifi_family = AF_UNSPEC};
    uint32_t target = (uint32_t)pid;
    append(&request, IFLA_IFNAME, here, strlen(here) + 1);
    struct rtattr *info = append(&request, IFLA_LINKINFO, NULL, 0);
    append(&request, IFLA_INFO_KIND, "veth", strlen("veth"));
    struct rtattr *data = append(&request, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *peer = append(&request, VETH_INFO_PEER, &any, sizeof any);
    append(&request, IFLA_IFNAME, there, strlen(there) + 1);
    append(&request, IFLA_NET_NS_PID, &target, sizeof target);
    close_attribute(&request, peer);
    close_attribute(&request, data);
    close_attribute(&request, info);
    return ask(&request);
}

int veth_raise(const char *name, uint32_t address)
{
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    struct ifreq interface = {.ifr_flags = 0};
    strncpy(interface.ifr_name, name, sizeof interface.ifr_name - 1);
    memcpy(&interface.ifr_addr, &inet, sizeof inet);
    if (fd < 0 || ioctl(fd, SIOCSIFADDR, &interface) != 0)
        return -errno;
    inet.sin_addr.s_addr = htonl(0xffffff00);
    memcpy(&interface.ifr_netmask, &inet, sizeof inet);
    if (ioctl(fd, SIOCSIFNETMASK, &interface) != 0 || ioctl(fd, SIOCGIFFLAGS, &interface) != 0)
        return -errno;
    interface.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &interface) != 0 ? -errno : 0;
}
