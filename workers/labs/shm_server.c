/* Lab 2. A client leaves a mark in shared memory. How does a sleeping server get to know?
 *
 * The course's own example: a server puts the alphabet into a System V segment under a key both know, and
 * looks every now and then whether somebody has written a '*' over the first letter; a client finds the
 * segment by the key, reads, and writes the '*'. Nobody is told anything: shared memory does not synchronise,
 * so one of them has to look again and again. shmget(2). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/labs/lab.h"
#include "workers/labs/sysv.h"

enum { POLL_MS, ORDER };
enum { SERVER_FIRST, CLIENT_FIRST };
static const char *const orders[] = {[SERVER_FIRST] = "server_first", [CLIENT_FIRST] = "client_first", NULL};
enum { LETTERS = 26, SEGMENT_BYTES = LETTERS + 1, RIGHTS = 0666 };
enum { IS_WRITTEN }; /* gates */

struct meeting {
    key_t key;
    int client_error; /* of its shmget */
    int looks;        /* of the server */
    int64_t star_ns, seen_ns;
    char read[SEGMENT_BYTES];
};

/* ---- the server ---- */

static void server(struct lab *lab, struct timeline *me)
{
    struct meeting *met = lab_shared(lab);
    unsigned poll_us = (unsigned)lab_value(lab, POLL_MS) * 1000;
    sysv_record(lab);
    int id = TRACE(me, shmget(met->key, SEGMENT_BYTES, IPC_CREAT | RIGHTS), "%d, %d, IPC_CREAT|0666",
                   met->key, SEGMENT_BYTES);
    volatile char *letters = TRACE(me, (char *)shmat(id, NULL, 0), "%d, NULL, 0", id);
    for (int i = 0; i < LETTERS; i++)
        letters[i] = (char)('a' + i);
    TRACE_AS(me, "store", letters[LETTERS] = '\0', "letters, \"a…z\"");
    lab_gate_open(lab, IS_WRITTEN); /* for the lab's course alone: the client is started now */

    while (TRACE_AS(me, "load", letters[0], "letters[0]") != '*') {
        met->looks++;
        TRACE(me, usleep(poll_us), "%u", poll_us);
    }
    met->seen_ns = clock_now_ns();
    TRACE(me, shmdt((const void *)letters), "letters");
}

/* ---- the client ---- */

static void client(struct lab *lab, struct timeline *me)
{
    struct meeting *met = lab_shared(lab);
    int id = TRACE(me, shmget(met->key, SEGMENT_BYTES, RIGHTS), "%d, %d, 0666", met->key, SEGMENT_BYTES);
    if (id < 0) {
        met->client_error = errno;
        return;
    }
    volatile char *letters = TRACE(me, (char *)shmat(id, NULL, 0), "%d, NULL, 0", id);
    for (int i = 0; i < LETTERS; i++)
        met->read[i] = letters[i];
    lab_panel_hexdump(lab, "what the client sees", (const void *)letters, met->read, sizeof met->read, NULL);
    TRACE_AS(me, "store", letters[0] = '*', "letters[0], '*'");
    met->star_ns = clock_now_ns();
    TRACE(me, shmdt((const void *)letters), "letters");
}

/* ---- the leader ---- */

/* When the server has looked for the first time and sleeps: then its sleep is what the client meets. */
static int start_client(struct lab *lab, struct err *err)
{
    lab_gate_await(lab, IS_WRITTEN);
    lab_watch(lab, lab_value(lab, POLL_MS) / 4);
    return lab_start(lab, "client", client, err);
}

static void conclude(struct lab *lab, const struct meeting *met)
{
    struct json_writer *evidence = lab_evidence(lab);
    json_write_integer(evidence, "key", met->key);
    json_write_integer(evidence, "poll_ms", lab_value(lab, POLL_MS));
    json_write_string(evidence, "client_errno",
                      met->client_error != 0 ? strerrorname_np(met->client_error) : NULL);
    if (met->client_error != 0) {
        lab_outcome_word(lab, met->client_error == ENOENT ? "enoent" : "refused");
        lab_explain(lab, "enoent");
        return;
    }
    json_write_string(evidence, "client_read", met->read);
    json_write_integer(evidence, "looks", met->looks);
    lab_evidence_figure(lab, "noticed_after_ms", (double)(met->seen_ns - met->star_ns) / 1e6);
    lab_outcome_word(lab, "within_one_poll");
    lab_explain(lab, "polled");
}

static int run(struct lab *lab, struct err *err)
{
    struct meeting *met = lab_shared(lab);
    met->key = sysv_pick_key(lab);
    int number;
    if (lab_value(lab, ORDER) == CLIENT_FIRST) {
        number = lab_start(lab, "client", client, err);
    } else {
        number = lab_start(lab, "server", server, err);
        if (number >= 0)
            number = start_client(lab, err);
    }
    if (number < 0)
        return number;
    lab_await(lab, LAB_ALL, 0);
    conclude(lab, met);
    return 0;
}

const struct lab_definition shm_server_lab = {
    .name = "shm_server",
    .number = 2,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"shm_sysv", NULL},
    .panels = (const char *const[]){"lanes", "hexdump", NULL},
    .claims = (const int[]){1, 3, 8, 11, 12, 18, 0},
    .parameters = {[POLL_MS] = {.name = "poll_ms", .min = 1, .max = 1000, .standard = 1000},
                   [ORDER] = {.name = "order", .type = LAB_CHOICE, .choices = orders}},
    .prediction = {.type = LAB_CHOICE,
                   .choices = (const char *const[]){"at_once", "within_one_poll", "enoent", "waits", NULL}},
    .shared_bytes = sizeof(struct meeting),
    .run = run,
};
