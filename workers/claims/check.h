/* check: one run of a claim's experiment: its evidence, and the verdict that follows from it.
 *
 * Evidence are named values with the unit in the name. A verdict is concluded once, as the last thing:
 *     return check_conclude(check, blocks, counts_pages);
 * Every function that returns int returns what the claim's run is to return. */
#ifndef IPCLAB_WORKERS_CLAIMS_CHECK_H
#define IPCLAB_WORKERS_CLAIMS_CHECK_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/json.h"
#include "common/text.h"
#include "common/words.h"
#include "workers/claims/claim.h"
#include "workers/enclosure.h"

struct check {
    const struct claim *claim;
    const struct enclosure *enclosure;
    const char *sabotage; /* "": none */
    struct text text;     /* of the evidence, through the writer */
    struct json_writer evidence;
    enum check_verdict verdict;
    const char *why; /* key of the explanation */
    int repeats;
    struct {
        const char *call, *what; /* what is the key of a text that says what is missing */
        int error;
    } skipped;
};

bool check_is_sabotaged(const struct check *check, const char *sabotage);

void check_integer(struct check *check, const char *name, int64_t value);
void check_number(struct check *check, const char *name, double value);
void check_boolean(struct check *check, const char *name, bool value);
void check_string(struct check *check, const char *name, const char *value);
/* The name of an error: "EAGAIN"; null for 0. */
void check_errno(struct check *check, const char *name, int error);
/* The name of a signal: "SIGSEGV"; null for 0. */
void check_signal(struct check *check, const char *name, int number);
void check_address(struct check *check, const char *name, const void *address);

/* Holds when what the claim says was shown and nothing limits it, conditional when something does. */
int check_conclude(struct check *check, bool shown, bool limited);
/* The evidence does not decide; why is the key of an explanation. */
int check_leave_open(struct check *check, const char *why);
/* A facility or a privilege is missing. what: "refused" (the system call, for whatever reason), "privilege",
 * "cpus", "compiler", "program". Returns less than 0. */
void check_note_skip(struct check *check, const char *call, int error, const char *what);
static inline int check_skip(struct check *check, const char *call, int error, const char *what)
{
    check_note_skip(check, call, error, what);
    return -ECANCELED;
}

/* The line of JSON for a check that is over. */
void check_write(const struct check *check, struct text *line);

#endif
