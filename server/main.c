/* ipclab: the server. Reading this file tells how its parts are wired; what each does stands in its header.
 *
 *   archive (db/store.h) ← runner → supervisor → crews of ipclab-worker
 *                            ↓                      ↓ frames over the metrics socket
 *                          events → http, sse → the page */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/cage_flags.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "db/store.h"
#include "server/activities.h"
#include "server/api/routes.h"
#include "server/app.h"
#include "server/commands/commands.h"
#include "server/commands/line.h"
#include "server/config.h"
#include "server/events.h"
#include "server/http.h"
#include "server/isolation.h"
#include "server/loop.h"
#include "server/messages.h"
#include "server/report.h"
#include "server/retention.h"
#include "server/run_directory.h"
#include "server/runner.h"
#include "server/supervisor.h"
#include "server/worker_program.h"

/* Exit statuses: sysexits.h's EX_CONFIG says that the archive cannot be used as it is. */
enum { EXIT_USAGE = 2, EXIT_ARCHIVE_UNUSABLE = 78 };

struct server {
    struct app app;
    struct config config;
    struct worker_program worker;
    char run_directory[RUN_DIRECTORY_BYTES];
    struct loop_source signals;
    struct http *http;
};

/* ---- opening, part by part ---- */

/* What `ipclab-worker SUBCOMMAND` prints, caged: in the namespaces of a cage; NULL with *err filled. */
static struct json_node *ask_worker(const struct server *server, const char *subcommand, bool caged,
                                    struct err *err)
{
    AUTO(text_fini) struct text output = TEXT_EMPTY;
    char *arguments[] = {(char *)subcommand, caged ? "caged" : NULL, NULL};
    uint64_t namespaces = caged ? cage_flags_for(geteuid()) : 0;
    if (worker_program_capture(&server->worker, arguments, namespaces, &output, err) < 0)
        return NULL;
    struct json_node *document = json_parse(text_string(&output), output.length, err);
    if (document == NULL)
        err_prefix(err, "ipclab-worker %s", subcommand);
    return document;
}

/* Asked where crews will be: an IPC namespace has limits of its own. */
static int read_catalogue(struct server *server, enum cage cage, struct err *err)
{
    AUTO(json_cleanup)
    struct json_node *document = ask_worker(server, "describe", cage == CAGE_FULL, err);
    return document != NULL ? catalogue_read(document, &server->app.catalogue, err) : -err->code;
}

static int read_labs(struct server *server, struct err *err)
{
    AUTO(json_cleanup) struct json_node *labs = ask_worker(server, "labs", false, err);
    AUTO(json_cleanup)
    struct json_node *claims = labs != NULL ? ask_worker(server, "claims", false, err) : NULL;
    if (claims == NULL)
        return -err->code;
    return lab_catalogue_init(&server->app.labs, take_pointer(labs), take_pointer(claims), err);
}

/* Figures are shown beside what measuring them costs; a server that could not find that out serves all the
 * same. */
static void read_overhead(struct server *server)
{
    AUTO(text_fini) struct text output = TEXT_EMPTY;
    char *arguments[] = {"overhead", NULL};
    struct err err;
    if (worker_program_capture(&server->worker, arguments, 0, &output, &err) < 0)
        log_write(LOG_WARNING, "could not measure the overhead", "%s", err.text);
    else
        machine_set_overhead(&server->app.machine, text_string(&output));
}

/* What crews need, in the order in which each needs the one before. */
static int open_workshop(struct server *server, struct err *err)
{
    char isolation[ISOLATION_JSON_BYTES];
    int result = run_directory_open(server->config.data, &server->worker, server->run_directory, err);
    if (result < 0)
        return result;
    enum cage cage = isolation_probe(&server->worker, isolation);
    result = read_catalogue(server, cage, err);
    if (result == 0)
        result = read_labs(server, err);
    if (result == 0)
        result = machine_read(&server->app.machine, isolation, err);
    if (result == 0)
        read_overhead(server);
    if (result == 0)
        result = supervisor_new(server->app.loop, &server->worker, server->run_directory, cage,
                                &server->app.supervisor, err);
    return result;
}

static void signal_arrived(struct loop_source *source, uint32_t events)
{
    (void)events;
    struct server *server = (struct server *)((char *)source - offsetof(struct server, signals));
    struct signalfd_siginfo info;
    if (read(source->fd, &info, sizeof info) == (ssize_t)sizeof info)
        log_write(LOG_INFO, "stopping", "signal=%u", info.ssi_signo);
    loop_quit(server->app.loop);
}

static int open_signals(struct server *server, struct err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    server->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    server->signals.ready = signal_arrived;
    if (server->signals.fd < 0)
        return err_errno(err, errno, "create a signalfd");
    return loop_add(server->app.loop, &server->signals, EPOLLIN, err);
}

static int open_server(struct server *server, struct err *err)
{
    struct app *app = &server->app;
    app->config = &server->config;
    app->started_ns = clock_now_ns();
    int result = worker_program_find(&server->worker, err);
    if (result == 0)
        result = store_open(server->config.data, &app->store, err);
    if (result == 0)
        result = loop_new(&app->loop, err);
    if (result == 0)
        result = open_signals(server, err);
    if (result == 0)
        result = events_new(&app->events, err);
    if (result == 0)
        result = messages_new(&app->messages, err);
    if (result == 0)
        result = open_workshop(server, err);
    if (result == 0)
        result = runner_new(app, &app->runner, err);
    if (result == 0)
        result = activities_new(app, &server->worker, &app->activities, err);
    if (result == 0)
        result = retention_new(app, &app->retention, err);
    if (result == 0)
        result = http_open(app, server->config.listen, server->config.port, &server->http, err);
    return result;
}

static void close_server(struct server *server)
{
    struct app *app = &server->app;
    http_close(server->http);
    retention_free(app->retention);
    activities_free(app->activities);
    runner_free(app->runner);
    supervisor_free(app->supervisor);
    machine_fini(&app->machine);
    lab_catalogue_fini(&app->labs);
    messages_free(app->messages);
    if (server->run_directory[0] != '\0')
        run_directory_close(server->run_directory);
    events_free(app->events);
    if (server->signals.fd >= 0)
        close(server->signals.fd);
    loop_free(app->loop);
    store_close(app->store);
}

/* ---- serving ---- */

/* An archive in which nothing was ever measured gets a first run, so that a newcomer sees figures at once. */
static int take_first_run(struct app *app, struct err *err)
{
    static struct store_run_list list; /* static: it is large */
    const struct store_run_query query = {.limit = 1, .state = -1};
    int result = store_run_list(app->store, &query, &list, err);
    bool empty = list.count == 0;
    store_run_list_fini(&list);
    if (result < 0 || !empty || store_health(app->store) != STORE_OK)
        return result;
    static const char document_text[] = "{\"preset\":\"quick\",\"tags\":[\"first-run\"]}";
    AUTO(json_cleanup) struct json_node *document = json_parse(document_text, sizeof document_text - 1, err);
    static struct experiment_request request;
    struct faults faults = {.count = 0};
    struct experiment_context context = {.catalogue = &app->catalogue, .cpus = app->machine.cpus};
    if (getrandom(&context.random_seed, sizeof context.random_seed, 0) < 0)
        return err_errno(err, errno, "get random bytes");
    context.random_seed &= INT32_MAX;
    experiment_read(document, &context, &request, &faults);
    if (faults.count > 0)
        return 0; /* no mechanism works here: the page says so */
    int64_t run_id = 0;
    return runner_submit(app->runner, &request, &(struct store_idempotency){.key = NULL}, &run_id, err);
}

static void print_address(const struct server *server)
{
    bool v6 = strchr(server->config.listen, ':') != NULL;
    printf("ipclab: serving http://%s%s%s:%u/ (data %s)\n", v6 ? "[" : "", server->config.listen,
           v6 ? "]" : "", http_port(server->http), server->config.data);
    fflush(stdout);
}

static int serve(struct server *server, struct err *err)
{
    int result = server->config.first_run ? take_first_run(&server->app, err) : 0;
    if (result < 0)
        return result;
    print_address(server);
    result = loop_run(server->app.loop, err);
    activities_stop(server->app.activities);
    runner_stop(server->app.runner);
    if (result == 0 && store_health(server->app.store) == STORE_BROKEN)
        result = err_set(err, EIO, "the archive's disk failed: %s", store_health_reason(server->app.store));
    return result;
}

static bool asks_for_help(int count, char *const *arguments)
{
    for (int i = 0; i < count; i++)
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0)
            return true;
    return false;
}

static int help_serve(void)
{
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    text_append(&text,
                "usage: ipclab serve [OPTION...]\n\n"
                "Runs experiments and serves the page until SIGTERM or SIGINT. The address is the first line "
                "on\n"
                "standard output; the log, a JSON object a line, goes to standard error. Exit status: 0 "
                "stopped,\n"
                "1 failed, 2 no such option, 78 the archive is damaged.\n"
                "Options (default); variable:\n");
    config_write_help(&text);
    fputs(text_string(&text), stdout);
    return EXIT_SUCCESS;
}

static int command_serve(int count, char *const *arguments)
{
    if (asks_for_help(count, arguments))
        return help_serve();
    static struct server server = {.signals = {.fd = -1}};
    struct err err = {.code = 0};
    if (config_read(&server.config, count, arguments, &err) < 0) {
        fprintf(stderr, "ipclab: %s\n", err.text);
        return EXIT_USAGE;
    }
    int result = open_server(&server, &err);
    if (result == 0)
        result = serve(&server, &err);
    close_server(&server);
    if (result < 0)
        fprintf(stderr, "ipclab: %s\n", err.text);
    if (result == -EBADMSG)
        return EXIT_ARCHIVE_UNUSABLE;
    return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int command_answer(int count, char *const *arguments)
{
    static const struct line line = {
        .usage = "answer DIR TARGET",
        .help = "Answers a GET of TARGET, a path with its query, from the archive in DIR. Exit status: 0 "
                "answered,\n"
                "1 not, 2 no such option.",
        .operands_min = 2,
        .operands_max = 2,
    };
    const char *operands[2];
    int operand_count, status;
    struct err err;
    if (!line_read(&line, count, arguments, operands, &operand_count, &status))
        return status;
    if (report_write(operands[0], operands[1], &err) == 0)
        return EXIT_SUCCESS;
    log_write(LOG_WARNING, "no answer", "%s: %s", operands[1], err.text);
    return EXIT_FAILURE;
}

static int command_routes(int count, char *const *arguments)
{
    static const struct line line = {
        .usage = "routes",
        .help = "Lists the API's routes, a method and a path a line. Exit status: 0, 2 no such option.",
    };
    int operand_count, status;
    if (!line_read(&line, count, arguments, NULL, &operand_count, &status))
        return status;
    api_print_routes(stdout);
    return EXIT_SUCCESS;
}

static int command_version(int count, char *const *arguments)
{
    static const struct line line = {
        .usage = "version",
        .help = "Says which version this is. Exit status: 0, 2 no such option.",
    };
    int operand_count, status;
    if (!line_read(&line, count, arguments, NULL, &operand_count, &status))
        return status;
    puts("ipclab " IPCLAB_VERSION);
    return EXIT_SUCCESS;
}

static int command_help(int count, char *const *arguments);

static const struct command {
    const char *name, *help;
    int (*run)(int count, char *const *arguments);
} commands[] = {
    {"serve", "run experiments and serve the page", command_serve},
    {"answer", "answer one GET from the archive on standard output; the server uses it", command_answer},
    {"run", "take a run, and wait for its end if asked to", command_run},
    {"export", "write a run as bundle, CSV, report or histogram log", command_export},
    {"import", "take in runs that were exported elsewhere", command_import},
    {"compare", "hold runs against each other; a gate for automation", command_compare},
    {"backup", "copy the archive, also while a server uses it", command_backup},
    {"restore", "put a copy in the archive's place", command_restore},
    {"verify", "check every checksum of the archive", command_verify},
    {"routes", "list the API's routes", command_routes},
    {"version", "say which version this is", command_version},
    {"help", "say this, or more of one command", command_help},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    fprintf(stderr, "ipclab: unknown command %.60s; ipclab help lists them\n", name);
    return NULL;
}

/* As that command says it itself. */
static int help_command(const char *name)
{
    char flag[] = "--help";
    char *const arguments[] = {flag};
    const struct command *command = find_command(name);
    return command != NULL ? command->run(1, arguments) : EXIT_USAGE;
}

static int command_help(int count, char *const *arguments)
{
    static const struct line line = {
        .usage = "help [COMMAND]",
        .help =
            "Says what the command is for, how it is called and what its exit statuses mean; without one, "
            "which\n"
            "there are. Exit status: 0, 2 no such command.",
        .operands_max = 1,
    };
    const char *name = NULL;
    int operand_count, status;
    if (!line_read(&line, count, arguments, &name, &operand_count, &status))
        return status;
    if (name != NULL)
        return help_command(name);
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    text_append(&text, "ipclab: how do two processes talk, and what does each way cost on this machine?\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        text_printf(&text, "  ipclab %-13s%s\n", commands[i].name, commands[i].help);
    text_append(&text, "\nipclab help COMMAND, or ipclab COMMAND --help, says more of one.\n");
    text_append(&text, "\nOptions of serve (default); variable:\n");
    config_write_help(&text);
    fputs(text_string(&text), stdout);
    return EXIT_SUCCESS;
}

int main(int count, char **arguments)
{
    /* Whoever starts us may ignore it, exec keeps that, and then children leave no status to wait for:
     * wait(2). */
    signal(SIGCHLD, SIG_DFL);
    const char *name = count > 1 ? arguments[1] : "help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    const struct command *command = find_command(name);
    return command != NULL ? command->run(count > 2 ? count - 2 : 0, arguments + 2) : EXIT_USAGE;
}
