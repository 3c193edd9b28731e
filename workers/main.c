/* ipclab-worker: the program whose processes talk to each other, so that the server never has to.
 *
 *   describe     what mechanisms there are and whether this machine offers them, as JSON; "describe caged",
 *                started in the namespaces of a cage: whether a crew finds them there
 *   overhead     what measuring costs on this machine, as JSON
 *   crew         leads one trial; the trial spec is read from standard input
 *   worker       one worker of a crew of strangers; started by crew
 *   sweep DIR    removes what a crew without a cage left, as its directory says
 *   cage-probe   whether a crew can have a cage on this machine, as JSON
 *   labs         the guided experiments, as JSON
 *   lab NAME     one of them; parameters on standard input, what happens as JSON lines on standard output
 *   claims       the ledger of claims, as JSON
 *   claim N      checks one of them, or all; a JSON line each
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workers/cage.h"
#include "workers/claims/claim.h"
#include "workers/crew.h"
#include "workers/describe.h"
#include "workers/labs/lab.h"
#include "workers/names.h"
#include "workers/overhead.h"
#include "workers/worker.h"

static int sweep_main(int argument_count, char **arguments)
{
    if (argument_count != 1) {
        fprintf(stderr, "usage: ipclab-worker sweep DIR\n");
        return EXIT_FAILURE;
    }
    struct err err;
    if (names_sweep(arguments[0], &err) == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "ipclab-worker sweep: %s\n", err.text);
    return EXIT_FAILURE;
}

static const struct {
    const char *name;
    int (*run)(int argument_count, char **arguments);
} subcommands[] = {{"describe", describe_main}, {"overhead", overhead_main}, {"crew", crew_main},
                   {"worker", worker_main},     {"sweep", sweep_main},       {"cage-probe", cage_probe_main},
                   {"labs", labs_main},         {"lab", lab_main},           {"claims", claims_main},
                   {"claim", claim_main}};

int main(int argument_count, char **arguments)
{
    /* Whoever starts us may ignore it, exec keeps that, and then children leave no status to wait for:
     * wait(2). */
    signal(SIGCHLD, SIG_DFL);
    for (size_t i = 0; argument_count > 1 && i < sizeof subcommands / sizeof *subcommands; i++)
        if (strcmp(arguments[1], subcommands[i].name) == 0)
            return subcommands[i].run(argument_count - 2, arguments + 2);
    fprintf(stderr, "usage: ipclab-worker describe | overhead | crew | worker | sweep DIR | cage-probe | "
                    "labs | lab NAME | claims | claim N\n");
    return EXIT_FAILURE;
}
