/* The ledger of claims: as it is known to come out on Linux, and otherwise when an experiment is sabotaged.
 *
 * Everything runs in an enclosure of the test's own if there is one to be had, so that what a check leaves is
 * seen, and nothing but that. Criterion may run other tests beside these, so verdicts that rest on races or
 * on speed may be left open. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "tests/support/criterion.h"
#include "tests/support/file.h"
#include "workers/claims/claim.h"
#include "workers/claims/subject.h"
#include "workers/enclosure.h"
#include <criterion/parameterized.h>

enum { CLAIMS = 74, DEADLINE_MS = 100 * 1000, OUTPUT_BYTES_MAX = 1 << 20, DOCUMENT_BYTES_MAX = 1 << 20 };

/* From the first to the last: holds, holds with a condition, does not hold (X). */
static const char known[CLAIMS + 1] =
    "HCCCCCCHHCHHHHHCCHHCXXHCCXHHCCHCHXHCHCCHCXCXHCCHCCXCCCHHXHCCHCCCCXHHCCXHHH";

/* Left open where a race did not show or figures were too close. */
static const int may_stay_open[] = {4, 5, 7, 8, 28, 56};

/* ---- running the worker program ---- */

struct outcome {
    int status;
    size_t output_bytes;
    char output[OUTPUT_BYTES_MAX];
    char left[1024]; /* what was there afterwards and not before; "" if nothing */
};

struct job {
    int program; /* open, for its path may be hidden by the enclosure's mounts */
    const char *subject, *input;
    struct outcome *outcome; /* shared memory */
};

static int open_program(void)
{
    char path[512];
    const char *build = getenv("IPCLAB_BUILD");
    snprintf(path, sizeof path, "%s/ipclab-worker", build != NULL ? build : "build");
    int fd = open(path, O_PATH | O_CLOEXEC);
    cr_assert(fd >= 0, "%s: %s", path, strerror(errno));
    return fd;
}

static void collect(int fd, struct outcome *outcome)
{
    for (ssize_t got; (got = read(fd, outcome->output + outcome->output_bytes,
                                  OUTPUT_BYTES_MAX - 1 - outcome->output_bytes)) > 0;)
        outcome->output_bytes += (size_t)got;
}

static int run_program(const struct job *job)
{
    int input[2], output[2], status = -1;
    if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        char *arguments[] = {"ipclab-worker", "claim", (char *)job->subject, NULL};
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        fexecve(job->program, arguments, environ);
        _exit(127);
    }
    close(input[0]);
    close(output[1]);
    size_t length = strlen(job->input);
    if (write(input[1], job->input, length) != (ssize_t)length)
        return -1;
    close(input[1]);
    collect(output[0], job->outcome);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void note(char *left, const char *what, const char *name)
{
    size_t used = strlen(left);
    snprintf(left + used, sizeof((struct outcome *)NULL)->left - used, "%s %s; ", what, name);
}

static void look_into(const char *directory, char *left)
{
    DIR *stream = opendir(directory);
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            note(left, directory, entry->d_name);
    if (stream != NULL)
        closedir(stream);
}

/* The first line is a heading. */
static void look_for_objects(const char *path, char *left)
{
    char line[512];
    FILE *file = fopen(path, "re");
    for (int lines = 0; file != NULL && fgets(line, sizeof line, file) != NULL; lines++)
        if (lines > 0)
            note(left, path, line);
    if (file != NULL)
        fclose(file);
}

/* All but the keeper, us and ourselves: in a process namespace of our own. */
static void look_for_processes(char *left)
{
    DIR *stream = opendir("/proc");
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid > 1 && pid != getpid())
            note(left, "process", entry->d_name);
    }
    if (stream != NULL)
        closedir(stream);
}

/* In the enclosure. */
static int run_job(const struct enclosure *enclosure, void *context)
{
    struct job *job = context;
    setenv("TMPDIR", enclosure->directory, 1);
    job->outcome->status = run_program(job);
    if (!enclosure->caged)
        return 0;
#ifndef IPCLAB_SANITIZE /* which makes the directory of its reports, wherever it starts */
    look_into(enclosure->directory, job->outcome->left);
#endif
    look_into("/dev/shm", job->outcome->left);
    look_for_objects("/proc/sysvipc/shm", job->outcome->left);
    look_for_objects("/proc/sysvipc/sem", job->outcome->left);
    look_for_objects("/proc/sysvipc/msg", job->outcome->left);
    look_for_processes(job->outcome->left);
    return 0;
}

static struct outcome *run(const char *subject, const char *input)
{
    struct enclosure_options options = {.deadline_ms = DEADLINE_MS, .keeps_capabilities = true};
    struct enclosure_end end;
    struct err err;
    AUTO_CLOSE int program = open_program();
    struct job job = {program, subject, input, subject_memory(sizeof(struct outcome))};
    cr_assert(eq(int, enclosure_run(&options, run_job, &job, &end, &err), 0), "%s", err.text);
    cr_assert(not(end.timed_out));
    cr_assert(eq(str, job.outcome->left, ""));
    return job.outcome;
}

/* ---- what it says ---- */

static char letter_of(const char *verdict)
{
    return strcmp(verdict, "holds") == 0           ? 'H'
           : strcmp(verdict, "conditional") == 0   ? 'C'
           : strcmp(verdict, "does_not_hold") == 0 ? 'X'
           : strcmp(verdict, "skipped") == 0       ? '-'
                                                   : '?';
}

static bool has_program(const char *name)
{
    char command[64];
    snprintf(command, sizeof command, "command -v %s > /dev/null", name);
    return system(command) == 0;
}

static int make_nothing(const struct enclosure *enclosure, void *context)
{
    (void)enclosure;
    (void)context;
    return 0;
}

/* May namespaces be made here, by whatever way the worker has? */
static bool refuses_networks(bool without_namespaces)
{
    struct enclosure_options options = {.deadline_ms = DEADLINE_MS, .without_namespaces = without_namespaces};
    struct enclosure_end end = {.caged = false};
    return (without_namespaces && geteuid() != 0) ||
           (!without_namespaces && enclosure_run(&options, make_nothing, NULL, &end, NULL) == 0 &&
            !end.caged);
}

static bool may_be_skipped(int number, bool without_namespaces)
{
    switch (number) {
    case 4:
        return subject_cpu_count() < 2;
    case 58:
        return refuses_networks(without_namespaces);
    case 71:
        return !has_program("cc") && !has_program("gcc");
    default:
        return false;
    }
}

static bool may_be_open(int number)
{
    for (size_t i = 0; i < sizeof may_stay_open / sizeof *may_stay_open; i++)
        if (may_stay_open[i] == number)
            return true;
    return false;
}

static void judge(const struct json_node *line, bool without_namespaces, int *skipped, int *open)
{
    int number = (int)json_integer_or(json_member(line, "claim"), 0);
    const char *verdict = json_string_or(json_member(line, "verdict"), "");
    cr_assert(number >= 1 && number <= CLAIMS);
    char letter = letter_of(verdict);
#ifdef IPCLAB_SANITIZE
    if (number == 3)
        return; /* a load that a sanitizer looks at is not optimised away */
#endif
    *skipped += letter == '-';
    *open += letter == '?';
    if (letter == '-')
        cr_expect(may_be_skipped(number, without_namespaces),
                  "claim %d was skipped, though nothing is missing", number);
    else if (letter == '?')
        cr_expect(may_be_open(number), "claim %d stayed open", number);
    else
        cr_expect(letter == known[number - 1], "claim %d: %s", number, verdict);
}

static struct json_node *parse_line(char **rest)
{
    struct err err;
    char *line = strsep(rest, "\n");
    struct json_node *document = json_parse(line, strlen(line), &err);
    cr_assert(document != NULL, "%s: %s", err.text, line);
    return document;
}

static void judge_ledger(bool without_namespaces)
{
    struct outcome *outcome = run("all", without_namespaces ? "{\"without_namespaces\":true}\n" : "");
    char *rest = outcome->output;
    int skipped = 0, open = 0;
    cr_assert(eq(int, outcome->status, 0));
    for (int number = 1; number <= CLAIMS; number++) {
        AUTO(json_cleanup) struct json_node *line = parse_line(&rest);
        cr_assert(eq(long, json_integer_or(json_member(line, "claim"), 0), number));
        judge(line, without_namespaces, &skipped, &open);
    }
    cr_assert(eq(str, rest, ""));
    printf("claims: %d decided, %d open, %d skipped\n", CLAIMS - skipped - open, open, skipped);
}

Test(claims, come_out_as_they_do_on_linux)
{
    judge_ledger(false);
}

Test(claims, come_out_the_same_without_namespaces)
{
    judge_ledger(true);
}

/* ---- each verdict comes from its evidence ---- */

#ifndef IPCLAB_SANITIZE /* takes long, and the programs' paths are those of the ledger */
struct sabotage {
    int number;
    char name[32];
};

ParameterizedTestParameters(claims, change_when_the_experiment_is_sabotaged)
{
    static struct sabotage all[CLAIMS * CLAIM_SABOTAGES_MAX];
    size_t count = 0;
    for (const struct claim *const *claim = claim_table; *claim != NULL; claim++)
        for (const char *const *name = (*claim)->sabotages; *name != NULL; name++) {
            all[count].number = (*claim)->number;
            snprintf(all[count++].name, sizeof all->name, "%s", *name);
        }
    return cr_make_param_array(struct sabotage, all, count);
}

ParameterizedTest(struct sabotage *sabotage, claims, change_when_the_experiment_is_sabotaged)
{
    char number[8], input[64];
    snprintf(number, sizeof number, "%d", sabotage->number);
    snprintf(input, sizeof input, "{\"sabotage\":\"%s\"}\n", sabotage->name);
    char *rest = run(number, input)->output;
    AUTO(json_cleanup) struct json_node *line = parse_line(&rest);
    char letter = letter_of(json_string_or(json_member(line, "verdict"), ""));
    cr_assert(letter != known[sabotage->number - 1], "claim %d does not notice \"%s\"", sabotage->number,
              sabotage->name);
    cr_assert(letter != '-' || may_be_skipped(sabotage->number, false), "claim %d was skipped",
              sabotage->number);
}
#endif

/* ---- what people read ---- */

static const struct json_node *find_text(const struct json_node *claims, const struct json_node *claim,
                                         const char *kind, const char *key)
{
    const struct json_node *own = json_member(json_member(claim, kind), key);
    return own != NULL ? own : json_member(json_member(json_member(claims, "any"), kind), key);
}

/* Each {placeholder} must be a name among the evidence. */
static void check_placeholders(int number, const char *text, const struct json_node *evidence)
{
    for (const char *at = text; (at = strchr(at, '{')) != NULL; at++) {
        char name[96];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, "}"), at + 1);
        cr_expect(json_member(evidence, name) != NULL, "claim %d: its text speaks of {%s}", number, name);
    }
}

Test(claims, are_explained_in_the_catalogue)
{
    struct err err;
    AUTO(text_fini) struct text bytes = TEXT_EMPTY;
    cr_assert(eq(int, file_read(&bytes, "web/messages/en.json", DOCUMENT_BYTES_MAX), 0));
    AUTO(json_cleanup) struct json_node *catalogue = json_parse(bytes.bytes, bytes.length, &err);
    const struct json_node *claims = json_member(catalogue, "claims");
    struct outcome *outcome = run("all", "");
    char *rest = outcome->output;
    for (int number = 1; number <= CLAIMS; number++) {
        AUTO(json_cleanup) struct json_node *line = parse_line(&rest);
        char name[8];
        snprintf(name, sizeof name, "%d", number);
        const struct json_node *claim = json_member(claims, name);
        cr_assert(strlen(json_string_or(json_member(claim, "text"), "")) > 0, "claim %d", number);
        cr_assert(strlen(json_string_or(json_member(claim, "experiment"), "")) > 0, "claim %d", number);
        const char *why = json_string_or(json_member(line, "why"), NULL);
        const char *what = json_string_or(json_member(json_member(line, "skipped"), "what"), NULL);
        const struct json_node *text = why != NULL
                                           ? find_text(claims, claim, "why", why)
                                           : find_text(claims, claim, "skips", what != NULL ? what : "");
        cr_assert(text != NULL, "claim %d has no text for \"%s\"", number, why != NULL ? why : what);
        check_placeholders(number, json_string_or(text, ""), json_member(line, "evidence"));
    }
}

/* ---- what it refuses ---- */

Test(claims, refuse_what_is_no_request)
{
    static const struct {
        const char *input, *pointer;
    } cases[] = {{"{\"sabotage\":\"luck\"}\n", "/sabotage"},
                 {"{\"sabotage\":7}\n", "/sabotage"},
                 {"{\"sabotag\":\"drain\"}\n", "/sabotag"},
                 {"{\"check\":-1}\n", "/check"},
                 {"[]\n", ""},
                 {"{\n", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome *outcome = run("38", cases[i].input);
        char *rest = outcome->output;
        AUTO(json_cleanup) struct json_node *line = parse_line(&rest);
        const struct json_node *first = json_first(json_member(line, "errors"));
        cr_assert(eq(int, outcome->status, 2));
        cr_assert(eq(str, (char *)json_string_or(json_member(line, "type"), ""), "refused"));
        cr_assert(
            eq(str, (char *)json_string_or(json_member(first, "pointer"), "?"), (char *)cases[i].pointer));
    }
    cr_assert(eq(int, run("75", "")->status, 2));
}

Test(claims, are_numbered_without_a_gap)
{
    int number = 0;
    for (const struct claim *const *claim = claim_table; *claim != NULL; claim++)
        cr_assert(eq(int, (*claim)->number, ++number));
    cr_assert(eq(int, number, CLAIMS));
    cr_assert(claim_find(CLAIMS + 1) == NULL);
}
