/* backup, verify and restore: care for the archive's file. The first two only read it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "db/store.h"
#include "server/commands/commands.h"
#include "server/commands/line.h"
#include "server/config.h"

static const char data_help[] = "the archive's directory, as of serve";

/* From --data, $IPCLAB_DATA or the default. */
static int read_config(const char *data, struct config *config, struct err *err)
{
    char flag[] = "--data";
    /* config_read changes none of them. */
    char *const arguments[] = {flag, (char *)(uintptr_t)data};
    return config_read(config, data != NULL ? 2 : 0, arguments, err);
}

/* DIR/ipclab.db */
static int find_archive(const char *data, struct text *path, struct err *err)
{
    struct config config;
    int result = read_config(data, &config, err);
    if (result == 0)
        text_printf(path, "%s/ipclab.db", config.data);
    return result < 0 || text_ok(path) ? result : err_set(err, ENOMEM, "out of memory for a path");
}

static int complain(int result, const struct err *err)
{
    fprintf(stderr, "ipclab: %s\n", err->text);
    return result == -EBADMSG || result == -ENOENT ? COMMAND_NO_ARCHIVE : COMMAND_FAILED;
}

/* ---- backup ---- */

/* An archive that is open, or was left in haste, has its log beside it. */
static bool has_log(const char *path)
{
    AUTO(text_fini) struct text log = TEXT_EMPTY;
    text_printf(&log, "%s-wal", path);
    return !text_ok(&log) || access(log.bytes, F_OK) == 0;
}

/* Only a copy of an archive is written over: by another name it might be anything, and below a server's log
 * it would be taken for the file that the log belongs to. */
static int check_target(const char *source, const char *target, struct err *err)
{
    struct stat from, to;
    if (stat(target, &to) < 0)
        return errno == ENOENT ? 0 : err_errno(err, errno, "look at %s", target);
    if (stat(source, &from) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino)
        return err_set(err, EINVAL, "%s is the archive itself", target);
    struct store *store = NULL;
    struct err reason;
    if (store_open_file(target, &store, &reason) < 0)
        return err_set(err, EEXIST, "%s is there and no archive: it is left alone", target);
    store_close(store);
    return has_log(target) ? err_set(err, EBUSY, "%s is in use: it is left alone", target) : 0;
}

static int backup(const char *source, const char *target, struct err *err)
{
    struct store *store = NULL;
    int result = check_target(source, target, err);
    if (result == 0)
        result = store_open_file(source, &store, err);
    if (result < 0)
        return result;
    result = store_backup(store, target, err);
    store_close(store);
    return result;
}

int command_backup(int count, char *const *arguments)
{
    const char *data = NULL, *target = NULL;
    int operand_count, status;
    const struct line_option options[] = {{"--data", "DIR", data_help, &data}};
    const struct line line = {
        .usage = "backup FILE [--data DIR]",
        .help =
            "Copies the archive to FILE, consistently, also while a server uses it; ipclab restore goes back "
            "to\n"
            "it. Exit status: 0 done, 1 failed, 2 no such option, 78 no archive.",
        .options = options,
        .option_count = 1,
        .operands_min = 1,
        .operands_max = 1,
    };
    if (!line_read(&line, count, arguments, &target, &operand_count, &status))
        return status;
    struct err err;
    AUTO(text_fini) struct text source = TEXT_EMPTY;
    int result = find_archive(data, &source, &err);
    if (result < 0) {
        fprintf(stderr, "ipclab: %s\n", err.text);
        return COMMAND_USAGE;
    }
    result = backup(text_string(&source), target, &err);
    if (result < 0)
        return complain(result, &err);
    printf("%s is a copy of %s\n", target, text_string(&source));
    return COMMAND_OK;
}

/* ---- verify ---- */

static void print_finding(void *context, const char *finding)
{
    (void)context;
    printf("%s\n", finding);
}

static int verify(const char *path, int64_t *findings, struct err *err)
{
    struct store *store = NULL;
    int result = store_open_file(path, &store, err);
    if (result < 0)
        return result;
    result = store_verify(store, print_finding, NULL, findings, err);
    store_close(store);
    return result;
}

int command_verify(int count, char *const *arguments)
{
    const char *data = NULL, *file = NULL;
    int operand_count, status;
    const struct line_option options[] = {{"--data", "DIR", data_help, &data}};
    const struct line line = {
        .usage = "verify [FILE] [--data DIR]",
        .help =
            "Reads the whole archive, or the copy FILE, and changes nothing: pages, references, counters, "
            "and the\n"
            "checksums of every trial. Exit status: 0 all is well, 1 damage, each on a line, 2 no such "
            "option, 78 no archive.",
        .options = options,
        .option_count = 1,
        .operands_max = 1,
    };
    if (!line_read(&line, count, arguments, &file, &operand_count, &status))
        return status;
    struct err err;
    AUTO(text_fini) struct text path = TEXT_EMPTY;
    int64_t findings = 0;
    int result = 0;
    if (file != NULL)
        text_append(&path, file);
    else
        result = find_archive(data, &path, &err);
    if (result < 0 || !text_ok(&path)) {
        fprintf(stderr, "ipclab: %s\n", result < 0 ? err.text : "out of memory");
        return COMMAND_USAGE;
    }
    result = verify(text_string(&path), &findings, &err);
    if (result < 0)
        return complain(result, &err);
    if (findings == 0)
        printf("%s is whole\n", text_string(&path));
    return findings == 0 ? COMMAND_OK : COMMAND_FAILED;
}

/* ---- restore ---- */

static int say_how_it_ended(const char *file, const char *data, const struct store_restoring *restoring)
{
    if (restoring->findings > 0) {
        fprintf(stderr, "ipclab: %s is damaged: nothing was changed\n", file);
        return COMMAND_FAILED;
    }
    printf("%s/ipclab.db is now what %s was\n", data, file);
    if (restoring->aside != NULL)
        printf("the archive before is %s\n", restoring->aside);
    return COMMAND_OK;
}

int command_restore(int count, char *const *arguments)
{
    const char *data = NULL, *file = NULL;
    int operand_count, status;
    const struct line_option options[] = {{"--data", "DIR", data_help, &data}};
    const struct line line = {
        .usage = "restore FILE [--data DIR]",
        .help =
            "Checks FILE, a copy that backup made, and puts it in the archive's place; the archive that was "
            "there,\n"
            "with its log, is set aside under another name, from which it can be restored in turn. Stop the "
            "server\n"
            "first. Killed at any moment it leaves the one or the other. Exit status: 0 done, 1 failed, FILE "
            "is\n"
            "damaged or a server runs: nothing was changed; 2 no such option; 78 FILE is no archive.",
        .options = options,
        .option_count = 1,
        .operands_min = 1,
        .operands_max = 1,
    };
    if (!line_read(&line, count, arguments, &file, &operand_count, &status))
        return status;
    struct err err;
    struct config config;
    struct store_restoring restoring = {.report = print_finding};
    if (read_config(data, &config, &err) < 0) {
        fprintf(stderr, "ipclab: %s\n", err.text);
        return COMMAND_USAGE;
    }
    int result = store_restore(config.data, file, &restoring, &err);
    status = result < 0 ? complain(result, &err) : say_how_it_ended(file, config.data, &restoring);
    free(restoring.aside);
    return status;
}
