/* run: takes a run on a server and, if it is asked to, waits for its end. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "server/commands/client.h"
#include "server/commands/commands.h"
#include "server/commands/line.h"

static const char runs[] = "/api/v1/runs";

static int complain(const struct err *err, int status)
{
    fprintf(stderr, "ipclab: %s\n", err->text);
    return status;
}

/* ---- waiting ---- */

struct watch {
    struct client *client; /* asks while the stream goes on */
    int64_t id;
    bool is_known;   /* the run was looked at since the stream began */
    bool is_run;     /* the event that is coming in is one of the run itself */
    bool has_column; /* progress stands on the terminal's line */
    int status;      /* of the command, once is_over */
    bool is_over;
};

static char parting[64]; /* what a signal handler says; written before it is installed */

static void leave(int signal_number)
{
    ssize_t written = write(STDERR_FILENO, parting, strlen(parting));
    (void)written;
    raise(signal_number); /* by now it has its default action, so that the shell sees what ended us */
}

static void be_ready_to_leave(int64_t id)
{
    struct sigaction action = {.sa_handler = leave, .sa_flags = (int)SA_RESETHAND};
    snprintf(parting, sizeof parting, "%sipclab: run %" PRId64 " goes on\n",
             isatty(STDERR_FILENO) ? "\n" : "", id);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void show_progress(struct watch *watch, const struct json_node *run)
{
    if (!isatty(STDERR_FILENO))
        return;
    watch->has_column = true;
    fprintf(stderr, "\r\033[Krun %" PRId64 ": %s, %" PRId64 " of %" PRId64 " trials", watch->id,
            json_string_or(json_member(run, "state"), ""),
            json_integer_or(json_member(run, "trials_done"), 0),
            json_integer_or(json_member(run, "trials_total"), 0));
}

static void end_watch(struct watch *watch, int status)
{
    if (watch->has_column)
        fputc('\n', stderr);
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
        fprintf(stderr, "ipclab: run %" PRId64 " %s%s%s\n", watch->id,
                has_failed ? "failed" : "was cancelled", message[0] != '\0' ? ": " : "", message);
    }
}

static void look(struct watch *watch)
{
    struct err err;
    AUTO(client_answer_fini) struct client_answer answer = {.status = 0};
    char target[64];
    snprintf(target, sizeof target, "%s/%" PRId64, runs, watch->id);
    watch->is_known = true;
    int result = client_get(watch->client, target, NULL, &answer, &err);
    if (result < 0) {
        err_prefix(&err, "wait for run %" PRId64, watch->id);
        end_watch(watch, complain(&err, COMMAND_UNAVAILABLE));
        return;
    }
    if (answer.status != 200) {
        end_watch(watch, client_report(&answer, "wait"));
        return;
    }
    AUTO(json_cleanup)
    struct json_node *run = json_parse(text_string(&answer.body), answer.body.length, NULL);
    note_run(watch, run);
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
    return !watch->is_over;
}

static int wait_for_run(const char *server, struct client *client, int64_t id)
{
    struct err err;
    struct watch watch = {.id = id};
    AUTO(client_answer_fini) struct client_answer answer = {.status = 0};
    AUTO(client_cleanup) struct client *asking = NULL;
    char target[64];
    snprintf(target, sizeof target, "/api/v1/events?topics=run:%" PRId64, id);
    int result = client_open(server, &asking, &err);
    watch.client = asking;
    if (result == 0)
        result = client_follow(client, target, take_line, &watch, &answer, &err);
    if (watch.is_over)
        return watch.status;
    if (result == 0 && answer.status != 200)
        return client_report(&answer, "wait");
    if (result == 0)
        err_set(&err, EHOSTUNREACH, "the server stopped");
    err_prefix(&err, "wait for run %" PRId64, id);
    return complain(&err, COMMAND_UNAVAILABLE);
}

/* ---- asking ---- */

static int take_id(const struct client_answer *answer, int64_t *id)
{
    struct err err;
    AUTO(json_cleanup)
    struct json_node *run = json_parse(text_string(&answer->body), answer->body.length, NULL);
    *id = json_integer_or(json_member(run, "id"), 0);
    if (*id == 0) {
        err_set(&err, EPROTO, "the server's answer has no run");
        return complain(&err, COMMAND_UNAVAILABLE);
    }
    return COMMAND_OK;
}

/* Alone, so that a script has it by $(ipclab run …). */
static int print_id(int64_t id)
{
    struct err err;
    if (printf("%" PRId64 "\n", id) > 0 && fflush(stdout) == 0)
        return COMMAND_OK;
    err_errno(&err, errno, "write the number of run %" PRId64, id);
    return complain(&err, COMMAND_FAILED);
}

static int submit(const char *server, FILE *experiment, bool waits)
{
    struct err err;
    int64_t id = 0;
    AUTO(client_answer_fini) struct client_answer answer = {.status = 0};
    AUTO(client_cleanup) struct client *client = NULL;
    int result = client_open(server, &client, &err);
    if (result == 0)
        result = client_post(client, runs, experiment, &answer, &err);
    if (result < 0)
        return complain(&err, COMMAND_UNAVAILABLE);
    if (answer.status != 202)
        return client_report(&answer, "run");
    int status = take_id(&answer, &id);
    if (status != COMMAND_OK)
        return status;
    if (waits)
        be_ready_to_leave(id);
    status = print_id(id);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "%s/runs/%" PRId64 "\n", client_server(client), id);
    return status == COMMAND_OK && waits ? wait_for_run(server, client, id) : status;
}

struct wish {
    const char *preset, *name, *note, *trials;
    struct line_values tags;
};

static void write_string(struct json_writer *writer, const char *name, const char *value)
{
    if (value != NULL)
        json_write_string(writer, name, value);
}

/* The server judges everything but what JSON could not say. */
static int write_wish(const struct wish *wish, struct text *out, struct err *err)
{
    struct json_writer writer = json_writer_on(out);
    json_begin_object(&writer, NULL);
    write_string(&writer, "preset", wish->preset);
    write_string(&writer, "name", wish->name);
    write_string(&writer, "note", wish->note);
    if (wish->trials != NULL) {
        char *end = NULL;
        errno = 0;
        long trials = strtol(wish->trials, &end, 10);
        if (errno != 0 || end == wish->trials || *end != '\0')
            return err_set(err, EINVAL, "--trials %.40s: must be a number", wish->trials);
        json_write_integer(&writer, "trials", trials);
    }
    json_begin_array(&writer, "tags");
    for (size_t i = 0; i < wish->tags.count; i++)
        json_write_string(&writer, NULL, wish->tags.values[i]);
    json_end_array(&writer);
    json_end_object(&writer);
    return text_ok(out) ? 0 : err_set(err, ENOMEM, "out of memory for a request");
}

static int submit_wish(const char *server, const struct wish *wish, bool waits)
{
    struct err err;
    AUTO(text_fini) struct text body = TEXT_EMPTY;
    if (write_wish(wish, &body, &err) < 0)
        return complain(&err, COMMAND_USAGE);
    AUTO_FCLOSE FILE *file = fmemopen(body.bytes, body.length, "r");
    if (file == NULL) {
        err_errno(&err, errno, "make a request");
        return complain(&err, COMMAND_USAGE);
    }
    return submit(server, file, waits);
}

static int submit_file(const char *server, const char *path, bool waits)
{
    struct err err;
    AUTO_FCLOSE FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (file == NULL) {
        err_errno(&err, errno, "open %s", path);
        return complain(&err, COMMAND_USAGE);
    }
    return submit(server, file, waits);
}

static bool has_wish(const struct wish *wish)
{
    return wish->preset != NULL || wish->name != NULL || wish->note != NULL || wish->trials != NULL ||
           wish->tags.count > 0;
}

int command_run(int count, char *const *arguments)
{
    const char *server = NULL, *path = NULL, *waits = NULL;
    struct wish wish = {.preset = NULL};
    int operand_count, status;
    const struct line_option options[] = {
        {"--preset", "NAME", "quick, standard or thorough", &wish.preset},
        {"--name", "TEXT", "what the run is called", &wish.name},
        {"--note", "TEXT", "what is to be remembered about it", &wish.note},
        {"--tag", "TAG", "one more of its tags", NULL},
        {"--trials", "N", "of each case, other than the preset's", &wish.trials},
        {"--experiment", "FILE", "instead of all these: an experiment as JSON, - for standard input", &path},
        {"--wait", NULL, "until the run is over", &waits},
        {"--server", "URL", "the server's address ($IPCLAB_SERVER, " CLIENT_SERVER_DEFAULT ")", &server},
    };
    const struct line line = {
        .usage = "run --preset NAME | --experiment FILE [OPTION...]",
        .help =
            "Asks a server for a run and prints its number. With --wait it stays until the run is over; "
            "stopped\n"
            "by SIGINT (Ctrl-C) or SIGTERM it leaves the run going. Exit status: 0 asked for, with --wait "
            "done;\n"
            "1 failed or cancelled; 2 refused; 69 no server answers, it takes no more runs, or it stopped.",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .repeated = &wish.tags,
    };
    if (!line_read(&line, count, arguments, NULL, &operand_count, &status))
        return status;
    if ((path == NULL) == (wish.preset == NULL) || (path != NULL && has_wish(&wish))) {
        fprintf(stderr, "ipclab: say --preset, or --experiment alone\nusage: ipclab %s\n", line.usage);
        return COMMAND_USAGE;
    }
    return path != NULL ? submit_file(server, path, waits != NULL)
                        : submit_wish(server, &wish, waits != NULL);
}
