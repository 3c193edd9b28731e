/* run: takes a run on a server and, if it is asked to, waits for its end. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "server/commands/client.h"
#include "server/commands/commands.h"
#include "server/commands/line.h"
#include "server/commands/watch.h"

static const char runs[] = "/api/v1/runs";

struct waiting {
    bool is_wanted;
    int reconnect_s;
};

static int complain(const struct err *err, int status)
{
    fprintf(stderr, "ipclab: %s\n", err->text);
    return status;
}

static int take_run(const struct client_answer *answer, struct watched_run *taken)
{
    struct err err;
    AUTO(json_cleanup)
    struct json_node *run = json_parse(text_string(&answer->body), answer->body.length, NULL);
    const char *uid = json_string_or(json_member(run, "uid"), "");
    taken->id = json_integer_or(json_member(run, "id"), 0);
    if (taken->id == 0 || !text_copy(taken->uid, sizeof taken->uid, uid)) {
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

static int submit(const char *server, FILE *experiment, const struct waiting *waiting)
{
    struct err err;
    struct watched_run run = {.reconnect_s = waiting->reconnect_s};
    AUTO(client_answer_fini) struct client_answer answer = {.status = 0};
    AUTO(client_cleanup) struct client *client = NULL;
    int result = client_open(server, &client, &err);
    if (result == 0)
        result = client_post(client, runs, experiment, &answer, &err);
    if (result < 0)
        return complain(&err, err.code == EHOSTUNREACH ? COMMAND_UNAVAILABLE : COMMAND_USAGE);
    if (answer.status != 202)
        return client_report(&answer, "run");
    int status = take_run(&answer, &run);
    if (status != COMMAND_OK)
        return status;
    if (waiting->is_wanted)
        watch_prepare(&run);
    status = print_id(run.id);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "%s/runs/%" PRId64 "\n", client_server(client), run.id);
    return status == COMMAND_OK && waiting->is_wanted ? watch_run(server, client, &run) : status;
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

static bool read_number(const char *text, long *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
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
        long trials;
        if (!read_number(wish->trials, &trials))
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

static int submit_wish(const char *server, const struct wish *wish, const struct waiting *waiting)
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
    return submit(server, file, waiting);
}

static int submit_file(const char *server, const char *path, const struct waiting *waiting)
{
    struct err err;
    AUTO_FCLOSE FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (file == NULL) {
        err_errno(&err, errno, "open %s", path);
        return complain(&err, COMMAND_USAGE);
    }
    return submit(server, file, waiting);
}

static bool has_wish(const struct wish *wish)
{
    return wish->preset != NULL || wish->name != NULL || wish->note != NULL || wish->trials != NULL ||
           wish->tags.count > 0;
}

/* reconnect: what the option says, or NULL. */
static int read_waiting(const char *reconnect, struct waiting *waiting, struct err *err)
{
    long seconds = WATCH_RECONNECT_S;
    if (reconnect != NULL &&
        (!read_number(reconnect, &seconds) || seconds < 0 || seconds > WATCH_RECONNECT_S_MAX))
        return err_set(err, EINVAL, "--reconnect %.40s: must be 0 to %d, in seconds", reconnect,
                       WATCH_RECONNECT_S_MAX);
    waiting->reconnect_s = (int)seconds;
    return 0;
}

int command_run(int count, char *const *arguments)
{
    const char *server = NULL, *path = NULL, *waits = NULL, *reconnect = NULL;
    struct err err;
    struct waiting waiting;
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
        {"--reconnect", "SECONDS", "how long --wait looks for a server that is gone (60)", &reconnect},
        {"--server", "URL", "the server's address ($IPCLAB_SERVER, " CLIENT_SERVER_DEFAULT ")", &server},
    };
    const struct line line = {
        .usage = "run --preset NAME | --experiment FILE [OPTION...]",
        .help =
            "Asks a server for a run and prints its number. With --wait it stays until the run is over, "
            "also\n"
            "when the server is stopped or killed and comes back; ended by SIGINT (Ctrl-C) or SIGTERM it\n"
            "leaves the run going. Exit status: 0 asked for, with --wait done; 1 failed or cancelled; 2 "
            "refused,\n"
            "or no such option; 69 no server answers, it takes no more runs, or it has lost the run.",
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
    waiting.is_wanted = waits != NULL;
    if (read_waiting(reconnect, &waiting, &err) < 0)
        return complain(&err, COMMAND_USAGE);
    return path != NULL ? submit_file(server, path, &waiting) : submit_wish(server, &wish, &waiting);
}
