#include "server/report_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "server/problem.h"
#include "server/report.h"
#include "server/worker_program.h"

enum { HEAD_BYTES_MAX = 8192 };

/* The very file this process was started from, even if another has taken its name since. */
static const struct worker_program this_program = {.path = "/proc/self/exe"};

struct report_child {
    struct report_children *children;
    struct report_child *next;
    struct loop_source exit; /* the pidfd; -1 once it was reaped */
    struct loop_timer deadline;
    void (*ended)(void *context);
    void *context;
    int output;
    int status; /* of the problem there is instead of an answer, 0 = none */
    const char *problem;
    uint64_t body_bytes;
    char head[HEAD_BYTES_MAX + 1];
};

struct report_children {
    struct loop *loop;
    const char *data;
    struct report_child *first;
    size_t count; /* at work */
    bool ending;
    uint64_t started; /* since the server was */
};

int report_children_new(struct loop *loop, const char *data, struct report_children **children,
                        struct err *err)
{
    struct report_children *made = calloc(1, sizeof *made);
    if (made == NULL)
        return err_set(err, ENOMEM, "out of memory for long answers");
    *made = (struct report_children){.loop = loop, .data = data};
    *children = made;
    return 0;
}

void report_children_free(struct report_children *children)
{
    free(children);
}

uint64_t report_children_started(const struct report_children *children)
{
    return children->started;
}

/* ---- how a child ends ---- */

static bool is_at_work(const struct report_child *child)
{
    return child->exit.fd >= 0;
}

/* Reaps it; afterwards it is in no list. True if it ended well. */
static bool take_status(struct report_child *child)
{
    struct report_children *children = child->children;
    siginfo_t info = {.si_pid = 0};
    loop_remove(children->loop, &child->exit);
    loop_timer_close(children->loop, &child->deadline);
    while (waitid(P_PIDFD, (id_t)child->exit.fd, &info, WEXITED) < 0 && errno == EINTR)
        ;
    close(child->exit.fd);
    child->exit.fd = -1;
    for (struct report_child **link = &children->first; *link != NULL; link = &(*link)->next)
        if (*link == child) {
            *link = child->next;
            break;
        }
    children->count--;
    return info.si_code == CLD_EXITED && info.si_status == 0;
}

static void kill_child(struct report_child *child)
{
    syscall(SYS_pidfd_send_signal, child->exit.fd, SIGKILL, NULL, 0);
}

static void set_problem(struct report_child *child, int status, const char *problem)
{
    if (child->status != 0)
        return; /* the first one is the cause */
    child->status = status;
    child->problem = problem;
}

static bool read_exactly(int fd, char *to, size_t length, off_t offset)
{
    to[length] = '\0';
    return offset >= 0 && pread(fd, to, length, offset) == (ssize_t)length;
}

/* The head is ours: written by this same program. */
static bool read_head(struct report_child *child)
{
    enum { LAST_LINE_BYTES = REPORT_OFFSET_DIGITS + 1 };
    char last_line[LAST_LINE_BYTES + 1];
    struct stat status;
    if (fstat(child->output, &status) < 0 ||
        !read_exactly(child->output, last_line, LAST_LINE_BYTES, status.st_size - LAST_LINE_BYTES))
        return false;
    off_t begin = (off_t)strtoull(last_line, NULL, 10);
    off_t length = status.st_size - LAST_LINE_BYTES - begin;
    child->body_bytes = (uint64_t)begin;
    return length > 0 && length <= HEAD_BYTES_MAX &&
           read_exactly(child->output, child->head, (size_t)length, begin);
}

static void child_exited(struct loop_source *source, uint32_t events)
{
    (void)events;
    struct report_child *child =
        (struct report_child *)((char *)source - offsetof(struct report_child, exit));
    if (!take_status(child) || !read_head(child))
        set_problem(child, 503, "The answer could not be made; the server's log may say why.");
    child->ended(child->context);
}

static void deadline_passed(struct loop_timer *timer)
{
    struct report_child *child =
        (struct report_child *)((char *)timer - offsetof(struct report_child, deadline));
    log_write(LOG_WARNING, "a long answer passed its deadline", "ms=%d", REPORT_MS);
    set_problem(child, 503, "The answer took too long to make.");
    kill_child(child);
}

void report_children_end(struct report_children *children)
{
    children->ending = true;
    while (children->first != NULL) {
        struct report_child *child = children->first;
        set_problem(child, 503, "The server is being stopped.");
        kill_child(child);
        take_status(child);
        child->ended(child->context);
    }
}

void report_child_free(struct report_child *child)
{
    if (child == NULL)
        return;
    if (is_at_work(child)) {
        kill_child(child);
        take_status(child);
    }
    cleanup_close_fd(&child->output);
    free(child);
}

/* ---- how it starts ---- */

/* Without a name, so that nothing is left whoever dies. Some file systems have no such files, and on a
 * read-only one there is room in memory alone. */
static int open_output(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : memfd_create("ipclab-answer", MFD_CLOEXEC);
}

static int start(struct report_child *child, const char *target, struct err *err)
{
    struct report_children *children = child->children;
    child->output = open_output(children->data);
    if (child->output < 0)
        return err_errno(err, errno, "make room for a long answer");
    /* exec takes no const, and changes nothing. */
    char *arguments[] = {"answer", "--", (char *)(uintptr_t)children->data, (char *)(uintptr_t)target, NULL};
    struct worker_child process;
    int result = worker_program_start(&this_program, arguments, -1, child->output, 0, &process, err);
    if (result < 0)
        return result;
    child->exit = (struct loop_source){.fd = process.pidfd, .ready = child_exited};
    child->next = children->first;
    children->first = child;
    children->count++;
    children->started++;
    result = loop_add(children->loop, &child->exit, EPOLLIN, err);
    if (result == 0)
        result = loop_timer_open(children->loop, &child->deadline, deadline_passed, err);
    if (result == 0)
        loop_timer_arm(&child->deadline, REPORT_MS * NS_PER_MS);
    return result;
}

int report_child_start(struct report_children *children, const char *target, void (*ended)(void *context),
                       void *context, struct report_child **child, struct err *err)
{
    if (children->ending)
        return err_set(err, ESHUTDOWN, "the server is being stopped");
    if (children->count == REPORT_CHILDREN_MAX)
        return err_set(err, EAGAIN, "%d long answers are being made already", REPORT_CHILDREN_MAX);
    struct report_child *made = calloc(1, sizeof *made);
    if (made == NULL)
        return err_set(err, ENOMEM, "out of memory for a long answer");
    made->children = children;
    made->ended = ended;
    made->context = context;
    made->exit.fd = made->output = -1;
    int result = start(made, target, err);
    if (result < 0)
        report_child_free(made);
    else
        *child = made;
    return result;
}

/* ---- what it answered ---- */

/* Cuts the text at the first of the delimiters; what follows, or NULL at its end. */
static char *cut(char *text, char delimiter)
{
    char *at = strchr(text, delimiter);
    if (at == NULL)
        return NULL;
    *at = '\0';
    return at + 1;
}

void report_child_answer(struct report_child *child, struct answer *answer)
{
    if (child->status != 0) {
        problem_answer(answer, child->status, child->problem);
        return;
    }
    char *fields = cut(child->head, '\n');
    char *content_type = cut(child->head, ' ');
    char *etag = content_type != NULL ? strrchr(content_type, ' ') : NULL;
    answer_set_status(answer, (int)strtol(child->head, NULL, 10));
    if (etag != NULL) {
        *etag = '\0';
        text_copy(answer->etag, sizeof answer->etag, strcmp(etag + 1, "-") != 0 ? etag + 1 : "");
    }
    answer->content_type = content_type;
    while (fields != NULL && *fields != '\0' && answer->header_count < ANSWER_HEADERS_MAX) {
        char *next = cut(fields, '\n');
        char *value = cut(fields, ':');
        if (value != NULL)
            answer_add_header(answer, fields, "%s", value + strspn(value, " "));
        fields = next;
    }
}

uint64_t report_child_body_bytes(const struct report_child *child)
{
    return child->status == 0 ? child->body_bytes : 0;
}

int report_child_take_body(struct report_child *child)
{
    return child->status == 0 ? take_fd(&child->output) : -1;
}
