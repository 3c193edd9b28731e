/* lab: one guided experiment with an IPC mechanism, as a constant table of data and one function.
 *
 * One lab is one file that ends in one designated-initialiser struct, and one line in table.c; skeleton.c is
 * the file to copy. What a student reads is not here: texts are in web/messages, by the keys that a lab names
 * (its own, its parameters', its explanations').
 *
 * The leader runs the function, in an enclosure (workers/enclosure.h) that leaves nothing behind. It starts
 * workers, waits for them, and says what came out; while it waits it tells the observer, at most every 50 ms,
 * what the workers' timelines and panels have to say. It never opens, attaches or holds an end of anything:
 * that would change when a reader sees the end of the stream, who is counted as attached, or which open(2)
 * returns.
 *
 * A worker calls TRACE (workers/timeline.h) for what the lab shows and reports what it found in the lab's
 * shared memory, which is anonymous and no part of the experiment.
 *
 * Errors: 0 or -errno with *err, for what keeps the lab from running. What the lab is about (EAGAIN, SIGPIPE,
 * a hang) is evidence, and a missing privilege is lab_skip. Threads: none. */
#ifndef IPCLAB_WORKERS_LABS_LAB_H
#define IPCLAB_WORKERS_LABS_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/faults.h"
#include "common/json.h"
#include "common/lab_range.h"
#include "workers/timeline.h"

enum {
    LAB_PARAMETERS_MAX = 8,
    LAB_BOUNDS_MAX = 4,
    LAB_WORKERS_MAX = 32,    /* in the course of a lab; with their leader at most 16 processes at a time */
    LAB_DURATION_MS = 30000, /* several times what the longest takes, for a busy machine */
    LAB_INTERACTIVE_MS = 120000,
    LAB_NAME_BYTES = 40, /* of a worker */
    LAB_ALL = -1,
};

/* Ranges are those of common/lab_range.h. */
struct lab_parameter {
    const char *name;
    enum lab_value_type type;
    int64_t min, max; /* of an integer; bytes of a text */
    int step;         /* an integer is a multiple of it; 0 is 1 */
    /* What the kernel counts in pages, in pages of this machine: instead of min, max and standard, unless 0.
     */
    int min_pages, max_pages, standard_pages;
    const char *const *choices; /* of a choice; ends with NULL */
    int64_t standard;           /* the default: a number, an index into choices, or 0 and 1 */
    const char *standard_text;  /* of a text */
};

/* What another parameter makes of one's range. */
struct lab_bound {
    int parameter, by; /* their places */
    enum lab_bound_kind kind;
    unsigned when; /* a bit for each choice of by that makes it so */
    int64_t limit; /* of LAB_BOUND_NOT the index of a choice */
};

struct lab_prediction {
    enum lab_value_type type;
    int64_t min, max;
    int tolerance_percent; /* how far an integer may be off and still agree */
    const char *const *choices;
};

struct lab;

struct lab_definition {
    const char *name;
    int number; /* its place on the page */
    bool is_interactive;
    bool keeps_capabilities; /* to change user or make namespaces; else permission bits bind root as well */
    const char *source;      /* the program a student is shown */
    const char *const *mechanisms; /* these lists end with NULL */
    const char *const *panels;
    const int *claims;                                   /* ends with 0 */
    struct lab_parameter parameters[LAB_PARAMETERS_MAX]; /* ends with an empty one */
    struct lab_bound bounds[LAB_BOUNDS_MAX];             /* ends with an empty one */
    struct lab_prediction prediction;
    size_t shared_bytes; /* what lab_shared points to */
    int (*run)(struct lab *lab, struct err *err);
};

/* All labs by number. The table ends with NULL. */
extern const struct lab_definition *const lab_table[];
const struct lab_definition *lab_find(const char *name);

/* ---- for both leader and workers ---- */

/* A parameter's value by its place in the definition. */
int64_t lab_value(const struct lab *lab, int parameter);
/* The same of a text. */
const char *lab_text(const struct lab *lab, int parameter);
/* Memory shared by all processes of the lab, zeroed at first. */
void *lab_shared(const struct lab *lab);
/* A moment of CLOCK_MONOTONIC as the observer counts. */
int64_t lab_since_start_ns(const struct lab *lab, int64_t at_ns);
/* A directory of the lab's own, for names in the file system. */
const char *lab_directory(const struct lab *lab);

/* Starts a worker, which has no descriptor but 0, 1 and 2 and what its starter had opened since the lab
 * began, and ends with status 0 when the function returns. Its number, or -errno. A worker may start others;
 * to whom it then is a child does not matter, the leader reaps all. */
typedef void lab_worker_main(struct lab *lab, struct timeline *me);
int lab_start(struct lab *lab, const char *name, lab_worker_main *main, struct err *err);
/* The same as a worker's own fork(), traced; its pid. */
pid_t lab_fork(struct lab *lab, struct timeline *me, const char *name, lab_worker_main *main);
pid_t lab_pid(const struct lab *lab, int worker);
/* A worker's own number. */
int lab_number(const struct lab *lab);

/* A new picture of a panel. The writer stands inside the data object. A worker says what it sees itself. */
struct lab_panel {
    struct lab *lab;
    const char *name;
    int64_t at_ns; /* when it was so; now, unless the caller changes it */
    struct text text;
    struct json_writer writer;
};
struct json_writer *lab_panel_begin(struct lab_panel *panel, struct lab *lab, const char *name);
void lab_panel_end(struct lab_panel *panel);
/* Those that several labs use (lab_panels.c). Lists end with an empty element. */
struct lab_mark {
    const char *label;
    size_t from, to; /* bytes; to is the first that does not belong */
};
void lab_panel_hexdump(struct lab *lab, const char *title, const void *address, const void *bytes,
                       size_t length, const struct lab_mark *marks);
/* The caller's heap, stack and what of /proc/self/maps has the word in it. */
void lab_panel_maps(struct lab *lab, const char *worker, const char *moment, const char *word);
struct lab_counter {
    const char *name;
    int64_t value;
    const char *unit;
};
void lab_panel_counters(struct lab *lab, const struct lab_counter *counters);
struct lab_descriptor {
    const char *what;
    int fd;
    bool is_open;
};
void lab_panel_descriptors(struct lab *lab, const char *worker, const struct lab_descriptor *rows);
/* A cell of a matrix; ok is -1 where there is no right and wrong. */
void lab_write_cell(struct json_writer *writer, const char *value, int ok);

/* ---- for workers ---- */

/* What is not part of the experiment went wrong: says so and ends the worker and the lab. */
__attribute__((format(printf, 3, 4))) _Noreturn void lab_give_up(struct lab *lab, int error,
                                                                 const char *format, ...);
/* Waits until the leader, or another worker, opens the gate. Gates are numbered 0 … LAB_GATES-1. */
enum { LAB_GATES = 32 };
void lab_gate_wait(struct lab *lab, int gate);
void lab_gate_open(struct lab *lab, int gate);
/* The moment all `count` workers have come to this gate, for a race: they spin for the last of them. */
void lab_meet(struct lab *lab, int gate, uint32_t count);
/* Is the process asleep in the kernel? What /proc/PID/stat says, without touching what it sleeps on. */
bool lab_is_asleep(pid_t pid);
/* Waits until the worker has begun its next call and sleeps in it. False if that did not come in time. */
bool lab_await_asleep(struct lab *lab, int worker, int64_t timeout_ms);
void lab_sleep_ms(int64_t ms);

/* ---- for the leader ---- */

/* Waits for a worker's end, or everyone's (LAB_ALL), and tells the observer what happens meanwhile. True when
 * they have ended; false when the time was up before, or the lab is over (a worker was killed, the deadline,
 * the server is gone). timeout_ms 0: until the lab is over. */
bool lab_await(struct lab *lab, int worker, int64_t timeout_ms);
/* Nothing more is to be waited for: a worker was killed, time is up, or nobody looks any more. */
bool lab_is_over(const struct lab *lab);
bool lab_gate_is_open(const struct lab *lab, int gate);
/* Waits for a gate while telling; false when the lab is over. */
bool lab_gate_await(struct lab *lab, int gate);
/* Lets time pass while telling. */
void lab_watch(struct lab *lab, int64_t ms);
/* How a worker ended, as wait(2) says it; -1 while it runs. */
int lab_status(const struct lab *lab, int worker);
/* What it is doing, as far as has been told: "absent" (-1), "ended", the name of a call, or "running". */
void lab_doing(const struct lab *lab, int worker, char *text, size_t text_bytes);
/* Ends a worker on purpose. */
void lab_kill(struct lab *lab, int worker);
/* A signal by which workers may die as part of the lab; any other ends it. */
void lab_expect_signal(struct lab *lab, int number);
/* Called by the leader each time it tells the observer something; for panels that follow shared memory. */
void lab_on_look(struct lab *lab, void (*look)(struct lab *lab));
/* What was typed into a terminal of the page; lab_input.c. */
struct lab_input {
    char terminal[16];
    bool is_end; /* Ctrl-D */
    char text[1024];
};
void lab_on_input(struct lab *lab, void (*input)(struct lab *lab, const struct lab_input *input));

/* What came out. Evidence is one flat object; units are in the names. */
void lab_outcome_integer(struct lab *lab, int64_t outcome);
void lab_outcome_word(struct lab *lab, const char *outcome);
void lab_explain(struct lab *lab, const char *key);
struct json_writer *lab_evidence(struct lab *lab);
/* A figure for reading, to one decimal. */
void lab_evidence_figure(struct lab *lab, const char *name, double figure);
/* The machine refuses what the lab is about: what is the key of a text that says what to change. */
void lab_skip(struct lab *lab, const char *call, int error, const char *what);

/* The subcommands labs and lab NAME. */
int labs_main(int argument_count, char **arguments);
int lab_main(int argument_count, char **arguments);

#endif
