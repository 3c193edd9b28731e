#include "workers/metrics.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/frame.h"

enum { SEND_TIMEOUT_S = 5, GO_BYTES_MAX = 256 };

int metrics_connect(const struct trial_spec *spec, int worker, struct err *err)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(err, errno, "socket");
    struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    text_copy(address.sun_path, sizeof address.sun_path, spec->metrics_socket);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    int connected;
    do
        connected = connect(fd, (const struct sockaddr *)&address, sizeof address);
    while (connected != 0 && errno == EINTR);
    if (connected != 0)
        return err_errno(err, errno, "connect to %s", spec->metrics_socket);
    struct frame hello = {.type = FRAME_HELLO, .hello = {.worker = worker}};
    text_copy(hello.hello.token, sizeof hello.hello.token, spec->token);
    int result = frame_send(fd, &hello, err);
    return result < 0 ? result : take_fd(&fd);
}

int metrics_await_go(int metrics, int64_t deadline_ns, struct err *err)
{
    struct pollfd server = {.fd = metrics, .events = POLLIN};
    int ready;
    do { /* a worker's ticker interrupts */
        int64_t left_ms = (deadline_ns - clock_now_ns()) / NS_PER_MS;
        ready = left_ms > 0 ? poll(&server, 1, (int)left_ms) : 0;
    } while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return err_errno(err, errno, "wait for the go");
    if (ready == 0)
        return err_set(err, ETIMEDOUT, "no go came");
    char bytes[GO_BYTES_MAX];
    ssize_t length = recv(metrics, bytes, sizeof bytes, 0);
    if (length <= 0)
        return err_set(err, ECONNRESET, "the server hung up before the go");
    AUTO_FREE struct frame *frame = malloc(sizeof *frame);
    if (frame == NULL)
        return err_set(err, ENOMEM, "out of memory");
    int result = frame_decode(bytes, (size_t)length, frame, err);
    if (result < 0)
        return result;
    enum frame_type type = frame->type;
    frame_fini(frame);
    return type == FRAME_GO ? 0 : err_set(err, EPROTO, "expected go, got %s", frame_type_names[type]);
}
