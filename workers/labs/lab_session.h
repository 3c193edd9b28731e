/* lab_session: the insides of a lab that runs, for lab*.c alone; labs see lab.h. */
#ifndef IPCLAB_WORKERS_LABS_LAB_SESSION_H
#define IPCLAB_WORKERS_LABS_LAB_SESSION_H

#include "common/text.h"
#include "workers/enclosure.h"
#include "workers/labs/lab.h"

enum {
    LAB_LOOK_MS = 50, /* how often the observer is told something, at most */
    LAB_PANEL_NAME_BYTES = 16,
    LAB_PANELS_MAX = 96,
    LAB_PANEL_BYTES = 12 * 1024,
    LAB_INPUT_BYTES = 4096,
    LAB_CALLS_TOLD_MAX = 800, /* of a worker; from then on only those that take long or fail */
};

struct lab_worker {
    _Atomic pid_t pid; /* 0: not started */
    char name[LAB_NAME_BYTES];
    struct timeline timeline;
};

/* A panel's contents on their way from a worker to the leader. */
struct lab_note {
    _Atomic bool is_ready;
    int64_t at_ns;
    char panel[LAB_PANEL_NAME_BYTES];
    char data[LAB_PANEL_BYTES];
};

/* Shared by leader and workers. */
struct lab_memory {
    _Atomic uint32_t worker_count; /* numbers given out */
    _Atomic uint32_t note_count;
    _Atomic uint32_t gates[LAB_GATES];
    _Atomic bool has_failed;
    struct err failure; /* of the worker that gave up, once has_failed */
    struct lab_worker workers[LAB_WORKERS_MAX];
    struct lab_note notes[LAB_PANELS_MAX];
};

/* What the leader knows of a worker. */
struct lab_follower {
    struct timeline_reader reader;
    bool is_told, has_ended, is_ended_told, is_killed_by_us;
    int status;
    int64_t ended_ns;
    int64_t told, untold;      /* calls */
    struct timeline_call open; /* begun, not ended, if open.expression */
    int64_t open_number;       /* 0 while its begin has not been told */
    bool is_blocked;           /* and that has been told */
};

struct lab {
    const struct lab_definition *definition;
    int64_t values[LAB_PARAMETERS_MAX];
    char texts[LAB_PARAMETERS_MAX][LAB_TEXT_BYTES_MAX + 1];
    const struct enclosure *enclosure;
    struct lab_memory *memory;
    void *shared;
    pid_t leader;
    int64_t origin_ns, deadline_ns;
    int number; /* a worker's own */

    /* The leader's from here on. */
    int signal_fd;
    struct lab_follower followers[LAB_WORKERS_MAX];
    uint64_t expected_signals; /* a bit each */
    int64_t call_count;
    uint32_t notes_told;
    int64_t looked_ns;
    struct text lines; /* to be written */
    bool is_observed;  /* somebody reads the lines */
    void (*look)(struct lab *lab);
    void (*input)(struct lab *lab, const struct lab_input *input);
    struct text input_bytes;
    bool input_ended, input_is_socket;

    const char *killed_worker; /* by somebody else, or NULL */
    const char *over;          /* why the lab ends before its function does: an explanation's key, or NULL */
    struct text evidence, outcome;
    struct json_writer evidence_writer;
    const char *explanation;
    const char *skip_call, *skip_what;
    int skip_error;
};

/* lab.c */
int lab_session_init(struct lab *lab, struct err *err);
void lab_session_fini(struct lab *lab);
/* Those that were started so far, by whomever. */
uint32_t lab_worker_count(const struct lab *lab);

/* lab_lead.c. Kills and reaps who is left. */
void lab_session_end_all(struct lab *lab);

/* lab_report.c. Tells what is new since the last time. */
void lab_tell(struct lab *lab);
void lab_tell_panel(struct lab *lab, const char *panel, int64_t at_ns, const char *data);
void lab_tell_result(struct lab *lab);
void lab_flush(struct lab *lab);

/* lab_input.c. Takes in what can be read from standard input, and hands complete lines on. */
void lab_take_input(struct lab *lab);
void lab_hand_on_input(struct lab *lab);

/* lab_values.c */
/* Reads "parameters" out of the request into values and texts; faults name what is wrong. */
void lab_values_read(struct lab *lab, const struct json_node *request, struct faults *faults);
void lab_catalogue_write(struct json_writer *writer);

#endif
