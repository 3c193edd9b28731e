#include "server/commands/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "server/commands/commands.h"

enum { RETRY_MS = 500 };

struct watch {
    const struct watched_run *run;
    struct client *client; /* asks while the stream goes on */
    bool is_known;         /* what was heard of the run is all there was to hear */
    bool is_run;           /* the event that is coming in is one of the run itself */
    bool has_column;       /* progress stands on the terminal's line */
    int64_t lost_ns;       /* since when nothing is heard of the run; 0 = it is */
    struct err lost;       /* why */
    int status;            /* of the command, once is_over */
    bool is_over;
};

/* ---- leaving ---- */

static char parting[64]; /* what a signal handler says; written before it is installed */

static void leave(int signal_number)
{
    ssize_t written = write(STDERR_FILENO, parting, strlen(parting));
    (void)written;
    raise(signal_number); /* by now it has its default action, so that the shell sees what ended us */
}

void watch_prepare(const struct watched_run *run)
{
    struct sigaction action = {.sa_handler = leave, .sa_flags = (int)SA_RESETHAND};
    snprintf(parting, sizeof parting, "%sipclab: run %" PRId64 " goes on\n",
             isatty(STDERR_FILENO) ? "\n" : "", run->id);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- what is heard ---- */

static void show_progress(struct watch *watch, const struct json_node *run)
{
    if (!isatty(STDERR_FILENO))
        return;
    watch->has_column = true;
    fprintf(stderr, "\r\033[Krun %" PRId64 ": %s, %" PRId64 " of %" PRId64 " trials", watch->run->id,
            json_string_or(json_member(run, "state"), ""),
            json_integer_or(json_member(run, "trials_done"), 0),
            json_integer_or(json_member(run, "trials_total"), 0));
}

static void end_progress(struct watch *watch)
{
    if (watch->has_column)
        fputc('\n', stderr);
    watch->has_column = false;
}

static void end_watch(struct watch *watch, int status)
{
    end_progress(watch);
    watch->is_over = true;
    watch->status = status;
}

static void note_run(struct watch *watch, const struct json_node *run)
{
    const char *state = json_string_or(json_member(run, "state"), "");
    const char *message = json_string_or(json_member(run, "message"), "");
    bool has_failed = strcmp(state, "failed") == 0;
    show_progress(watch, run);
    if (strcmp(state, "done") == 0) {
        end_watch(watch, COMMAND_OK);
    } else if (has_failed || strcmp(state, "cancelled") == 0) {
        end_watch(watch, COMMAND_FAILED);
        fprintf(stderr, "ipclab: run %" PRId64 " %s%s%s\n", watch->run->id,
                has_failed ? "failed" : "was cancelled", message[0] != '\0' ? ": " : "", message);
    }
}

static void note_whole_run(struct watch *watch, const struct client_answer *answer)
{
    AUTO(json_cleanup)
    struct json_node *run = json_parse(text_string(&answer->body), answer->body.length, NULL);
    if (strcmp(json_string_or(json_member(run, "uid"), ""), watch->run->uid) != 0) {
        end_watch(watch, COMMAND_UNAVAILABLE);
        fprintf(stderr, "ipclab: wait for run %" PRId64 ": %s has another run of that number\n",
                watch->run->id, client_server(watch->client));
        return;
    }
    watch->is_known = true;
    watch->lost_ns = 0;
    note_run(watch, run);
}

static void look(struct watch *watch)
{
    AUTO(client_answer_fini) struct client_answer answer = {.status = 0};
    char target[64];
    snprintf(target, sizeof target, "/api/v1/runs/%" PRId64, watch->run->id);
    watch->is_known = false;
    if (client_get(watch->client, target, NULL, &answer, &watch->lost) < 0)
        return;
    if (answer.status == 200) {
        note_whole_run(watch, &answer);
    } else if (answer.status >= 500) {
        err_set(&watch->lost, EAGAIN, "%s answers with status %d", client_server(watch->client),
                answer.status);
    } else {
        end_watch(watch, COMMAND_UNAVAILABLE);
        client_report(&answer, "wait");
    }
}

/* A line of the stream; "event" comes before its "data". What happened before the stream began is in none of
 * its events, nor is what a gap swallowed. */
static bool take_line(void *context, const char *line)
{
    static const char event[] = "event: ", data[] = "data: ";
    struct watch *watch = context;
    bool is_gap = strcmp(line, "event: gap") == 0;
    if (strncmp(line, event, sizeof event - 1) == 0)
        watch->is_run = strcmp(line + sizeof event - 1, "run") == 0;
    if (!watch->is_known || is_gap) {
        look(watch);
    } else if (watch->is_run && strncmp(line, data, sizeof data - 1) == 0) {
        const char *json = line + sizeof data - 1;
        AUTO(json_cleanup) struct json_node *run = json_parse(json, strlen(json), NULL);
        note_run(watch, run);
    }
    return watch->is_known && !watch->is_over;
}

/* ---- staying ---- */

/* Until the run is over, or the stream is. Where there is no stream to be had, a look has to do. */
static void follow(struct watch *watch, struct client *client)
{
    struct err err;
    AUTO(client_answer_fini) struct client_answer answer = {.status = 0};
    char target[64];
    snprintf(target, sizeof target, "/api/v1/events?topics=run:%" PRId64, watch->run->id);
    watch->is_known = false;
    watch->lost.code = 0;
    int result = client_follow(client, target, take_line, watch, &answer, &err);
    watch->is_known = false;
    if (watch->is_over || watch->lost.code != 0)
        return;
    if (result == 0 && answer.status != 200)
        look(watch);
    else if (result == 0)
        err_set(&watch->lost, EHOSTUNREACH, "the server stopped");
    else
        watch->lost = err;
}

/* It is said once that the server is gone, and once that it did not come back. */
static void note_loss(struct watch *watch)
{
    const struct watched_run *run = watch->run;
    int64_t now_ns = clock_now_ns();
    bool is_first = watch->lost_ns == 0;
    if (is_first)
        watch->lost_ns = now_ns;
    if (now_ns - watch->lost_ns >= run->reconnect_s * NS_PER_S) {
        end_watch(watch, COMMAND_UNAVAILABLE);
        fprintf(stderr, "ipclab: wait for run %" PRId64 ": %s; it goes on when its server does\n", run->id,
                watch->lost.text);
    } else if (is_first) {
        end_progress(watch);
        fprintf(stderr, "ipclab: wait for run %" PRId64 ": %s; looking for the server for %d s\n", run->id,
                watch->lost.text, run->reconnect_s);
    }
}

int watch_run(const char *server, struct client *client, const struct watched_run *run)
{
    struct watch watch = {.run = run};
    struct err err;
    AUTO(client_cleanup) struct client *asking = NULL;
    if (client_open(server, &asking, &err) < 0) {
        fprintf(stderr, "ipclab: wait for run %" PRId64 ": %s\n", run->id, err.text);
        return COMMAND_UNAVAILABLE;
    }
    watch.client = asking;
    for (;;) {
        follow(&watch, client);
        if (!watch.is_over && !watch.is_known)
            note_loss(&watch);
        if (watch.is_over)
            return watch.status;
        nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * NS_PER_MS}, NULL);
    }
}
