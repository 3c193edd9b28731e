#include "server/import_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/experiment.h"
#include "common/histogram.h"
#include "common/series.h"

enum { HASH_DIGITS = 32, UID_DIGITS = 26, DOCUMENT_BYTES_MAX = 200 * 1024 };

/* ---- one member ---- */

static void name_member(const char *name, char pointer[FAULT_POINTER_BYTES])
{
    snprintf(pointer, FAULT_POINTER_BYTES, "/%s", name);
}

/* The member, or a fault. */
static const struct json_node *need(const struct json_node *part, const char *name, struct faults *faults)
{
    const struct json_node *node = json_member(part, name);
    char pointer[FAULT_POINTER_BYTES];
    name_member(name, pointer);
    if (node == NULL)
        faults_add(faults, pointer, "is missing");
    return node;
}

static int64_t read_between(const struct json_node *part, const char *name, int64_t min, int64_t max,
                            struct faults *faults)
{
    int64_t value = min;
    if (need(part, name, faults) != NULL)
        json_read_integer(part, name, min, max, &value, faults);
    return value;
}

static int64_t read_integer(const struct json_node *part, const char *name, struct faults *faults)
{
    return read_between(part, name, -JSON_INTEGER_MAX, JSON_INTEGER_MAX, faults);
}

static uint64_t read_unsigned(const struct json_node *part, const char *name, struct faults *faults)
{
    return (uint64_t)read_between(part, name, 0, JSON_INTEGER_MAX, faults);
}

static bool is_null(const struct json_node *node)
{
    return node != NULL && json_kind_of(node) == JSON_NULL;
}

/* null is "no value". */
static double read_number(const struct json_node *part, const char *name, struct faults *faults)
{
    double value = NAN;
    const struct json_node *node = need(part, name, faults);
    if (node != NULL && !is_null(node))
        json_read_number(part, name, -HUGE_VAL, HUGE_VAL, &value, faults);
    return value;
}

static int64_t read_time(const struct json_node *part, const char *name, struct faults *faults)
{
    return is_null(json_member(part, name)) ? 0 : read_between(part, name, 1, JSON_INTEGER_MAX, faults);
}

static void read_text(const struct json_node *part, const char *name, size_t length_max, char *to,
                      struct faults *faults)
{
    to[0] = '\0';
    if (need(part, name, faults) != NULL)
        json_read_string(part, name, length_max, to, faults);
}

static int read_word(const struct json_node *part, const char *name, const char *const *table, size_t count,
                     struct faults *faults)
{
    int index = 0;
    if (need(part, name, faults) != NULL)
        json_read_word(part, name, table, count, &index, faults);
    return index;
}

/* An owned string of at most length_max bytes; never NULL unless memory ran out, which is a fault. */
static char *take_string(const struct json_node *part, const char *name, size_t length_max,
                         struct faults *faults)
{
    char pointer[FAULT_POINTER_BYTES];
    const char *string = json_string_or(need(part, name, faults), NULL);
    name_member(name, pointer);
    if (string == NULL || strlen(string) > length_max)
        faults_add(faults, pointer, "must be a string of at most %zu bytes", length_max);
    return strdup(string != NULL ? string : "");
}

/* An owned document: what is JSON in the archive, too. */
static char *take_document(const struct json_node *part, const char *name, enum json_kind kind,
                           bool may_be_null, struct faults *faults)
{
    char pointer[FAULT_POINTER_BYTES];
    struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    const struct json_node *node = need(part, name, faults);
    json_write_node(&writer, NULL, node);
    name_member(name, pointer);
    if (node != NULL && !json_is(node, kind) && !(may_be_null && is_null(node)))
        faults_add(faults, pointer, "must be %s, got %s", json_kind_name(kind),
                   json_kind_name(json_kind_of(node)));
    if (text.length > DOCUMENT_BYTES_MAX)
        faults_add(faults, pointer, "must be at most %d bytes", DOCUMENT_BYTES_MAX);
    return text_take(&text);
}

/* Made of these characters, and as long as that. */
static void read_digits(const struct json_node *part, const char *name, const char *digits, size_t length,
                        char *to, struct faults *faults)
{
    char pointer[FAULT_POINTER_BYTES];
    size_t before = faults->count;
    read_text(part, name, length, to, faults);
    name_member(name, pointer);
    if (faults->count == before && (strlen(to) != length || strspn(to, digits) != length))
        faults_add(faults, pointer, "must be %zu of the digits %s", length, digits);
}

static void read_hash(const struct json_node *part, const char *name, char *to, struct faults *faults)
{
    read_digits(part, name, "0123456789abcdef", HASH_DIGITS, to, faults);
}

/* ---- the checksum ---- */

/* written: the part as its writer writes it. */
static void check_sum(const struct json_node *part, const struct text *written,
                      const char checksum[BUNDLE_CHECKSUM_BYTES], struct faults *faults)
{
    const char *stated = json_string_or(need(part, "checksum", faults), NULL);
    if (faults->count > 0)
        return;
    if (!text_ok(written))
        faults_add(faults, "", "there is not enough memory to check it");
    else if (stated == NULL || strcmp(stated, checksum) != 0)
        faults_add(faults, "/checksum", "does not match: %s is stated, %s it is",
                   stated != NULL ? stated : "none", checksum);
}

/* ---- parts ---- */

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

static bool is_part(const struct json_node *part, const char *const *names, size_t count,
                    struct faults *faults)
{
    if (!json_is(part, JSON_OBJECT)) {
        faults_add(faults, "", "must be an object, got %s", json_kind_name(json_kind_of(part)));
        return false;
    }
    json_read_only_known(part, names, count, faults);
    return true;
}

void import_read_machine(const struct json_node *part, struct store_machine *machine,
                         char checksum[BUNDLE_CHECKSUM_BYTES], struct faults *faults)
{
    static const char *const names[] = {"comparable", "full", "facts", "checksum"};
    *machine = (struct store_machine){.facts = NULL};
    if (!is_part(part, names, COUNT_OF(names), faults))
        return;
    read_hash(part, "comparable", machine->comparable, faults);
    read_hash(part, "full", machine->full, faults);
    machine->facts = take_document(part, "facts", JSON_OBJECT, false, faults);
    AUTO(text_fini) struct text written = TEXT_EMPTY;
    if (faults->count == 0)
        bundle_write_machine(&written, machine, checksum);
    check_sum(part, &written, checksum, faults);
}

static void read_times(const struct json_node *part, struct store_run *run, struct faults *faults)
{
    run->created_ms = read_between(part, "created_ms", 1, JSON_INTEGER_MAX, faults);
    run->started_ms = read_time(part, "started_ms", faults);
    run->finished_ms = read_time(part, "finished_ms", faults);
    run->series_dropped_ms = read_time(part, "series_dropped_ms", faults);
    run->histograms_dropped_ms = read_time(part, "histograms_dropped_ms", faults);
}

static void read_tags(const struct json_node *part, struct store_run *run, struct faults *faults)
{
    size_t count = 0;
    char tags[EXPERIMENT_TAGS_MAX][EXPERIMENT_TAG_BYTES_MAX + 1];
    run->tags = take_document(part, "tags", JSON_ARRAY, false, faults);
    experiment_read_tags(part, &count, tags, faults);
}

static void read_state(const struct json_node *part, struct store_run *run, struct faults *faults)
{
    run->state = (enum run_state)read_word(part, "state", run_state_names, RUN_STATE_COUNT, faults);
    if (faults->count == 0 && run->state != RUN_DONE && run->state != RUN_FAILED &&
        run->state != RUN_CANCELLED)
        faults_add(faults, "/state", "must be done, failed or cancelled: this run is not over");
}

static void read_counters(const struct json_node *part, struct store_run *run, struct faults *faults)
{
    run->trials_total = read_between(part, "trials_total", 0, EXPERIMENT_SLOTS_MAX, faults);
    run->trials_done = read_between(part, "trials_done", 0, run->trials_total, faults);
    run->trials_failed = read_between(part, "trials_failed", 0, run->trials_done, faults);
}

void import_read_run(const struct json_node *part, struct store_run *run,
                     char checksum[BUNDLE_CHECKSUM_BYTES], struct faults *faults)
{
    static const char *const names[] = {"uid",
                                        "state",
                                        "name",
                                        "note",
                                        "tags",
                                        "pinned",
                                        "created_ms",
                                        "started_ms",
                                        "finished_ms",
                                        "series_dropped_ms",
                                        "histograms_dropped_ms",
                                        "trials_total",
                                        "trials_done",
                                        "trials_failed",
                                        "experiment_hash",
                                        "experiment",
                                        "isolation",
                                        "overhead",
                                        "skipped",
                                        "message",
                                        "checksum"};
    static const char ulid_digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    *run = (struct store_run){.id = 0};
    if (!is_part(part, names, COUNT_OF(names), faults))
        return;
    read_digits(part, "uid", ulid_digits, UID_DIGITS, run->uid, faults);
    read_state(part, run, faults);
    run->name = take_string(part, "name", STORE_NAME_BYTES_MAX, faults);
    run->note = take_string(part, "note", EXPERIMENT_NOTE_BYTES_MAX, faults);
    read_tags(part, run, faults);
    if (need(part, "pinned", faults) != NULL)
        json_read_boolean(part, "pinned", &run->pinned, faults);
    read_times(part, run, faults);
    read_counters(part, run, faults);
    read_hash(part, "experiment_hash", run->experiment_hash, faults);
    run->experiment = take_document(part, "experiment", JSON_OBJECT, false, faults);
    run->isolation = take_document(part, "isolation", JSON_OBJECT, false, faults);
    run->overhead = take_document(part, "overhead", JSON_OBJECT, true, faults);
    run->skipped = take_document(part, "skipped", JSON_ARRAY, false, faults);
    run->message = take_string(part, "message", DOCUMENT_BYTES_MAX, faults);
    AUTO(text_fini) struct text written = TEXT_EMPTY;
    if (faults->count == 0)
        bundle_write_run(&written, run, checksum);
    check_sum(part, &written, checksum, faults);
}

void import_read_case(const struct json_node *part, int64_t number, struct store_case *one,
                      char checksum[BUNDLE_CHECKSUM_BYTES], struct faults *faults)
{
    static const char *const names[] = {"number",    "mechanism",    "pattern",  "message_bytes",
                                        "wait",      "placement",    "relation", "senders",
                                        "receivers", "buffer_bytes", "rate_hz",  "checksum"};
    *one = (struct store_case){.number = (int)number};
    if (!is_part(part, names, COUNT_OF(names), faults))
        return;
    if (read_integer(part, "number", faults) != number)
        faults_add(faults, "/number", "must be %lld: cases are numbered in their order", (long long)number);
    case_read(part, &one->key, faults);
    size_t length = strlen(one->key.mechanism);
    if (length == 0 || strspn(one->key.mechanism, "abcdefghijklmnopqrstuvwxyz0123456789_") != length)
        faults_add(faults, "/mechanism", "must be made of a to z, 0 to 9 and _");
    AUTO(text_fini) struct text written = TEXT_EMPTY;
    if (faults->count == 0)
        bundle_write_case(&written, one, checksum);
    check_sum(part, &written, checksum, faults);
}

/* ---- trials ---- */

static bool decodes_as_histogram(const struct text *blob)
{
    AUTO_FREE struct histogram *histogram = malloc(sizeof *histogram);
    return histogram != NULL && histogram_decode(blob->bytes, blob->length, histogram, NULL) == 0;
}

static bool decodes_as_series(const struct text *blob)
{
    struct frame_block blocks[FRAME_BLOCKS_MAX];
    size_t count = 0;
    return series_decode(blob->bytes, blob->length, blocks, FRAME_BLOCKS_MAX, &count, NULL) == 0;
}

static void read_blob(const struct json_node *part, const char *name,
                      bool (*decodes)(const struct text *blob), struct text *blob, struct faults *faults)
{
    char pointer[FAULT_POINTER_BYTES];
    const struct json_node *node = need(part, name, faults);
    const char *base64 = json_string_or(node, NULL);
    name_member(name, pointer);
    if (node == NULL || is_null(node))
        return;
    if (base64 == NULL || bytes_from_base64(base64, strlen(base64), blob) < 0)
        faults_add(faults, pointer, "must be base64, or null");
    else if (blob->length == 0 || !decodes(blob))
        faults_add(faults, pointer, "is damaged: its own checksum or layout does not hold");
}

static void read_distances(const struct json_node *part, struct store_trial *trial, struct faults *faults)
{
    const struct json_node *distance = need(part, "distance", faults);
    const struct json_node *list = need(part, "distance_ns", faults);
    trial->distance = -1;
    if (distance != NULL && !is_null(distance))
        trial->distance = read_word(part, "distance", distance_names, DISTANCE_COUNT, faults);
    if (list == NULL)
        return;
    if (!json_is(list, JSON_ARRAY) || json_count(list) > STORE_DISTANCES_MAX) {
        faults_add(faults, "/distance_ns", "must be an array of at most %d numbers", STORE_DISTANCES_MAX);
        return;
    }
    for (const struct json_node *one = json_first(list); one != NULL; one = json_next(one))
        trial->distance_ns[trial->distance_count++] = json_number_or(one, NAN);
}

static void check_references(const struct store_trial *trial, size_t case_count, int64_t slot_count,
                             struct faults *faults)
{
    if (trial->case_number < 0 || (size_t)trial->case_number >= case_count)
        faults_add(faults, "/case", "refers to a case that is not there: there are %zu", case_count);
    if (trial->sequence < 0 || trial->sequence >= slot_count)
        faults_add(faults, "/sequence", "refers to a slot that the plan has not: there are %lld",
                   (long long)slot_count);
    if (trial->attempt < 1 || trial->attempt > STORE_ATTEMPTS_MAX)
        faults_add(faults, "/attempt", "must be 1 to %d", STORE_ATTEMPTS_MAX);
}

void import_read_trial(const struct json_node *part, size_t case_count, int64_t slot_count,
                       struct store_trial *trial, char checksum[BUNDLE_CHECKSUM_BYTES], struct faults *faults)
{
#define FIELD_NAME(kind, field) #field,
#define READ_FIELD(kind, field) trial->field = (__typeof__(trial->field))read_##kind(part, #field, faults);
    static const char *const names[] = {
        "case",      "state",  "cause",   BUNDLE_TRIAL_FIELDS(FIELD_NAME) "distance", "distance_ns", "flags",
        "histogram", "series", "checksum"};
    static const char *const states[] = {"failed", "done"};
    *trial = (struct store_trial){.distance = -1};
    if (!is_part(part, names, COUNT_OF(names), faults))
        return;
    trial->case_number = (int)read_between(part, "case", 0, INT32_MAX, faults);
    trial->done = read_word(part, "state", states, COUNT_OF(states), faults) == 1;
    read_text(part, "cause", sizeof trial->cause - 1, trial->cause, faults);
    BUNDLE_TRIAL_FIELDS(READ_FIELD)
    read_distances(part, trial, faults);
    read_text(part, "flags", sizeof trial->flags - 1, trial->flags, faults);
    read_blob(part, "histogram", decodes_as_histogram, &trial->histogram, faults);
    read_blob(part, "series", decodes_as_series, &trial->series, faults);
    if (faults->count == 0)
        check_references(trial, case_count, slot_count, faults);
    AUTO(text_fini) struct text written = TEXT_EMPTY;
    if (faults->count == 0)
        bundle_write_trial(&written, trial, checksum);
    check_sum(part, &written, checksum, faults);
}
