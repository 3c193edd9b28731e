/* export and import: runs out of a server and into one. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "server/commands/client.h"
#include "server/commands/commands.h"
#include "server/commands/line.h"
#include "server/export.h"

static const char server_help[] = "the server's address ($IPCLAB_SERVER, " CLIENT_SERVER_DEFAULT ")";

static int complain(const struct err *err)
{
    fprintf(stderr, "ipclab: %s\n", err->text);
    return err->code == EHOSTUNREACH ? COMMAND_UNAVAILABLE : COMMAND_FAILED;
}

/* ---- export ---- */

static int fetch(struct client *client, const char *id, const char *format, FILE *file)
{
    struct err err;
    AUTO(client_answer_fini) struct client_answer answer = {.status = 0};
    AUTO(text_fini) struct text target = TEXT_EMPTY;
    text_append(&target, "/api/v1/runs/");
    client_append_escaped(client, &target, id);
    text_append(&target, "/export?format=");
    client_append_escaped(client, &target, format);
    int result = text_ok(&target) ? client_get(client, target.bytes, file, &answer, &err)
                                  : err_set(&err, ENOMEM, "out of memory for a request");
    if (result < 0)
        return complain(&err);
    return answer.status == 200 ? COMMAND_OK : client_report(&answer, "export");
}

/* A new file always: what stands there under its name may be a link to another one. */
static FILE *create(const char *path)
{
    unlink(path);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file != NULL)
        take_fd(&fd);
    return file;
}

/* Under another name until it is complete. */
static int fetch_to_file(struct client *client, const char *id, const char *format, const char *path)
{
    AUTO(text_fini) struct text unfinished = TEXT_EMPTY;
    struct err err;
    text_printf(&unfinished, "%s.part", path);
    FILE *file = text_ok(&unfinished) ? create(unfinished.bytes) : NULL;
    if (file == NULL) {
        err_errno(&err, errno, "write %s", path);
        return complain(&err);
    }
    int status = fetch(client, id, format, file);
    bool is_written = fflush(file) == 0 && fsync(fileno(file)) == 0;
    int code = errno;
    is_written = fclose(file) == 0 && is_written;
    if (status == COMMAND_OK && is_written && rename(unfinished.bytes, path) == 0)
        return COMMAND_OK;
    if (status == COMMAND_OK) {
        err_errno(&err, is_written ? errno : code, "write %s", path);
        status = complain(&err);
    }
    unlink(unfinished.bytes);
    return status;
}

int command_export(int count, char *const *arguments)
{
    const char *format = export_names[EXPORT_JSON], *path = NULL, *server = NULL, *id = NULL;
    int operand_count, status;
    const struct line_option options[] = {
        {"--format", "FORMAT",
         "json, everything there is; csv; html, a report; hlog, for HdrHistogram (json)", &format},
        {"-o", "FILE", "where to write it (standard output)", &path},
        {"--server", "URL", server_help, &server},
    };
    const struct line line = {
        .usage = "export ID [--format json|csv|html|hlog] [-o FILE] [--server URL]",
        .help = "Writes one run as a file to keep. Exit status: 0 done, 1 failed, 2 no such run or format, "
                "69 no\n"
                "server answers.",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .operands_min = 1,
        .operands_max = 1,
    };
    if (!line_read(&line, count, arguments, &id, &operand_count, &status))
        return status;
    struct err err;
    AUTO(client_cleanup) struct client *client = NULL;
    if (client_open(server, &client, &err) < 0)
        return complain(&err);
    if (path != NULL)
        return fetch_to_file(client, id, format, path);
    status = fetch(client, id, format, stdout);
    if (status != COMMAND_OK || fflush(stdout) == 0)
        return status;
    err_errno(&err, errno, "write the run");
    return complain(&err);
}

/* ---- import ---- */

static void say_where(const char *path, const struct client_answer *answer)
{
    AUTO(json_cleanup)
    struct json_node *run = json_parse(text_string(&answer->body), answer->body.length, NULL);
    printf("%s: run %" PRId64 ", %s%s\n", path, json_integer_or(json_member(run, "id"), 0),
           json_string_or(json_member(run, "uid"), ""),
           answer->status == 200 ? ", which was there already" : "");
}

/* A descriptor of its own for standard input, which may be named again. */
static FILE *open_input(const char *path)
{
    if (strcmp(path, "-") != 0)
        return fopen(path, "re");
    AUTO_CLOSE int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (file != NULL)
        take_fd(&fd);
    return file;
}

static int send_file(struct client *client, const char *path)
{
    struct err err;
    AUTO(client_answer_fini) struct client_answer answer = {.status = 0};
    AUTO_FCLOSE FILE *file = open_input(path);
    int result = file != NULL ? client_post(client, "/api/v1/imports", file, &answer, &err)
                              : err_errno(&err, errno, "open %s", path);
    if (result < 0)
        return complain(&err);
    if (answer.status != 200 && answer.status != 201) {
        int status = client_report(&answer, path);
        return status == COMMAND_USAGE ? COMMAND_FAILED : status;
    }
    say_where(path, &answer);
    return COMMAND_OK;
}

enum { FILES_MAX = 4096 };

int command_import(int count, char *const *arguments)
{
    const char *server = NULL;
    int file_count = 0, status;
    const struct line_option options[] = {{"--server", "URL", server_help, &server}};
    const struct line line = {
        .usage = "import FILE... [--server URL]",
        .help =
            "Takes in runs that were exported as json, of any length. Each is taken whole or not at all; "
            "one\n"
            "that is there already stays as it is. FILE - is standard input. Exit status: 0 all are there, 1 "
            "one is\n"
            "not, 2 no such option, 69 no server answers.",
        .options = options,
        .option_count = 1,
        .operands_min = 1,
        .operands_max = FILES_MAX,
    };
    AUTO_FREE const char **files = calloc(FILES_MAX, sizeof *files);
    if (files == NULL)
        return COMMAND_FAILED;
    if (!line_read(&line, count, arguments, files, &file_count, &status))
        return status;
    struct err err;
    AUTO(client_cleanup) struct client *client = NULL;
    if (client_open(server, &client, &err) < 0)
        return complain(&err);
    status = COMMAND_OK;
    for (int i = 0; i < file_count && status != COMMAND_UNAVAILABLE; i++) {
        int sent = send_file(client, files[i]);
        status = sent != COMMAND_OK ? sent : status;
    }
    return status;
}
