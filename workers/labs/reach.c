/* Lab 15. Which objects can a stranger join, and which even from inside a container?
 *
 * An owner makes one object of each kind. Joiners of a chosen relation try to use all of them, one joiner in
 * the same namespaces and three that have another network, IPC or mount namespace. What has a name can be
 * joined wherever the name can be looked up: a path in the file system, a key in the IPC namespace, a port or
 * an abstract name in the network namespace. What has none, a pipe, needs a descriptor: inherited, or sent
 * through a Unix socket. namespaces(7), unix(7) SCM_RIGHTS. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "workers/labs/lab.h"
#include "workers/labs/sysv.h"

enum { RELATION, NAMESPACE, KIND };
enum { CHILD, SIBLING, UNRELATED };
enum { SAME, NET, IPC, MOUNT, NAMESPACES };
enum { PIPE, PIPE_SENT, FIFO, MAPPED, SEGMENT, UNIX_PATH, UNIX_ABSTRACT, TCP, KINDS };
static const char *const relations[] = {"child", "sibling", "unrelated", NULL};
static const char *const namespaces[] = {"same", "net", "ipc", "mount", NULL};
static const char *const kinds[] = {"pipe",      "pipe_sent",     "fifo", "mmap_file", "shm_sysv",
                                    "unix_path", "unix_abstract", "tcp",  NULL};
static const int namespace_flags[NAMESPACES] = {
    [NET] = CLONE_NEWNET, [IPC] = CLONE_NEWIPC, [MOUNT] = CLONE_NEWNS};
enum { IS_MADE }; /* gates */
enum { FIRST_JOINER = 1, PATH_BYTES = 300, MANY = 64 };

struct reach {
    key_t key;
    int pipe[2];
    struct sockaddr_in tcp;
    struct sockaddr_un path, abstract, sender;
    int unshare_errors[NAMESPACES];
    int results[KINDS][NAMESPACES]; /* errno, 0 for joined */
};

static const char *path_of(const struct lab *lab, const char *name, char *path)
{
    snprintf(path, PATH_BYTES, "%s/%s", lab_directory(lab), name);
    return path;
}

/* ---- the joiner: 0, or the errno of what stood in the way ---- */

static int take_byte(struct timeline *me, int fd)
{
    char byte;
    ssize_t got = TRACE(me, read(fd, &byte, 1), "%d, …, 1", fd);
    return got == 1 ? 0 : got < 0 ? errno : ENODATA;
}

static int join_fifo(struct lab *lab, struct timeline *me)
{
    char path[PATH_BYTES];
    int fd =
        TRACE(me, open(path_of(lab, "fifo", path), O_RDONLY | O_NONBLOCK), "\"fifo\", O_RDONLY|O_NONBLOCK");
    return fd < 0 ? errno : take_byte(me, fd);
}

static int join_file(struct lab *lab, struct timeline *me)
{
    char path[PATH_BYTES];
    int fd = TRACE(me, open(path_of(lab, "file", path), O_RDONLY), "\"file\", O_RDONLY");
    if (fd < 0)
        return errno;
    const char *memory = TRACE(me, (char *)mmap(NULL, MANY, PROT_READ, MAP_SHARED, fd, 0),
                               "NULL, %d, PROT_READ, MAP_SHARED, %d, 0", MANY, fd);
    return memory == MAP_FAILED ? errno : 0;
}

static int join_segment(struct timeline *me, key_t key)
{
    int id = TRACE(me, shmget(key, 0, 0600), "%d, 0, 0600", key);
    if (id < 0)
        return errno;
    const char *memory = TRACE(me, (char *)shmat(id, NULL, SHM_RDONLY), "%d, NULL, SHM_RDONLY", id);
    return memory == (const char *)-1 ? errno : 0;
}

static int join_socket(struct timeline *me, int *fd, const void *address, socklen_t length, const char *shown)
{
    int family = ((const struct sockaddr *)address)->sa_family;
    *fd = TRACE(me, socket(family, SOCK_STREAM, 0), "%s, SOCK_STREAM, 0",
                family == AF_UNIX ? "AF_UNIX" : "AF_INET");
    return TRACE(me, connect(*fd, address, length), "%d, %s", *fd, shown) == 0 ? 0 : errno;
}

/* A descriptor travels in the control part of a message; the kernel makes it one of the receiver's own. */
static int join_sent_pipe(struct reach *reach, struct timeline *me)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control;
    char byte;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    int fd, result = join_socket(me, &fd, &reach->sender, sizeof reach->sender, "\"sender\"");
    if (result != 0)
        return result;
    if (TRACE(me, recvmsg(fd, &message, 0), "%d, SCM_RIGHTS, 0", fd) < 0)
        return errno;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL)
        return EBADMSG;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return take_byte(me, fd);
}

static socklen_t abstract_length(const struct sockaddr_un *address)
{
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address->sun_path + 1));
}

static void join_all(struct lab *lab, struct timeline *me, struct reach *reach, int where)
{
    int fd, results[KINDS];
    results[PIPE] = take_byte(me, reach->pipe[0]);
    results[PIPE_SENT] = join_sent_pipe(reach, me);
    results[FIFO] = join_fifo(lab, me);
    results[MAPPED] = join_file(lab, me);
    results[SEGMENT] = join_segment(me, reach->key);
    results[UNIX_PATH] = join_socket(me, &fd, &reach->path, sizeof reach->path, "\"socket\"");
    results[UNIX_ABSTRACT] =
        join_socket(me, &fd, &reach->abstract, abstract_length(&reach->abstract), "\"\\0abstract\"");
    results[TCP] = join_socket(me, &fd, &reach->tcp, sizeof reach->tcp, "127.0.0.1");
    for (int kind = 0; kind < KINDS; kind++)
        reach->results[kind][where] = results[kind];
}

/* In another mount namespace the same paths lead elsewhere once something is mounted there. */
static int change_namespace(struct lab *lab, struct timeline *me, int where)
{
    if (where == SAME)
        return 0;
    if (TRACE(me, unshare(namespace_flags[where]), "CLONE_NEW%s",
              where == NET   ? "NET"
              : where == IPC ? "IPC"
                             : "NS") != 0)
        return errno;
    if (where != MOUNT)
        return 0;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        TRACE(me, mount("tmpfs", lab_directory(lab), "tmpfs", 0, NULL), "\"tmpfs\", directory") != 0)
        return errno;
    return 0;
}

static void joiner(struct lab *lab, struct timeline *me)
{
    struct reach *reach = lab_shared(lab);
    int where = lab_number(lab) - FIRST_JOINER;
    lab_gate_wait(lab, IS_MADE);
    reach->unshare_errors[where] = change_namespace(lab, me, where);
    if (reach->unshare_errors[where] == 0)
        join_all(lab, me, reach, where);
}

/* ---- the owner ---- */

static int listen_at(const void *address, socklen_t length)
{
    int fd = socket(((const struct sockaddr *)address)->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, address, length) != 0 || listen(fd, MANY) != 0)
        return -1;
    return fd;
}

static void make_files(struct lab *lab, struct timeline *me)
{
    static const char bytes[MANY];
    char path[PATH_BYTES];
    TRACE(me, mkfifo(path_of(lab, "fifo", path), 0600), "\"fifo\", 0600");
    int fifo = TRACE(me, open(path, O_RDWR), "\"fifo\", O_RDWR");
    int file =
        TRACE(me, open(path_of(lab, "file", path), O_RDWR | O_CREAT, 0600), "\"file\", O_RDWR|O_CREAT, 0600");
    if (write(fifo, bytes, MANY) != MANY || write(file, bytes, MANY) != MANY)
        lab_give_up(lab, errno, "write");
}

static int make_sockets(struct lab *lab, struct timeline *me, struct reach *reach)
{
    char path[PATH_BYTES];
    socklen_t length = sizeof reach->tcp;
    reach->path.sun_family = reach->abstract.sun_family = reach->sender.sun_family = AF_UNIX;
    snprintf(reach->path.sun_path, sizeof reach->path.sun_path, "%.100s", path_of(lab, "socket", path));
    snprintf(reach->sender.sun_path, sizeof reach->sender.sun_path, "%.100s", path_of(lab, "sender", path));
    snprintf(reach->abstract.sun_path + 1, sizeof reach->abstract.sun_path - 1, "ipclab-reach-%d",
             (int)getpid());
    reach->tcp = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int sender = TRACE_AS(me, "listen", listen_at(&reach->sender, sizeof reach->sender), "\"sender\"");
    int paths = TRACE_AS(me, "listen", listen_at(&reach->path, sizeof reach->path), "\"socket\"");
    int abstract = TRACE_AS(me, "listen", listen_at(&reach->abstract, abstract_length(&reach->abstract)),
                            "\"\\0abstract\"");
    int tcp = TRACE_AS(me, "listen", listen_at(&reach->tcp, length), "127.0.0.1:0");
    if (sender < 0 || paths < 0 || abstract < 0 || tcp < 0)
        lab_give_up(lab, errno, "listen");
    getsockname(tcp, (struct sockaddr *)&reach->tcp, &length);
    return sender;
}

static void make_pipe(struct lab *lab, struct timeline *me, struct reach *reach)
{
    static const char bytes[MANY];
    TRACE(me, pipe(reach->pipe), "ends");
    if (write(reach->pipe[1], bytes, MANY) != MANY)
        lab_give_up(lab, errno, "write");
}

static void send_pipe(struct timeline *me, int sender, int end)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {
        .header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
    struct iovec data = {.iov_base = "", .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    memcpy(CMSG_DATA(&control.header), &end, sizeof end);
    int fd = accept(sender, NULL, NULL);
    if (fd < 0)
        return;
    TRACE(me, sendmsg(fd, &message, MSG_NOSIGNAL), "%d, SCM_RIGHTS: %d, 0", fd, end);
    close(fd);
}

static int start_joiners(struct lab *lab, struct err *err)
{
    for (int i = 0; i < NAMESPACES; i++) {
        char name[24];
        snprintf(name, sizeof name, i == SAME ? "joiner" : "joiner, %s", namespaces[i]);
        if (lab_start(lab, name, joiner, err) < 0)
            return -err->code;
    }
    return 0;
}

/* Makes everything; its children inherit the pipe, and whatever else it has by then. */
static void owner(struct lab *lab, struct timeline *me)
{
    struct reach *reach = lab_shared(lab);
    struct err err;
    sysv_record(lab);
    TRACE(me, shmget(reach->key, MANY, IPC_CREAT | 0600), "%d, %d, IPC_CREAT|0600", reach->key, MANY);
    make_files(lab, me);
    if (lab_value(lab, RELATION) != SIBLING)
        make_pipe(lab, me, reach);
    if (lab_value(lab, RELATION) == CHILD && start_joiners(lab, &err) < 0)
        lab_give_up(lab, err.code, "start the joiners");
    int sender = make_sockets(lab, me, reach);
    lab_gate_open(lab, IS_MADE);
    for (;;) /* until the leader ends it */
        send_pipe(me, sender, reach->pipe[0]);
}

/* What a shell is to the commands of `ls | less`: makes the pipe, starts both sides, and lets go of it. */
static void parent(struct lab *lab, struct timeline *me)
{
    struct reach *reach = lab_shared(lab);
    struct err err;
    make_pipe(lab, me, reach);
    if (start_joiners(lab, &err) < 0 || lab_start(lab, "owner", owner, &err) < 0)
        lab_give_up(lab, err.code, "start the processes");
}

/* ---- the conclusion ---- */

static const char *name_of(int result)
{
    return result == 0 ? "joins" : strerrorname_np(result);
}

static void show_matrix(struct lab *lab, const struct reach *reach)
{
    struct lab_panel panel;
    struct json_writer *writer = lab_panel_begin(&panel, lab, "matrix");
    json_begin_array(writer, "rows");
    for (int kind = 0; kind < KINDS; kind++)
        json_write_string(writer, NULL, kinds[kind]);
    json_end_array(writer);
    json_begin_array(writer, "columns");
    for (int where = 0; where < NAMESPACES; where++)
        json_write_string(writer, NULL, namespaces[where]);
    json_end_array(writer);
    json_begin_array(writer, "cells");
    for (int kind = 0; kind < KINDS; kind++) {
        json_begin_array(writer, NULL);
        for (int where = 0; where < NAMESPACES; where++) {
            bool is_tried = reach->unshare_errors[where] == 0;
            int result = reach->results[kind][where];
            lab_write_cell(writer, is_tried ? name_of(result) : "–", is_tried ? result == 0 : -1);
        }
        json_end_array(writer);
    }
    json_end_array(writer);
    lab_panel_end(&panel);
}

static const char *explanation_for(int kind, int64_t where, int result)
{
    if (result == 0 && (kind == PIPE || kind == PIPE_SENT))
        return kind == PIPE ? "inherited" : "sent";
    if (result == 0)
        return "by_name";
    if (kind == PIPE)
        return "no_descriptor";
    return where == NET ? "other_net" : where == IPC ? "other_ipc" : "other_mount";
}

static void conclude(struct lab *lab, const struct reach *reach)
{
    struct json_writer *evidence = lab_evidence(lab);
    int64_t where = lab_value(lab, NAMESPACE), kind = lab_value(lab, KIND);
    int result = reach->results[kind][where], joined = 0;
    for (int i = 0; i < KINDS; i++) {
        joined += reach->results[i][where] == 0;
        json_write_string(evidence, kinds[i], name_of(reach->results[i][where]));
    }
    json_write_integer(evidence, "joined", joined);
    json_write_string(evidence, "answer", name_of(result));
    lab_outcome_word(lab, result == 0 ? "joins" : "refused");
    lab_explain(lab, explanation_for((int)kind, where, result));
}

static int start_owner(struct lab *lab, struct err *err)
{
    if (lab_value(lab, RELATION) == SIBLING)
        return lab_start(lab, "parent", parent, err);
    int result = lab_start(lab, "owner", owner, err);
    if (result >= 0 && lab_value(lab, RELATION) == UNRELATED)
        result = start_joiners(lab, err);
    return result;
}

static int run(struct lab *lab, struct err *err)
{
    struct reach *reach = lab_shared(lab);
    int64_t where = lab_value(lab, NAMESPACE);
    reach->key = sysv_pick_key(lab);
    int result = start_owner(lab, err);
    if (result < 0)
        return result;
    lab_gate_await(lab, IS_MADE);
    for (int i = 0; i < NAMESPACES; i++)
        lab_await(lab, FIRST_JOINER + i, 0);
    if (lab_is_over(lab))
        return 0;
    show_matrix(lab, reach);
    if (reach->unshare_errors[where] != 0)
        lab_skip(lab, "unshare", reach->unshare_errors[where], "namespaces");
    else
        conclude(lab, reach);
    return 0;
}

const struct lab_definition reach_lab = {
    .name = "reach",
    .number = 15,
    .keeps_capabilities = true,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"pipe", "fifo", "mmap_file", "shm_sysv", "unix_stream", "tcp", NULL},
    .panels = (const char *const[]){"matrix", "lanes", NULL},
    .claims = (const int[]){18, 41, 42, 44, 47, 48, 58, 0},
    .parameters =
        {[RELATION] = {.name = "relation", .type = LAB_CHOICE, .choices = relations, .standard = UNRELATED},
         [NAMESPACE] = {.name = "namespace", .type = LAB_CHOICE, .choices = namespaces},
         [KIND] = {.name = "mechanism", .type = LAB_CHOICE, .choices = kinds}},
    .prediction = {.type = LAB_CHOICE, .choices = (const char *const[]){"joins", "refused", NULL}},
    .shared_bytes = sizeof(struct reach),
    .run = run,
};
