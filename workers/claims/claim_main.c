/* The subcommands of the ledger: what claims there are, and one check of one or of all. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/faults.h"
#include "workers/claims/check.h"
#include "workers/claims/claim.h"
#include "workers/enclosure.h"
#include "workers/labs/lab.h"
#include "workers/parse.h"
#include "workers/refusal.h"

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_REFUSED = 2 };
enum { INPUT_BYTES_MAX = 4096, INPUT_PATIENCE_MS = 5000, SABOTAGE_BYTES = 31 };

/* ---- claims ---- */

/* A lab says which claims it touches; this is the same, seen from the claim. */
static void write_labs(struct json_writer *writer, int number)
{
    json_begin_array(writer, "labs");
    for (const struct lab_definition *const *lab = lab_table; *lab != NULL; lab++)
        for (const int *claim = (*lab)->claims; *claim != 0; claim++)
            if (*claim == number)
                json_write_string(writer, NULL, (*lab)->name);
    json_end_array(writer);
}

static void write_claim(struct json_writer *writer, const struct claim *claim)
{
    json_begin_object(writer, NULL);
    json_write_integer(writer, "number", claim->number);
    json_write_string(writer, "mechanism", claim->mechanism);
    json_write_words(writer, "also", claim->also);
    json_write_words(writer, "criteria", claim->criteria);
    json_write_boolean(writer, "timed", claim->is_timed);
    write_labs(writer, claim->number);
    json_write_string(writer, "source", claim->source);
    json_write_words(writer, "sabotages", claim->sabotages);
    json_end_object(writer);
}

int claims_main(int argument_count, char **arguments)
{
    (void)arguments;
    if (argument_count != 0) {
        fprintf(stderr, "usage: ipclab-worker claims\n");
        return STATUS_REFUSED;
    }
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    json_begin_array(&writer, "claims");
    for (const struct claim *const *at = claim_table; *at != NULL; at++)
        write_claim(&writer, *at);
    json_end_array(&writer);
    json_end_object(&writer);
    return text_ok(&text) && puts(text_string(&text)) >= 0 ? STATUS_DONE : STATUS_FAILED;
}

/* ---- claim: its input ---- */

struct request {
    const struct claim *claim; /* NULL: all */
    char sabotage[SABOTAGE_BYTES + 1];
    bool without_namespaces;
};

/* One line, or what there is before the end. Somebody at a terminal is not made to type one. */
static size_t read_line(char *line)
{
    size_t used = 0;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (isatty(STDIN_FILENO))
        return 0;
    while (used < INPUT_BYTES_MAX && poll(&input, 1, INPUT_PATIENCE_MS) > 0) {
        ssize_t got = read(STDIN_FILENO, line + used, 1);
        if (got <= 0 || line[used] == '\n')
            break;
        used++;
    }
    return used;
}

static bool knows_sabotage(const struct claim *claim, const char *sabotage)
{
    for (const char *const *at = claim->sabotages; *at != NULL; at++)
        if (strcmp(*at, sabotage) == 0)
            return true;
    return false;
}

static void read_request(struct request *request, struct faults *faults)
{
    static const char *const known[] = {"check", "sabotage", "without_namespaces"};
    char line[INPUT_BYTES_MAX];
    size_t length = read_line(line);
    if (length == 0)
        return;
    struct err err;
    AUTO(json_cleanup) struct json_node *document = json_parse(line, length, &err);
    if (document == NULL || !json_is(document, JSON_OBJECT)) {
        faults_add(faults, "", "%s", document == NULL ? err.text : "must be an object");
        return;
    }
    int64_t check;
    json_read_only_known(document, known, sizeof known / sizeof *known, faults);
    json_read_integer(document, "check", 0, JSON_INTEGER_MAX, &check, faults);
    json_read_boolean(document, "without_namespaces", &request->without_namespaces, faults);
    bool sabotaged = json_read_string(document, "sabotage", SABOTAGE_BYTES, request->sabotage, faults);
    if (sabotaged && (request->claim == NULL || !knows_sabotage(request->claim, request->sabotage)))
        faults_add(faults, "/sabotage", "the experiment has no sabotage \"%s\"", request->sabotage);
}

/* ---- claim: the check ---- */

static struct check check_of(const struct claim *claim)
{
    return (struct check){.claim = claim, .repeats = 1, .verdict = VERDICT_INCONCLUSIVE, .sabotage = ""};
}

/* A line is one write, so that nothing of an experiment's can get into it. */
static int put_line(const struct check *check)
{
    AUTO(text_fini) struct text line = TEXT_EMPTY;
    check_write(check, &line);
    if (!text_ok(&line))
        return STATUS_FAILED;
    for (size_t sent = 0; sent < line.length;) {
        ssize_t written = write(STDOUT_FILENO, line.bytes + sent, line.length - sent);
        if (written < 0 && errno != EINTR)
            return STATUS_FAILED;
        sent += written > 0 ? (size_t)written : 0;
    }
    return STATUS_DONE;
}

/* In the enclosure. Standard output goes elsewhere while the experiment runs: a program it starts may print.
 */
static int experiment(const struct enclosure *enclosure, void *context)
{
    const struct request *request = context;
    struct check check = check_of(request->claim);
    check.enclosure = enclosure;
    check.sabotage = request->sabotage;
    check.evidence = json_writer_on(&check.text);
    int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (output < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return STATUS_FAILED;
    request->claim->run(&check);
    dup2(output, STDOUT_FILENO);
    int status = put_line(&check);
    text_fini(&check.text);
    return status;
}

/* 0 or the error of an enclosure that could not be built. What an experiment that died leaves open is said
 * for it, as inconclusive. */
static int check_one(const struct request *request, struct err *err)
{
    struct enclosure_options options = {.deadline_ms = CLAIM_DEADLINE_MS,
                                        .keeps_capabilities = request->claim->keeps_capabilities,
                                        .without_namespaces = request->without_namespaces};
    struct enclosure_end end;
    int result = enclosure_run(&options, experiment, (void *)request, &end, err);
    if (result < 0)
        return result;
    if (!end.timed_out && end.signal == 0 && end.status == STATUS_DONE)
        return 0;
    struct check check = check_of(request->claim);
    check_leave_open(&check, end.timed_out ? "timed_out" : "ended_early");
    return put_line(&check) == STATUS_DONE ? 0 : err_set(err, EIO, "write the line of the check");
}

static int check_all(struct request *request, struct err *err)
{
    int result = 0;
    for (const struct claim *const *at = claim_table; *at != NULL && result == 0; at++) {
        request->claim = *at;
        result = check_one(request, err);
    }
    return result;
}

int claim_main(int argument_count, char **arguments)
{
    struct request request = {.claim = NULL};
    struct err err;
    int64_t number = 0;
    bool all = argument_count == 1 && strcmp(arguments[0], "all") == 0;
    if (argument_count == 1 && !all && parse_integer(arguments[0], 10, 1, INT32_MAX, &number, NULL) == 0)
        request.claim = claim_find(number);
    if (!all && request.claim == NULL) {
        fprintf(stderr,
                "usage: ipclab-worker claim N | all  [< {\"sabotage\":…,\"without_namespaces\":…}]\n");
        return STATUS_REFUSED;
    }
    struct faults faults = {.count = 0};
    read_request(&request, &faults);
    if (faults.count > 0)
        return refusal_print(&faults);
    int result = all ? check_all(&request, &err) : check_one(&request, &err);
    if (result == 0)
        return STATUS_DONE;
    fprintf(stderr, "ipclab-worker claim: %s\n", err.text);
    return STATUS_FAILED;
}
