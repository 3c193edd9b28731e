#include "server/supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cage_flags.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "server/metrics_socket.h"
#include "server/run_directory.h"

/* The leader bounds its trial by itself; this is for a leader that hangs. */
enum { DEADLINE_MARGIN_MS = 2000 };

enum { WORKERS_MAX = 2 * CREW_SIDE_MAX };

struct crew {
    struct supervisor *supervisor;
    struct crew *next;
    struct crew_client client;
    struct trial_spec spec;
    int worker_count;
    bool ready[WORKERS_MAX], delivered[WORKERS_MAX];
    struct metrics_connection *connections[WORKERS_MAX]; /* by worker, NULL when not connected */
    struct worker_child leader;
    struct loop_source leader_ended;
    struct loop_timer deadline;
    char cause[CREW_CAUSE_BYTES]; /* the first that was noticed, "" while all is well */
};

struct supervisor {
    struct loop *loop;
    const struct worker_program *program;
    const char *run_directory;
    enum cage cage;
    struct metrics_socket *metrics;
    struct crew *crews;
    uint64_t started_count;
};

static void note_cause(struct crew *crew, const char *cause)
{
    if (crew->cause[0] == '\0')
        text_copy(crew->cause, sizeof crew->cause, cause);
}

static void send_kill(const struct crew *crew)
{
    syscall(SYS_pidfd_send_signal, crew->leader.pidfd, SIGKILL, NULL, 0);
}

void supervisor_kill(struct crew *crew, const char *cause)
{
    note_cause(crew, cause);
    send_kill(crew);
}

static struct crew *crew_of_token(const struct supervisor *supervisor, const char *token)
{
    for (struct crew *crew = supervisor->crews; crew != NULL; crew = crew->next)
        if (strcmp(crew->spec.token, token) == 0)
            return crew;
    return NULL;
}

/* ---- what crews say ---- */

static bool all_of(const bool *flags, int count)
{
    for (int i = 0; i < count; i++)
        if (!flags[i])
            return false;
    return true;
}

/* The start barrier: nobody is let go before everybody is ready. */
static void take_ready(struct crew *crew, int worker)
{
    crew->ready[worker] = true;
    if (!all_of(crew->ready, crew->worker_count))
        return;
    const struct frame go = {.type = FRAME_GO};
    for (int i = 0; i < crew->worker_count; i++) {
        struct err err;
        if (crew->connections[i] != NULL && metrics_connection_send(crew->connections[i], &go, &err) < 0)
            supervisor_kill(crew, err.text);
    }
}

static int take_hello(void *context, struct metrics_connection *connection, const struct frame_hello *hello,
                      void **owner, struct err *err)
{
    struct supervisor *supervisor = context;
    struct crew *crew = crew_of_token(supervisor, hello->token);
    if (crew == NULL)
        return err_set(err, EACCES, "hello with a token that belongs to no crew");
    if (hello->worker >= crew->worker_count)
        return err_set(err, EPROTO, "hello from worker %d of %d", hello->worker, crew->worker_count);
    if (hello->worker >= 0) {
        if (crew->connections[hello->worker] != NULL || crew->ready[hello->worker])
            return err_set(err, EEXIST, "a second hello from worker %d", hello->worker);
        crew->connections[hello->worker] = connection;
    }
    *owner = crew;
    return 0;
}

static void take_frame(void *owner, int worker, const struct frame *frame)
{
    struct crew *crew = owner;
    char cause[CREW_CAUSE_BYTES];
    if (frame->type == FRAME_EXIT) {
        snprintf(cause, sizeof cause, "worker %d: %.200s", frame->exit.worker, frame->exit.cause);
        note_cause(crew, cause);
    }
    if (worker < 0)
        return; /* the leader says hello, exit and bye */
    if (frame->type == FRAME_RESULT)
        crew->delivered[worker] = true;
    crew->client.frame(crew->client.context, worker, frame);
    if (frame->type == FRAME_READY)
        take_ready(crew, worker);
}

static void take_fault(void *owner, int worker, const char *text)
{
    struct crew *crew = owner;
    char cause[CREW_CAUSE_BYTES];
    snprintf(cause, sizeof cause, "worker %d: %.200s", worker, text);
    supervisor_kill(crew, cause);
}

static void take_closed(void *owner, int worker)
{
    struct crew *crew = owner;
    if (worker >= 0)
        crew->connections[worker] = NULL;
}

/* ---- how crews end ---- */

static void unlink_crew(struct crew *crew)
{
    for (struct crew **link = &crew->supervisor->crews; *link != NULL; link = &(*link)->next)
        if (*link == crew) {
            *link = crew->next;
            return;
        }
}

static void free_crew(struct crew *crew)
{
    struct supervisor *supervisor = crew->supervisor;
    metrics_socket_drop(supervisor->metrics, crew);
    loop_remove(supervisor->loop, &crew->leader_ended);
    loop_timer_close(supervisor->loop, &crew->deadline);
    close(crew->leader.pidfd);
    unlink_crew(crew);
    /* A cage took its names with it; what is left is the empty directory its tmpfs was mounted on. */
    struct err err;
    if (rmdir(crew->spec.directory) < 0 && errno != ENOENT &&
        run_directory_sweep(supervisor->program, crew->spec.directory, &err) < 0)
        log_write(LOG_WARNING, "could not sweep a crew's directory", "%s", err.text);
    free(crew);
}

static void note_leader_status(struct crew *crew)
{
    char cause[CREW_CAUSE_BYTES];
    if (!worker_child_reap(&crew->leader, "the crew's leader", cause, sizeof cause))
        note_cause(crew, cause);
}

static void leader_ended(struct loop_source *source, uint32_t events)
{
    (void)events;
    struct crew *crew = (struct crew *)((char *)source - offsetof(struct crew, leader_ended));
    /* Frames may be queued behind the hang-up: read them before judging. */
    metrics_socket_drain(crew->supervisor->metrics);
    note_leader_status(crew);
    if (!all_of(crew->delivered, crew->worker_count))
        note_cause(crew, "a worker ended without a result");
    struct crew_end end = {.complete = crew->cause[0] == '\0'};
    text_copy(end.cause, sizeof end.cause, crew->cause);
    struct crew_client client = crew->client;
    free_crew(crew);
    client.ended(client.context, &end);
}

static void deadline_passed(struct loop_timer *timer)
{
    struct crew *crew = (struct crew *)((char *)timer - offsetof(struct crew, deadline));
    supervisor_kill(crew, "the trial passed its deadline");
}

/* ---- how crews start ---- */

static int make_token(char token[FRAME_TOKEN_BYTES], struct err *err)
{
    unsigned char random[(FRAME_TOKEN_BYTES - 1) / 2];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return err_errno(err, errno, "get random bytes");
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(token + 2 * i, 3, "%02x", random[i]);
    return 0;
}

/* The spec as a file in memory, at its beginning: the leader's standard input. */
static int make_input(const struct trial_spec *spec, struct err *err)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    trial_spec_encode(spec, &text);
    AUTO_CLOSE int fd = memfd_create("ipclab-trial", MFD_CLOEXEC);
    if (fd < 0 || !text_ok(&text) || pwrite(fd, text.bytes, text.length, 0) != (ssize_t)text.length)
        return err_errno(err, errno, "hand the trial to its leader");
    return take_fd(&fd);
}

static int start_leader(struct supervisor *supervisor, struct crew *crew, struct err *err)
{
    AUTO_CLOSE int input = make_input(&crew->spec, err);
    if (input < 0)
        return input;
    char *arguments[] = {"crew", NULL};
    uint64_t namespaces = supervisor->cage == CAGE_FULL ? cage_flags_for(geteuid()) : 0;
    return worker_program_start(supervisor->program, arguments, input, -1, namespaces, &crew->leader, err);
}

static int watch_leader(struct crew *crew, struct err *err)
{
    struct loop *loop = crew->supervisor->loop;
    crew->leader_ended = (struct loop_source){.fd = crew->leader.pidfd, .ready = leader_ended};
    int result = loop_add(loop, &crew->leader_ended, EPOLLIN, err);
    if (result == 0)
        result = loop_timer_open(loop, &crew->deadline, deadline_passed, err);
    if (result < 0)
        return result;
    loop_timer_arm(&crew->deadline, (trial_spec_deadline_ms(&crew->spec) + DEADLINE_MARGIN_MS) * NS_PER_MS);
    return 0;
}

int supervisor_start(struct supervisor *supervisor, struct trial_spec *spec, const struct crew_client *client,
                     struct crew **crew, struct err *err)
{
    spec->cage = supervisor->cage;
    snprintf(spec->metrics_socket, sizeof spec->metrics_socket, "%s",
             metrics_socket_path(supervisor->metrics));
    snprintf(spec->directory, sizeof spec->directory, "%s/crew-%" PRIu64, supervisor->run_directory,
             ++supervisor->started_count);
    int result = make_token(spec->token, err);
    if (result < 0)
        return result;
    if (mkdir(spec->directory, 0700) < 0)
        return err_errno(err, errno, "create %s", spec->directory);
    struct crew *made = calloc(1, sizeof *made);
    if (made == NULL) {
        rmdir(spec->directory);
        return err_set(err, ENOMEM, "out of memory for a crew");
    }
    *made = (struct crew){.supervisor = supervisor,
                          .next = supervisor->crews,
                          .client = *client,
                          .spec = *spec,
                          .worker_count = spec->one.senders + spec->one.receivers,
                          .leader = {.pidfd = -1}};
    supervisor->crews = made;
    result = start_leader(supervisor, made, err);
    if (result < 0) {
        rmdir(spec->directory);
        unlink_crew(made);
        free(made);
        return result;
    }
    result = watch_leader(made, err);
    if (result < 0) {
        send_kill(made);
        free_crew(made);
        return result;
    }
    *crew = made;
    return 0;
}

/* ---- the supervisor itself ---- */

int supervisor_new(struct loop *loop, const struct worker_program *program, const char *run_directory,
                   enum cage cage, struct supervisor **supervisor, struct err *err)
{
    struct supervisor *made = calloc(1, sizeof *made);
    if (made == NULL)
        return err_set(err, ENOMEM, "out of memory for the supervisor");
    *made =
        (struct supervisor){.loop = loop, .program = program, .run_directory = run_directory, .cage = cage};
    const struct metrics_client client = {.context = made,
                                          .hello = take_hello,
                                          .frame = take_frame,
                                          .fault = take_fault,
                                          .closed = take_closed};
    int result = metrics_socket_open(loop, run_directory, &client, &made->metrics, err);
    if (result < 0) {
        free(made);
        return result;
    }
    *supervisor = made;
    return 0;
}

void supervisor_free(struct supervisor *supervisor)
{
    if (supervisor == NULL)
        return;
    while (supervisor->crews != NULL) {
        struct crew *crew = supervisor->crews;
        send_kill(crew);
        note_leader_status(crew);
        free_crew(crew);
    }
    metrics_socket_close(supervisor->metrics);
    free(supervisor);
}
