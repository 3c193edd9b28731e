/* compare: runs held against each other, with an exit status for whoever automates. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/commands/client.h"
#include "server/commands/commands.h"
#include "server/commands/line.h"

enum { RUNS_MAX = 9 }; /* a base and eight */

static const struct {
    const char *gate;
    int status;
} statuses[] = {
    {"pass", COMMAND_OK},
    {"regression", COMMAND_FAILED},
    {"inconclusive", COMMAND_INCONCLUSIVE},
    {"nothing_measured", COMMAND_NOTHING_MEASURED},
    {"not_comparable", COMMAND_NOT_COMPARABLE},
};

static const char *word(const struct json_node *object, const char *name)
{
    return json_string_or(json_member(object, name), "");
}

static double number(const struct json_node *object, const char *name)
{
    return json_number_or(json_member(object, name), NAN);
}

static void print_verdict(const struct json_node *verdict)
{
    char interval[40] = "";
    if (isfinite(number(verdict, "low")))
        snprintf(interval, sizeof interval, "[%.3f, %.3f]", number(verdict, "low"), number(verdict, "high"));
    printf("%-7" PRId64 " %-18s %-10s %9" PRId64 " B  %-12s ",
           json_integer_or(json_member(verdict, "against"), 0), word(verdict, "mechanism"),
           word(verdict, "pattern"), json_integer_or(json_member(verdict, "message_bytes"), 0),
           word(verdict, "statistic"));
    if (isfinite(number(verdict, "ratio")))
        printf("%7.3f %-16s ", number(verdict, "ratio"), interval);
    else
        printf("%7s %-16s ", "-", interval);
    printf("%s\n", word(verdict, "verdict"));
}

/* The gate's status. Where none was asked for there is nothing to fail; one that was, and is not answered in
 * a word we know, has not passed. */
static int status_of(const struct json_node *comparison, bool is_gate)
{
    const char *gate = json_string_or(json_member(comparison, "gate"), "");
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (strcmp(statuses[i].gate, gate) == 0)
            return statuses[i].status;
    if (!is_gate)
        return COMMAND_OK;
    fprintf(stderr, "ipclab: the server's answer has no gate that is known here\n");
    return COMMAND_UNAVAILABLE;
}

static int print_comparison(const struct client_answer *answer, bool as_json, bool is_gate)
{
    struct err err;
    AUTO(json_cleanup)
    struct json_node *comparison = json_parse(text_string(&answer->body), answer->body.length, &err);
    if (comparison == NULL) {
        fprintf(stderr, "ipclab: the server's answer: %s\n", err.text);
        return COMMAND_UNAVAILABLE;
    }
    const char *gate = json_string_or(json_member(comparison, "gate"), NULL);
    const char *reason = json_string_or(json_member(comparison, "gate_reason"), NULL);
    if (as_json) {
        printf("%s\n", text_string(&answer->body));
        return status_of(comparison, is_gate);
    }
    printf("%-7s %-18s %-10s %11s  %-12s %7s %-16s %s\n", "against", "mechanism", "pattern", "message",
           "statistic", "ratio", "95 % interval", "verdict");
    const struct json_node *verdicts = json_member(comparison, "verdicts");
    for (const struct json_node *one = json_first(verdicts); one != NULL; one = json_next(one))
        print_verdict(one);
    if (gate != NULL)
        printf("gate: %s%s%s\n", gate, reason != NULL ? ": " : "", reason != NULL ? reason : "");
    if (isfinite(number(comparison, "trials_needed")))
        printf("about %.0f trials of each case would tell\n", number(comparison, "trials_needed"));
    return status_of(comparison, is_gate);
}

static void append_parameter(struct client *client, struct text *target, const char *name, const char *value)
{
    if (value == NULL)
        return;
    text_printf(target, "&%s=", name);
    client_append_escaped(client, target, value);
}

static int ask(struct client *client, struct text *target, bool as_json, bool is_gate)
{
    struct err err;
    AUTO(client_answer_fini) struct client_answer answer = {.status = 0};
    int result = text_ok(target) ? client_get(client, target->bytes, NULL, &answer, &err)
                                 : err_set(&err, ENOMEM, "out of memory for a request");
    if (result < 0) {
        fprintf(stderr, "ipclab: %s\n", err.text);
        return COMMAND_UNAVAILABLE;
    }
    return answer.status == 200 ? print_comparison(&answer, as_json, is_gate)
                                : client_report(&answer, "compare");
}

int command_compare(int count, char *const *arguments)
{
    const char *server = NULL, *max_slower = NULL, *statistic = NULL, *as_json = NULL, *runs[RUNS_MAX];
    int run_count, status;
    const struct line_option options[] = {
        {"--max-slower", "SHARE", "how much slower a case may be, such as 5%: this makes it a gate",
         &max_slower},
        {"--statistic", "NAME", "p50, p90, p99, bytes_per_s, … (each pattern's own)", &statistic},
        {"--json", NULL, "print the server's answer as it is", &as_json},
        {"--server", "URL", "the server's address ($IPCLAB_SERVER, " CLIENT_SERVER_DEFAULT ")", &server},
    };
    const struct line line = {
        .usage = "compare BASE AGAINST... [--max-slower SHARE] [--statistic NAME] [--json] [--server URL]",
        .help = "Holds one run against up to eight others. With --max-slower the exit status tells: 0 no "
                "case is\n"
                "slower by that much, 1 a regression, 3 inconclusive, 4 a case was not measured, 5 not "
                "comparable;\n"
                "without it 0. 2 no such run or option, 69 no server answers.",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .operands_min = 2,
        .operands_max = RUNS_MAX,
    };
    if (!line_read(&line, count, arguments, runs, &run_count, &status))
        return status;
    struct err err;
    AUTO(client_cleanup) struct client *client = NULL;
    if (client_open(server, &client, &err) < 0) {
        fprintf(stderr, "ipclab: %s\n", err.text);
        return COMMAND_UNAVAILABLE;
    }
    AUTO(text_fini) struct text target = TEXT_EMPTY;
    text_append(&target, "/api/v1/compare?base=");
    client_append_escaped(client, &target, runs[0]);
    for (int i = 1; i < run_count; i++) {
        text_append(&target, i == 1 ? "&against=" : ",");
        client_append_escaped(client, &target, runs[i]);
    }
    append_parameter(client, &target, "max_slower", max_slower);
    append_parameter(client, &target, "statistic", statistic);
    return ask(client, &target, as_json != NULL, max_slower != NULL);
}
