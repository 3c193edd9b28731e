#include "server/activity.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "server/activity_lines.h"

enum { READ_BYTES = 64 * 1024 };

struct activity {
    struct loop *loop;
    struct activity_client client;
    struct worker_child child;
    struct loop_source output; /* our end of the socket, fd -1 once it is closed */
    struct loop_source child_ended;
    struct loop_timer deadline;
    struct activity_lines lines;
    uint64_t output_bytes;
    char cause[ACTIVITY_CAUSE_BYTES]; /* the first that was noticed, "" while all is well */
};

static void note_cause(struct activity *activity, const char *cause)
{
    if (activity->cause[0] == '\0')
        text_copy(activity->cause, sizeof activity->cause, cause);
}

void activity_kill(struct activity *activity, const char *cause)
{
    note_cause(activity, cause);
    syscall(SYS_pidfd_send_signal, activity->child.pidfd, SIGKILL, NULL, 0);
}

/* ---- what it says ---- */

static void close_output(struct activity *activity)
{
    if (activity->output.fd < 0)
        return;
    loop_remove(activity->loop, &activity->output);
    close(activity->output.fd);
    activity->output.fd = -1;
}

static void count_output(struct activity *activity, size_t length)
{
    activity->output_bytes += length;
    if (activity->output_bytes <= ACTIVITY_OUTPUT_BYTES_MAX)
        return;
    activity_kill(activity, "it said more than 16 MiB");
    close_output(activity);
}

/* One piece, so that others have their turn; what is left makes the descriptor ready again. False: there is
 * nothing now, or nothing any more. */
static bool read_piece(struct activity *activity)
{
    static char piece[READ_BYTES];
    ssize_t got;
    do
        got = recv(activity->output.fd, piece, sizeof piece, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0) {
        close_output(activity);
        return false;
    }
    activity_lines_take(&activity->lines, piece, (size_t)got, activity->client.line,
                        activity->client.context);
    count_output(activity, (size_t)got);
    return activity->output.fd >= 0;
}

static void output_ready(struct loop_source *source, uint32_t events)
{
    (void)events;
    read_piece((struct activity *)((char *)source - offsetof(struct activity, output)));
}

int activity_send(struct activity *activity, const char *line, struct err *err)
{
    if (activity->output.fd < 0)
        return err_set(err, EPIPE, "it takes no input any more");
    AUTO(text_fini) struct text bytes = TEXT_EMPTY;
    text_append(&bytes, line);
    text_append_char(&bytes, '\n');
    if (!text_ok(&bytes))
        return err_set(err, ENOMEM, "out of memory for a line of input");
    ssize_t sent = send(activity->output.fd, bytes.bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent == (ssize_t)bytes.length)
        return 0;
    if (sent < 0 && errno == EAGAIN)
        return err_set(err, EAGAIN, "it has not read the input it got before");
    if (sent < 0)
        return err_set(err, EPIPE, "it takes no input any more");
    /* Half a line cannot be taken back; a whole buffer of input was left unread. */
    activity_kill(activity, "it did not read its input");
    return err_set(err, EPIPE, "it did not read its input");
}

/* ---- how it ends ---- */

static void note_status(struct activity *activity)
{
    char cause[ACTIVITY_CAUSE_BYTES];
    if (!worker_child_reap(&activity->child, "its process", cause, sizeof cause))
        note_cause(activity, cause);
}

static void release(struct activity *activity)
{
    close_output(activity);
    loop_remove(activity->loop, &activity->child_ended);
    loop_timer_close(activity->loop, &activity->deadline);
    close(activity->child.pidfd);
    text_fini(&activity->lines.partial);
    free(activity);
}

static void child_ended(struct loop_source *source, uint32_t events)
{
    (void)events;
    struct activity *activity = (struct activity *)((char *)source - offsetof(struct activity, child_ended));
    while (activity->output.fd >= 0 && read_piece(activity))
        ;
    note_status(activity);
    struct activity_client client = activity->client;
    uint64_t cut_lines = activity->lines.cut_count;
    char cause[ACTIVITY_CAUSE_BYTES];
    text_copy(cause, sizeof cause, activity->cause);
    release(activity);
    client.ended(client.context, cause, cut_lines);
}

static void deadline_passed(struct loop_timer *timer)
{
    struct activity *activity = (struct activity *)((char *)timer - offsetof(struct activity, deadline));
    activity_kill(activity, "it passed its deadline");
}

void activity_free(struct activity *activity)
{
    if (activity == NULL)
        return;
    activity_kill(activity, "");
    note_status(activity);
    release(activity);
}

/* ---- how it starts ---- */

static int start_child(struct activity *activity, const struct worker_program *program,
                       char *const *arguments, struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_errno(err, errno, "create a pair of sockets");
    activity->output.fd = ends[0];
    AUTO_CLOSE int theirs = ends[1];
    int result = worker_program_start(program, arguments, theirs, theirs, 0, &activity->child, err);
    if (result < 0) {
        close(activity->output.fd);
        activity->output.fd = -1;
    }
    return result;
}

static int watch(struct activity *activity, int64_t deadline_ms, struct err *err)
{
    activity->child_ended.fd = activity->child.pidfd;
    int result = loop_add(activity->loop, &activity->output, EPOLLIN, err);
    if (result == 0)
        result = loop_add(activity->loop, &activity->child_ended, EPOLLIN, err);
    if (result == 0)
        result = loop_timer_open(activity->loop, &activity->deadline, deadline_passed, err);
    if (result == 0)
        loop_timer_arm(&activity->deadline, deadline_ms * NS_PER_MS);
    return result;
}

int activity_start(struct loop *loop, const struct worker_program *program, char *const *arguments,
                   const char *request, int64_t deadline_ms, const struct activity_client *client,
                   struct activity **activity, struct err *err)
{
    struct activity *made = calloc(1, sizeof *made);
    if (made == NULL)
        return err_set(err, ENOMEM, "out of memory for a process");
    *made = (struct activity){.loop = loop,
                              .client = *client,
                              .output = {.fd = -1, .ready = output_ready},
                              .child_ended = {.fd = -1, .ready = child_ended},
                              .lines = {.line_bytes_max = ACTIVITY_LINE_BYTES_MAX}};
    int result = start_child(made, program, arguments, err);
    if (result < 0) {
        free(made);
        return result;
    }
    result = watch(made, deadline_ms, err);
    if (result == 0)
        result = activity_send(made, request, err);
    if (result < 0) {
        activity_free(made);
        return result;
    }
    *activity = made;
    return 0;
}
