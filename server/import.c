#include "server/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/experiment.h"
#include "server/export_bundle.h"
#include "server/import_read.h"
#include "server/import_split.h"

enum { PORTION_TRIALS = 16 }; /* some 100 KB: parsed and committed in a few milliseconds */

/* The members, in an order that has trials after what they refer to. */
#define MEMBER_WORDS(WORD)                                                                                   \
    WORD(MEMBER_FORMAT, "format")                                                                            \
    WORD(MEMBER_VERSION, "version")                                                                          \
    WORD(MEMBER_PROGRAM, "program")                                                                          \
    WORD(MEMBER_MACHINE, "machine")                                                                          \
    WORD(MEMBER_RUN, "run")                                                                                  \
    WORD(MEMBER_CASES, "cases")                                                                              \
    WORD(MEMBER_TRIALS, "trials")                                                                            \
    WORD(MEMBER_CHECKSUM, "checksum")
enum member { MEMBER_WORDS(WORDS_ENUM) MEMBER_COUNT };
#define MEMBER_TEXT(symbol, name) [symbol] = (name),
static const char *const member_names[MEMBER_COUNT] = {MEMBER_WORDS(MEMBER_TEXT)};

struct import {
    struct store *store;
    struct import_split split;
    struct faults faults;
    struct bundle_sum sum;
    unsigned seen; /* bit (1u << member) */
    struct store_machine machine;
    struct store_run run;
    struct store_case *cases;
    size_t case_count;
    bool begun, was_there;
    int64_t run_id; /* in the archive, invisible or there before; 0 before begun */
    int64_t first;  /* index of trials[0] in the bundle */
    size_t trial_count;
    struct store_trial trials[PORTION_TRIALS];
    int64_t settled, failed;
    char checksum[BYTES_HASH_HEX_BYTES];
};

const struct faults *import_faults(const struct import *import)
{
    return &import->faults;
}

/* ---- faults ---- */

static int refuse(struct import *import, const char *pointer, const char *detail, struct err *err)
{
    size_t at = faults_kept(&import->faults);
    faults_add(&import->faults, pointer, "%s", detail); /* a copy: detail may be the error's own text */
    const struct fault *fault = &import->faults.items[at < FAULTS_MAX ? at : FAULTS_MAX - 1];
    return err_set(err, EINVAL, "%s: %s", fault->pointer, fault->detail);
}

/* The faults of a part, with where the part stands. */
static int refuse_part(struct import *import, const struct import_part *part, const struct faults *faults,
                       struct err *err)
{
    char pointer[FAULT_POINTER_BYTES];
    for (size_t i = 0; i < faults_kept(faults); i++) {
        const struct fault *fault = &faults->items[i];
        if (part->is_element)
            snprintf(pointer, sizeof pointer, "/%.16s/%lld%.*s", part->name, (long long)part->index, 50,
                     fault->pointer);
        else
            snprintf(pointer, sizeof pointer, "/%.16s%.*s", part->name, 70, fault->pointer);
        faults_add(&import->faults, pointer, "%s", fault->detail);
    }
    return err_set(err, EINVAL, "%s: %s", import->faults.items[0].pointer, import->faults.items[0].detail);
}

/* ---- trials ---- */

static void forget_trials(struct import *import)
{
    for (size_t i = 0; i < import->trial_count; i++)
        store_trial_fini(&import->trials[i]);
    import->first += (int64_t)import->trial_count;
    import->trial_count = 0;
}

static int archive_portion(struct import *import, struct err *err)
{
    size_t at = 0;
    int result = 0;
    if (import->trial_count > 0 && !import->was_there)
        result =
            store_import_trials(import->store, import->run_id, import->trials, import->trial_count, &at, err);
    if (result == -EEXIST) {
        char pointer[FAULT_POINTER_BYTES];
        snprintf(pointer, sizeof pointer, "/trials/%lld", (long long)import->first + (long long)at);
        result = refuse(import, pointer, "is an attempt at a slot that an earlier trial is, too", err);
    }
    forget_trials(import);
    return result;
}

/* All that trials refer to is known. */
static int begin(struct import *import, struct err *err)
{
    for (int member = 0; member < MEMBER_TRIALS; member++) {
        char pointer[FAULT_POINTER_BYTES];
        bool may_lack = member == MEMBER_PROGRAM || member == MEMBER_CASES;
        snprintf(pointer, sizeof pointer, "/%s", member_names[member]);
        if ((import->seen & (1u << member)) == 0 && !may_lack)
            return refuse(import, pointer, "is missing, or comes after the trials", err);
    }
    import->begun = true;
    int result = store_run_find(import->store, import->run.uid, &import->run_id, err);
    import->was_there = result == 0;
    if (result != -ENOENT)
        return result;
    const struct store_machine *machine = import->machine.facts != NULL ? &import->machine : NULL;
    return store_import_begin(import->store, &import->run, machine, import->cases, import->case_count,
                              &import->run_id, err);
}

/* ---- parts ---- */

static int take_format(struct import *import, const struct json_node *node, struct err *err)
{
    if (strcmp(json_string_or(node, ""), BUNDLE_FORMAT) == 0)
        return 0;
    return refuse(import, "/format", "must be \"" BUNDLE_FORMAT "\": this is no run of ipclab", err);
}

static int take_version(struct import *import, const struct json_node *node, struct err *err)
{
    if (json_integer_or(node, 0) == BUNDLE_VERSION)
        return 0;
    return refuse(import, "/version", "is not 1, the only one that this ipclab reads", err);
}

static int take_checksum(struct import *import, const struct json_node *node, struct err *err)
{
    (void)err;
    text_copy(import->checksum, sizeof import->checksum, json_string_or(node, ""));
    return 0;
}

static int take_machine(struct import *import, const struct import_part *part, const struct json_node *node,
                        struct err *err)
{
    char checksum[BUNDLE_CHECKSUM_BYTES] = "";
    struct faults faults = {.count = 0};
    if (json_kind_of(node) == JSON_NULL)
        return 0;
    import_read_machine(node, &import->machine, checksum, &faults);
    bundle_sum_add(&import->sum, checksum);
    return faults.count > 0 ? refuse_part(import, part, &faults, err) : 0;
}

static int take_run(struct import *import, const struct import_part *part, const struct json_node *node,
                    struct err *err)
{
    char checksum[BUNDLE_CHECKSUM_BYTES] = "";
    struct faults faults = {.count = 0};
    import_read_run(node, &import->run, checksum, &faults);
    bundle_sum_add(&import->sum, checksum);
    return faults.count > 0 ? refuse_part(import, part, &faults, err) : 0;
}

static int take_case(struct import *import, const struct import_part *part, const struct json_node *node,
                     struct err *err)
{
    char checksum[BUNDLE_CHECKSUM_BYTES] = "";
    struct faults faults = {.count = 0};
    if (import->cases == NULL)
        import->cases = calloc(EXPERIMENT_CASES_MAX, sizeof *import->cases);
    if (import->cases == NULL)
        return err_set(err, ENOMEM, "out of memory for an import");
    if (import->case_count == EXPERIMENT_CASES_MAX)
        return refuse(import, "/cases", "has more cases than a run can have", err);
    import_read_case(node, part->index, &import->cases[import->case_count++], checksum, &faults);
    bundle_sum_add(&import->sum, checksum);
    return faults.count > 0 ? refuse_part(import, part, &faults, err) : 0;
}

static int take_trial(struct import *import, const struct import_part *part, const struct json_node *node,
                      struct err *err)
{
    char checksum[BUNDLE_CHECKSUM_BYTES] = "";
    struct faults faults = {.count = 0};
    int result = import->begun ? 0 : begin(import, err);
    if (result < 0)
        return result;
    struct store_trial *trial = &import->trials[import->trial_count++];
    import_read_trial(node, import->case_count, import->run.trials_total, trial, checksum, &faults);
    if (faults.count > 0)
        return refuse_part(import, part, &faults, err);
    bundle_sum_add(&import->sum, checksum);
    import->settled += store_trial_settles(trial);
    import->failed += store_trial_settles(trial) && !trial->done;
    return import->trial_count == PORTION_TRIALS ? archive_portion(import, err) : 0;
}

static int take_member(struct import *import, enum member member, const struct import_part *part,
                       const struct json_node *node, struct err *err)
{
    switch (member) {
    case MEMBER_FORMAT:
        return take_format(import, node, err);
    case MEMBER_VERSION:
        return take_version(import, node, err);
    case MEMBER_MACHINE:
        return take_machine(import, part, node, err);
    case MEMBER_RUN:
        return take_run(import, part, node, err);
    case MEMBER_CASES:
        return take_case(import, part, node, err);
    case MEMBER_TRIALS:
        return take_trial(import, part, node, err);
    case MEMBER_CHECKSUM:
        return take_checksum(import, node, err);
    default:
        return 0;
    }
}

/* May this part come now? */
static int check_order(struct import *import, int member, const struct import_part *part, struct err *err)
{
    char pointer[FAULT_POINTER_BYTES];
    snprintf(pointer, sizeof pointer, "/%s", part->name);
    bool is_list = member == MEMBER_CASES || member == MEMBER_TRIALS;
    bool was_seen = member >= 0 && (import->seen & (1u << member)) != 0;
    if (member < 0)
        return refuse(import, pointer, "is no member of a bundle", err);
    if (is_list != part->is_element)
        return refuse(import, pointer, is_list ? "must be an array" : "must not be an array", err);
    if (was_seen && (!is_list || part->index == 0))
        return refuse(import, pointer, "stands there twice", err);
    if (import->begun && member < MEMBER_TRIALS)
        return refuse(import, pointer, "comes after the trials", err);
    return 0;
}

static int part_came(void *context, const struct import_part *part, struct err *err)
{
    struct import *import = context;
    int member = text_index_of(part->name, member_names, MEMBER_COUNT);
    int result = check_order(import, member, part, err);
    if (result < 0)
        return result;
    import->seen |= 1u << member;
    AUTO(json_cleanup) struct json_node *node = json_parse(part->bytes, part->length, err);
    if (node == NULL) {
        struct faults faults = {.count = 0};
        faults_add(&faults, "", "%.200s", err->text);
        return refuse_part(import, part, &faults, err);
    }
    return take_member(import, (enum member)member, part, node, err);
}

/* ---- the door ---- */

struct import *import_new(struct store *store)
{
    struct import *import = calloc(1, sizeof *import);
    if (import == NULL)
        return NULL;
    import->store = store;
    import->split = (struct import_split){.part = part_came, .context = import};
    return import;
}

void import_free(struct import *import)
{
    if (import == NULL)
        return;
    if (import->run_id != 0 && !import->was_there)
        store_import_abandon(import->store, import->run_id, NULL);
    forget_trials(import);
    import_split_fini(&import->split);
    bundle_sum_fini(&import->sum);
    store_machine_fini(&import->machine);
    store_run_fini(&import->run);
    free(import->cases);
    free(import);
}

int import_take(struct import *import, const char *bytes, size_t length, struct err *err)
{
    int result = import_split_take(&import->split, bytes, length, err);
    if ((result == -EINVAL || result == -E2BIG) && import->faults.count == 0)
        return refuse(import, "", err->text, err);
    return result;
}

static int check_complete(struct import *import, struct err *err)
{
    char hex[BYTES_HASH_HEX_BYTES];
    if (import_split_end(&import->split, err) < 0)
        return refuse(import, "", err->text, err);
    int result = import->begun ? 0 : begin(import, err);
    if (result < 0)
        return result;
    if (import->settled != import->run.trials_done)
        return refuse(import, "/run/trials_done", "is not how many slots the trials settle", err);
    if (import->failed != import->run.trials_failed)
        return refuse(import, "/run/trials_failed", "is not how many slots failed", err);
    bundle_sum_write(&import->sum, hex);
    if (!text_ok(&import->sum.checksums))
        return err_set(err, ENOMEM, "out of memory for an import");
    if (strcmp(hex, import->checksum) != 0)
        return refuse(import, "/checksum", "does not match: a part is missing or moved", err);
    return 0;
}

/* Whichever of two imports of one run ends first is the run. */
static int take_uid(struct import *import, int64_t now_ms, struct err *err)
{
    int result = store_import_finish(import->store, import->run_id, &import->run, now_ms, err);
    if (result != -EEXIST)
        return result;
    store_import_abandon(import->store, import->run_id, NULL);
    import->was_there = true;
    return store_run_find(import->store, import->run.uid, &import->run_id, err);
}

static int restore(struct import *import, struct err *err)
{
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    int result = store_run_get(import->store, import->run_id, &run, err);
    if (result < 0 || run.deleted_ms == 0)
        return result;
    return store_run_set_deleted(import->store, import->run_id, 0, err);
}

int import_finish(struct import *import, int64_t now_ms, int64_t *run_id, bool *was_there, struct err *err)
{
    int result = check_complete(import, err);
    if (result == 0)
        result = archive_portion(import, err);
    if (result == 0 && !import->was_there)
        result = take_uid(import, now_ms, err);
    if (result == 0 && import->was_there)
        result = restore(import, err);
    if (result < 0)
        return result;
    *run_id = import->run_id;
    *was_there = import->was_there;
    import->run_id = 0; /* nothing to give up any more */
    return 0;
}
