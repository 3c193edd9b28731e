/* The file to copy: a lab that is complete and shows one call.
 *
 * Begin with its number and its question, then two or three sentences of what the kernel does, with the
 * manual pages; a student reads this file beside the lab. The calls that matter come first, what the page is
 * shown last. Then add one line to table.c, and the texts to web/messages. This file is compiled, so that it
 * cannot fall behind the interface. */
#include <unistd.h>

#include "workers/labs/lab.h"

/* The parameters, by their place in the definition; lab_value takes one of these. */
enum { GREETING };
static const char *const greetings[] = {"hello", "good_day", NULL};

/* What the workers find out, in memory they share with the leader. */
struct skeleton {
    pid_t pid;
};

/* A process of its own. What the lab is about goes through TRACE; all else is plain C. */
static void greeter(struct lab *lab, struct timeline *me)
{
    struct skeleton *found = lab_shared(lab);
    found->pid = TRACE(me, getpid(), "");
}

/* The leader: starts workers, waits for them, draws the conclusion from what they found. It opens nothing
 * that the workers use. The explanation is a key of the texts, chosen by what happened. */
static int run(struct lab *lab, struct err *err)
{
    const struct skeleton *found = lab_shared(lab);
    int worker = lab_start(lab, "greeter", greeter, err);
    if (worker < 0)
        return worker;
    lab_await(lab, LAB_ALL, 0);
    json_write_string(lab_evidence(lab), "greeting", greetings[lab_value(lab, GREETING)]);
    json_write_integer(lab_evidence(lab), "greeter_pid", found->pid);
    lab_outcome_word(lab, found->pid == lab_pid(lab, worker) ? "same" : "different");
    lab_explain(lab, "greeted");
    return 0;
}

const struct lab_definition skeleton_lab = {
    .name = "skeleton",
    .number = 0,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"pipe", NULL},
    .panels = (const char *const[]){"lanes", NULL},
    .claims = (const int[]){33, 0},
    .parameters = {[GREETING] = {.name = "greeting", .type = LAB_CHOICE, .choices = greetings}},
    .prediction = {.type = LAB_CHOICE, .choices = (const char *const[]){"same", "different", NULL}},
    .shared_bytes = sizeof(struct skeleton),
    .run = run,
};
