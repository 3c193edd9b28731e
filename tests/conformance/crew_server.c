#include "tests/conformance/crew_server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cage_flags.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/support/criterion.h"

enum { PATIENCE_S = 60 };

static const char *worker_program(void)
{
    static char path[512];
    const char *build = getenv("IPCLAB_BUILD");
    snprintf(path, sizeof path, "%s/ipclab-worker", build != NULL ? build : "build");
    return path;
}

/* ---- starting ---- */

_Noreturn static void become(char *const arguments[], int input, uint64_t flags, uid_t uid, gid_t gid)
{
    if ((flags & CLONE_NEWUSER) != 0 && cage_settle_user(uid, gid) < 0)
        _exit(127);
    if (input >= 0)
        dup2(input, STDIN_FILENO);
    execv(worker_program(), arguments);
    _exit(127);
}

static pid_t start(char *const arguments[], int input, uint64_t flags, int *pidfd)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    pid_t pid = cage_clone(flags, pidfd);
    if (pid == 0)
        become(arguments, input, flags, uid, gid);
    return pid;
}

static int wait_status(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_quietly(char *const arguments[], uint64_t flags)
{
    AUTO_CLOSE int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int pidfd, saved = dup(STDOUT_FILENO);
    fflush(stdout);
    dup2(null, STDOUT_FILENO);
    pid_t pid = start(arguments, -1, flags, &pidfd);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    if (pid < 0)
        return -1;
    close(pidfd);
    return wait_status(pid);
}

bool crew_server_can_cage(void)
{
    char *arguments[] = {"ipclab-worker", "cage-probe", NULL};
    return run_quietly(arguments, cage_flags_for(geteuid())) == 0;
}

void crew_server_open(struct crew_server *server)
{
    memset(server, 0, sizeof *server);
    scratch_init(&server->scratch);
    server->spec = (struct trial_spec){
        .trial = 1,
        .token = "0123456789abcdef0123456789abcdef",
        .one = {.mechanism = "pipe",
                .message_bytes = 64,
                .wait = WAIT_BLOCK,
                .placement = PLACEMENT_FREE,
                .senders = 1,
                .receivers = 1},
        .duration_ms = 60,
        .warmup_ms = 10,
        .verify = VERIFY_HEADER,
    };
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(server->spec.metrics_socket, sizeof server->spec.metrics_socket, "%s/metrics",
             server->scratch.path);
    snprintf(server->spec.directory, sizeof server->spec.directory, "%s/crew", server->scratch.path);
    cr_assert(eq(int, mkdir(server->spec.directory, 0700), 0));
    memcpy(address.sun_path, server->spec.metrics_socket, strlen(server->spec.metrics_socket));
    server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert(eq(int, bind(server->listener, (struct sockaddr *)&address, sizeof address), 0));
    cr_assert(eq(int, listen(server->listener, CREW_CONNECTIONS_MAX), 0));
}

int crew_server_workers(const struct crew_server *server)
{
    return server->spec.one.senders + server->spec.one.receivers;
}

void crew_server_start(struct crew_server *server, const char *document)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    if (document != NULL)
        text_append(&text, document);
    else
        trial_spec_encode(&server->spec, &text);
    AUTO_CLOSE int input = memfd_create("spec", MFD_CLOEXEC);
    cr_assert(eq(int, (int)pwrite(input, text_string(&text), text.length, 0), (int)text.length));
    char *arguments[] = {"ipclab-worker", "crew", NULL};
    uint64_t flags = server->spec.cage == CAGE_FULL ? cage_flags_for(geteuid()) : 0;
    server->leader = start(arguments, input, flags, &server->leader_pidfd);
    cr_assert(gt(int, server->leader, 0));
}

/* ---- frames ---- */

static void send_go(struct crew_server *server)
{
    struct frame *go = calloc(1, sizeof *go);
    go->type = FRAME_GO;
    struct err err;
    for (size_t i = 0; i < server->connection_count; i++)
        if (server->connections[i].fd >= 0 && server->connections[i].worker >= 0)
            frame_send(server->connections[i].fd, go, &err);
    free(go);
    server->went = true;
}

static void take_hello(struct crew_server *server, struct crew_connection *connection,
                       const struct frame_hello *hello)
{
    cr_expect(eq(str, (char *)hello->token, server->spec.token));
    cr_assert(lt(int, hello->worker, crew_server_workers(server)));
    cr_expect(eq(int, connection->said_hello, 0), "a second hello");
    connection->said_hello = true;
    connection->worker = hello->worker;
    if (hello->worker >= 0)
        server->pids[hello->worker] = connection->pid;
    else
        cr_expect(eq(int, connection->pid, server->leader));
}

static void take_frame(struct crew_server *server, struct crew_connection *connection, struct frame *frame)
{
    if (frame->type != FRAME_HELLO)
        cr_assert(connection->said_hello, "%s before hello", frame_type_names[frame->type]);
    switch (frame->type) {
    case FRAME_HELLO:
        take_hello(server, connection, &frame->hello);
        break;
    case FRAME_READY:
        server->ready_buffer_bytes[connection->worker] = frame->ready.buffer_bytes;
        if (++server->ready_count == crew_server_workers(server) && !server->holds_go)
            send_go(server);
        break;
    case FRAME_SAMPLE:
        server->sample_count++;
        break;
    case FRAME_RESULT:
        cr_expect(not(server->has_result[connection->worker]), "a second result");
        server->has_result[connection->worker] = true;
        server->results[connection->worker] = frame->result;
        break;
    case FRAME_EXIT:
        if (server->exit_count < CREW_EXITS_MAX)
            server->exits[server->exit_count++] = frame->exit;
        break;
    case FRAME_BYE:
        server->said_bye = true;
        break;
    default:
        cr_expect(false, "a crew does not send %s", frame_type_names[frame->type]);
    }
}

static void take_datagram(struct crew_server *server, struct crew_connection *connection, const char *bytes,
                          size_t length)
{
    struct frame *frame = calloc(1, sizeof *frame);
    struct err err = {.text = ""};
    cr_assert(eq(int, frame_decode(bytes, length, frame, &err), 0), "%s", err.text);
    if (frame->type == FRAME_PART) {
        text_append_bytes(&connection->parts, text_string(&frame->part.text), frame->part.text.length);
        bool last = frame->part.number == frame->part.of;
        frame_fini(frame);
        if (last)
            take_datagram(server, connection, text_string(&connection->parts), connection->parts.length);
    } else {
        take_frame(server, connection, frame);
        frame_fini(frame);
    }
    free(frame);
}

static void read_connection(struct crew_server *server, struct crew_connection *connection)
{
    static char bytes[FRAME_BYTES_MAX + 1];
    for (;;) {
        ssize_t length = recv(connection->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (length <= 0) {
            close(connection->fd);
            connection->fd = -1;
            return;
        }
        cr_assert(le(sz, (size_t)length, (size_t)FRAME_BYTES_MAX));
        take_datagram(server, connection, bytes, (size_t)length);
    }
}

static void accept_all(struct crew_server *server)
{
    for (int fd; (fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        struct ucred peer = {.pid = 0};
        socklen_t length = sizeof peer;
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
        cr_assert(lt(sz, server->connection_count, (size_t)CREW_CONNECTIONS_MAX));
        server->connections[server->connection_count++] =
            (struct crew_connection){.fd = fd, .worker = FRAME_WORKER_LEADER, .pid = peer.pid};
    }
}

/* ---- serving ---- */

static void serve_once(struct crew_server *server, int timeout_ms)
{
    struct pollfd fds[CREW_CONNECTIONS_MAX + 2] = {{.fd = server->listener, .events = POLLIN},
                                                   {.fd = server->leader_pidfd, .events = POLLIN}};
    size_t count = server->connection_count;
    for (size_t i = 0; i < count; i++)
        fds[i + 2] = (struct pollfd){.fd = server->connections[i].fd, .events = POLLIN};
    if (poll(fds, (nfds_t)count + 2, timeout_ms) <= 0)
        return;
    accept_all(server);
    for (size_t i = 0; i < server->connection_count; i++)
        if (server->connections[i].fd >= 0)
            read_connection(server, &server->connections[i]);
}

bool crew_server_all_ready(const struct crew_server *server)
{
    return server->ready_count == crew_server_workers(server);
}

bool crew_server_has_gone(const struct crew_server *server)
{
    return server->went;
}

bool crew_server_leader_ended(const struct crew_server *server)
{
    struct pollfd leader = {.fd = server->leader_pidfd, .events = POLLIN};
    return poll(&leader, 1, 0) == 1;
}

bool crew_server_serve(struct crew_server *server, crew_condition *condition, int64_t timeout_ns)
{
    int64_t deadline = clock_now_ns() + timeout_ns;
    while (!condition(server)) {
        int64_t left_ms = (deadline - clock_now_ns()) / NS_PER_MS;
        if (left_ms < 0)
            return false;
        serve_once(server, (int)left_ms);
    }
    return true;
}

int crew_server_finish(struct crew_server *server)
{
    bool ended = crew_server_serve(server, crew_server_leader_ended, PATIENCE_S * NS_PER_S);
    serve_once(server, 0); /* what was still queued when it ended */
    if (!ended)
        kill(server->leader, SIGKILL);
    int status = wait_status(server->leader);
    server->leader = 0;
    return ended ? status : -1;
}

bool crew_server_workers_ended(const struct crew_server *server, int64_t timeout_ns)
{
    int64_t deadline = clock_now_ns() + timeout_ns;
    for (int i = 0; i < crew_server_workers(server); i++) {
        AUTO_CLOSE int pidfd = server->pids[i] > 0 ? (int)syscall(SYS_pidfd_open, server->pids[i], 0) : -1;
        if (pidfd < 0)
            continue; /* never came, or gone and reaped */
        struct pollfd worker = {.fd = pidfd, .events = POLLIN};
        int64_t left_ms = (deadline - clock_now_ns()) / NS_PER_MS;
        if (poll(&worker, 1, left_ms > 0 ? (int)left_ms : 0) != 1)
            return false;
    }
    return true;
}

/* ---- what is left ---- */

int crew_server_sweep(struct crew_server *server)
{
    char *arguments[] = {"ipclab-worker", "sweep", server->spec.directory, NULL};
    return run_quietly(arguments, 0);
}

int crew_server_count_files(const struct crew_server *server)
{
    DIR *directory = opendir(server->spec.directory);
    if (directory == NULL)
        return -1;
    int count = -2;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

int crew_server_count_segments(pid_t creator)
{
    struct shm_info info;
    int highest = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info);
    int count = 0;
    for (int i = 0; i <= highest; i++) {
        struct shmid_ds status;
        if (shmctl(i, SHM_STAT, &status) >= 0 && status.shm_cpid == creator)
            count++;
    }
    return count;
}

bool crew_server_segments_gone(pid_t creator, int64_t timeout_ns)
{
    int64_t deadline = clock_now_ns() + timeout_ns;
    while (crew_server_count_segments(creator) > 0) {
        if (clock_now_ns() > deadline)
            return false;
        poll(NULL, 0, 1);
    }
    return true;
}

void crew_server_hang_up(struct crew_server *server)
{
    for (size_t i = 0; i < server->connection_count; i++) {
        if (server->connections[i].fd >= 0)
            close(server->connections[i].fd);
        text_fini(&server->connections[i].parts);
        server->connections[i].fd = -1;
    }
    if (server->listener >= 0)
        close(server->listener);
    server->listener = -1;
}

void crew_server_close(struct crew_server *server)
{
    crew_server_hang_up(server);
    if (server->leader > 0) {
        kill(server->leader, SIGKILL);
        wait_status(server->leader);
    }
    close(server->leader_pidfd);
    scratch_fini(&server->scratch);
}
