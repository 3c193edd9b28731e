/* claim: the interface of a claim, a sentence from a course on how processes talk, decided by an experiment.
 *
 * A claim is one const struct at the end of the file of its subject, and one line in table.c. run makes real
 * kernel objects, writes down what it saw as evidence, and concludes from it (check.h): no claim knows its
 * verdict beforehand. It runs in an enclosure (workers/enclosure.h), so it may leave what it made; processes
 * it may lose are subjects (subject.h). All its words for people are in web/messages, under its number.
 *
 * A sabotage is a change to the experiment that must change the verdict: the tests apply each to see that
 * the verdict comes from the evidence. `ipclab-worker claim 8` takes it as {"sabotage":"lock"}. */
#ifndef IPCLAB_WORKERS_CLAIMS_CLAIM_H
#define IPCLAB_WORKERS_CLAIMS_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

struct check;

enum { CLAIM_SABOTAGES_MAX = 3, CLAIM_CRITERIA_MAX = 3, CLAIM_ALSO_MAX = 1, CLAIM_DEADLINE_MS = 10000 };

struct claim {
    int number;            /* as in the catalogue of messages; never reused */
    const char *mechanism; /* of workers/mechanisms that the claim is about, or the nearest */
    const char
        *const also[CLAIM_ALSO_MAX + 1]; /* others of which its experiment shows the same; ends with NULL */
    /* That it proves: reach direction count synchronises boundaries persists; ends with NULL. */
    const char *const criteria[CLAIM_CRITERIA_MAX + 1];
    bool is_timed;                                        /* about speed: nothing else may go on beside it */
    const char *source;                                   /* the few lines of C that matter */
    const char *const sabotages[CLAIM_SABOTAGES_MAX + 1]; /* ends with NULL */
    bool keeps_capabilities;         /* to change user or to make namespaces; else it runs without any */
    int (*run)(struct check *check); /* 0, or -errno when it could not be decided: what check_ returned */
};

/* Ends with NULL; in the order of the numbers. */
extern const struct claim *const claim_table[];
const struct claim *claim_find(int64_t number);

/* The subcommands "claims", which prints the table as JSON, and "claim N" or "claim all", which check. */
int claims_main(int argument_count, char **arguments);
int claim_main(int argument_count, char **arguments);

#endif
