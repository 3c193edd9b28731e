/* Lab 3. What is told to somebody who asks for shared memory under a key that is taken?
 *
 * One process makes a segment of two pages under a key, for itself alone (mode 0600), and attaches it. A
 * second one asks for the same key, with a size, flags and a user of your choice, while the first one lives,
 * or has marked the segment for destruction, or was killed. Permission is checked for what is asked, when it
 * is asked; a marked segment loses its key; a killed owner leaves everything. shmget(2), svipc(7). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include "workers/enclosure.h"
#include "workers/labs/lab.h"
#include "workers/labs/sysv.h"

enum { SIZE, FLAGS, USER, OWNER };
enum { SAME_SIZE, SMALLER, LARGER, ZERO };
enum { NO_FLAGS, MODE_0600, CREAT, CREAT_EXCL };
enum { SAME_USER, OTHER_USER };
enum { ALIVE, MARKED, KILLED, MARKED_KILLED };
static const char *const sizes[] = {"same", "smaller", "larger", "zero", NULL};
static const char *const flags[] = {"none", "0600", "creat", "creat_excl", NULL};
static const char *const users[] = {"same", "other", NULL};
static const char *const owners[] = {"alive", "marked", "killed", "marked_killed", NULL};

static const size_t bytes_asked[] = {[SAME_SIZE] = 8192, [SMALLER] = 100, [LARGER] = 65536, [ZERO] = 0};
static const int flags_asked[] = {[NO_FLAGS] = 0,
                                  [MODE_0600] = 0600,
                                  [CREAT] = IPC_CREAT | 0600,
                                  [CREAT_EXCL] = IPC_CREAT | IPC_EXCL | 0600};
static const char *const flags_shown[] = {[NO_FLAGS] = "0",
                                          [MODE_0600] = "0600",
                                          [CREAT] = "IPC_CREAT|0600",
                                          [CREAT_EXCL] = "IPC_CREAT|IPC_EXCL|0600"};
enum { FIRST = 0, FIRST_BYTES = 8192, OTHER_UID = 65534, NOBODY_UID = 65533 };
enum { IS_MADE, IS_ASKED }; /* gates */
static const char greeting[] = "the first was here";

/* What the second one tries, one after the other. */
enum { GET, ATTACH, ATTACH_OLD, REMOVE, TRIES };
static const char *const try_names[] = {
    [GET] = "shmget", [ATTACH] = "shmat", [ATTACH_OLD] = "shmat, by the first's id", [REMOVE] = "IPC_RMID"};

struct keys {
    key_t key;
    int first_id, second_id;
    int user_error;     /* that kept the second from changing user */
    int results[TRIES]; /* errno, 0 for success, -1 for not tried */
    char found[sizeof greeting];
};

/* ---- the first: makes the segment ---- */

static void first(struct lab *lab, struct timeline *me)
{
    struct keys *keys = lab_shared(lab);
    sysv_record(lab);
    int id = TRACE(me, shmget(keys->key, FIRST_BYTES, IPC_CREAT | IPC_EXCL | 0600),
                   "%d, %d, IPC_CREAT|IPC_EXCL|0600", keys->key, FIRST_BYTES);
    char *memory = TRACE(me, (char *)shmat(id, NULL, 0), "%d, NULL, 0", id);
    TRACE_AS(me, "store", memcpy(memory, greeting, sizeof greeting), "memory, \"%s\"", greeting);
    if (lab_value(lab, OWNER) == MARKED || lab_value(lab, OWNER) == MARKED_KILLED)
        TRACE(me, shmctl(id, IPC_RMID, NULL), "%d, IPC_RMID, NULL", id);
    keys->first_id = id;
    lab_gate_open(lab, IS_MADE);
    for (;;)
        pause(); /* attached, until it is killed */
}

/* ---- the second: asks for the same key ---- */

/* Root may become anybody; an ordinary user stays who it is. */
static int become_other(struct lab *lab, struct timeline *me)
{
    uid_t uid = geteuid() == OTHER_UID ? NOBODY_UID : OTHER_UID;
    if (TRACE(me, setresuid(uid, uid, uid), "%u, %u, %u", uid, uid, uid) != 0)
        return errno;
    enclosure_follow(getppid()); /* a change of user cancels it */
    (void)lab;
    return 0;
}

static int attach(struct timeline *me, int id, char *text, size_t bytes)
{
    const char *memory = TRACE(me, (char *)shmat(id, NULL, SHM_RDONLY), "%d, NULL, SHM_RDONLY", id);
    if (memory == (const char *)-1)
        return errno;
    memcpy(text, memory, bytes);
    TRACE(me, shmdt(memory), "memory");
    return 0;
}

static void second(struct lab *lab, struct timeline *me)
{
    struct keys *keys = lab_shared(lab);
    char text[sizeof greeting];
    int64_t size = lab_value(lab, SIZE), wanted = lab_value(lab, FLAGS);
    if (lab_value(lab, USER) == OTHER_USER && (keys->user_error = become_other(lab, me)) != 0)
        return;
    sysv_record(lab);
    int id = TRACE(me, shmget(keys->key, bytes_asked[size], flags_asked[wanted]), "%d, %zu, %s", keys->key,
                   bytes_asked[size], flags_shown[wanted]);
    keys->results[GET] = id < 0 ? errno : 0;
    keys->second_id = id;
    if (id >= 0)
        keys->results[ATTACH] = attach(me, id, keys->found, sizeof keys->found);
    keys->results[ATTACH_OLD] = attach(me, keys->first_id, text, sizeof text);
    int result = TRACE(me, shmctl(keys->first_id, IPC_RMID, NULL), "%d, IPC_RMID, NULL", keys->first_id);
    keys->results[REMOVE] = result < 0 ? errno : 0;
}

/* ---- the conclusion ---- */

static const char *name_of(int result)
{
    return result < 0 ? "–" : result == 0 ? "ok" : strerrorname_np(result);
}

static void show_results(struct lab *lab, const struct keys *keys)
{
    struct lab_panel panel;
    struct json_writer *writer = lab_panel_begin(&panel, lab, "matrix");
    json_begin_array(writer, "rows");
    for (int i = 0; i < TRIES; i++)
        json_write_string(writer, NULL, try_names[i]);
    json_end_array(writer);
    json_begin_array(writer, "columns");
    json_write_string(writer, NULL, "second");
    json_end_array(writer);
    json_begin_array(writer, "cells");
    for (int i = 0; i < TRIES; i++) {
        json_begin_array(writer, NULL);
        lab_write_cell(writer, name_of(keys->results[i]), keys->results[i] < 0 ? -1 : keys->results[i] == 0);
        json_end_array(writer);
    }
    json_end_array(writer);
    lab_panel_end(&panel);
}

/* The key has gone; what of the segment is left to the second, who knows its old id? */
static const char *left_of_old(const struct keys *keys, const char *all, const char *barred, const char *none)
{
    int result = keys->results[ATTACH_OLD];
    return result == 0 ? all : result == EACCES ? barred : none;
}

static const char *explanation_for(const struct lab *lab, const struct keys *keys)
{
    switch (keys->results[GET]) {
    case EACCES:
        return "eacces";
    case EEXIST:
        return "eexist";
    case ENOENT:
        return left_of_old(keys, "enoent", "enoent_barred", "gone");
    case EINVAL:
        return bytes_asked[lab_value(lab, SIZE)] == 0 ? "einval_new" : "einval";
    default:
        break;
    }
    if (keys->second_id != keys->first_id)
        return left_of_old(keys, "another", "another_barred", "fresh");
    if (keys->results[ATTACH] == EACCES)
        return "no_attach";
    return lab_value(lab, OWNER) == KILLED ? "leaked" : "shared";
}

static void conclude(struct lab *lab, const struct keys *keys)
{
    struct json_writer *evidence = lab_evidence(lab);
    show_results(lab, keys);
    json_write_integer(evidence, "key", keys->key);
    json_write_integer(evidence, "first_id", keys->first_id);
    json_write_integer(evidence, "second_id", keys->second_id);
    json_write_integer(evidence, "size_bytes", FIRST_BYTES);
    json_write_unsigned(evidence, "asked_bytes", bytes_asked[lab_value(lab, SIZE)]);
    json_write_string(evidence, "shmget", name_of(keys->results[GET]));
    json_write_string(evidence, "shmat", name_of(keys->results[ATTACH]));
    json_write_string(evidence, "shmat_first_id", name_of(keys->results[ATTACH_OLD]));
    json_write_string(evidence, "ipc_rmid", name_of(keys->results[REMOVE]));
    json_write_string(evidence, "text_found", keys->results[ATTACH] == 0 ? keys->found : NULL);
    lab_outcome_word(lab, name_of(keys->results[GET]));
    lab_explain(lab, explanation_for(lab, keys));
}

static int run(struct lab *lab, struct err *err)
{
    struct keys *keys = lab_shared(lab);
    keys->key = sysv_pick_key(lab);
    for (int i = 0; i < TRIES; i++)
        keys->results[i] = -1;
    if (lab_start(lab, "first", first, err) < 0)
        return -err->code;
    bool dies = lab_value(lab, OWNER) == KILLED || lab_value(lab, OWNER) == MARKED_KILLED;
    if (lab_gate_await(lab, IS_MADE) && dies) {
        lab_kill(lab, FIRST);
        lab_await(lab, FIRST, 0);
    }
    int number = lab_is_over(lab) ? 0 : lab_start(lab, "second", second, err);
    if (number < 0)
        return number;
    if (!lab_await(lab, number, 0))
        return 0;
    if (keys->user_error != 0)
        lab_skip(lab, "setresuid", keys->user_error, "other_user");
    else
        conclude(lab, keys);
    return 0;
}

const struct lab_definition shm_keys_lab = {
    .name = "shm_keys",
    .number = 3,
    .keeps_capabilities = true,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"shm_sysv", NULL},
    .panels = (const char *const[]){"lanes", "matrix", NULL},
    .claims = (const int[]){11, 12, 15, 18, 20, 21, 22, 0},
    .parameters = {[SIZE] = {.name = "size", .type = LAB_CHOICE, .choices = sizes},
                   [FLAGS] = {.name = "flags", .type = LAB_CHOICE, .choices = flags, .standard = MODE_0600},
                   [USER] = {.name = "user", .type = LAB_CHOICE, .choices = users},
                   [OWNER] = {.name = "owner", .type = LAB_CHOICE, .choices = owners, .standard = MARKED}},
    .prediction = {.type = LAB_CHOICE,
                   .choices = (const char *const[]){"ok", "EACCES", "EEXIST", "EINVAL", "ENOENT", NULL}},
    .shared_bytes = sizeof(struct keys),
    .run = run,
};
