#include "server/export_bundle.h"

#include <stdio.h>

#include "common/cleanup.h"
#include "server/export.h"

/* ---- parts ---- */

/* Closes the object that began at `begin` after adding the checksum of it as it would be without. */
static void end_part(struct json_writer *writer, size_t begin, char checksum[BUNDLE_CHECKSUM_BYTES])
{
    struct text *out = writer->out;
    checksum[0] = '\0';
    text_append_char(out, '}');
    if (!text_ok(out))
        return;
    uint32_t crc = bytes_crc32(out->bytes + begin, out->length - begin);
    out->length--; /* the brace */
    snprintf(checksum, BUNDLE_CHECKSUM_BYTES, "%08x", (unsigned)crc);
    json_write_string(writer, "checksum", checksum);
    json_end_object(writer);
}

static struct json_writer begin_part(struct text *out, size_t *begin)
{
    *begin = out->length;
    struct json_writer writer = json_writer_on(out);
    json_begin_object(&writer, NULL);
    return writer;
}

void bundle_write_machine(struct text *out, const struct store_machine *machine,
                          char checksum[BUNDLE_CHECKSUM_BYTES])
{
    size_t begin;
    struct json_writer writer = begin_part(out, &begin);
    json_write_string(&writer, "comparable", machine->comparable);
    json_write_string(&writer, "full", machine->full);
    json_write_raw(&writer, "facts", machine->facts);
    end_part(&writer, begin, checksum);
}

void bundle_write_run(struct text *out, const struct store_run *run, char checksum[BUNDLE_CHECKSUM_BYTES])
{
    size_t begin;
    struct json_writer writer = begin_part(out, &begin);
    json_write_string(&writer, "uid", run->uid);
    json_write_string(&writer, "state", run_state_names[run->state]);
    json_write_string(&writer, "name", run->name);
    json_write_string(&writer, "note", run->note);
    json_write_raw(&writer, "tags", run->tags);
    json_write_boolean(&writer, "pinned", run->pinned);
    json_write_integer(&writer, "created_ms", run->created_ms);
    json_write_positive(&writer, "started_ms", run->started_ms);
    json_write_positive(&writer, "finished_ms", run->finished_ms);
    json_write_positive(&writer, "series_dropped_ms", run->series_dropped_ms);
    json_write_positive(&writer, "histograms_dropped_ms", run->histograms_dropped_ms);
    json_write_integer(&writer, "trials_total", run->trials_total);
    json_write_integer(&writer, "trials_done", run->trials_done);
    json_write_integer(&writer, "trials_failed", run->trials_failed);
    json_write_string(&writer, "experiment_hash", run->experiment_hash);
    json_write_raw(&writer, "experiment", run->experiment);
    json_write_raw(&writer, "isolation", run->isolation);
    json_write_raw(&writer, "overhead", run->overhead);
    json_write_raw(&writer, "skipped", run->skipped);
    json_write_string(&writer, "message", run->message);
    end_part(&writer, begin, checksum);
}

void bundle_write_case(struct text *out, const struct store_case *one, char checksum[BUNDLE_CHECKSUM_BYTES])
{
    size_t begin;
    struct json_writer writer = begin_part(out, &begin);
    json_write_integer(&writer, "number", one->number);
    case_write(&writer, &one->key);
    end_part(&writer, begin, checksum);
}

static void write_blob(struct json_writer *writer, const char *name, const struct text *blob)
{
    AUTO(text_fini) struct text base64 = TEXT_EMPTY;
    if (blob->length == 0) {
        json_write_null(writer, name);
        return;
    }
    bytes_append_base64(&base64, blob->bytes, blob->length);
    json_write_string(writer, name, text_string(&base64));
    writer->out->failed = writer->out->failed || base64.failed;
}

void bundle_write_trial(struct text *out, const struct store_trial *trial,
                        char checksum[BUNDLE_CHECKSUM_BYTES])
{
#define WRITE_FIELD(kind, field) json_write_##kind(&writer, #field, trial->field);
    size_t begin;
    struct json_writer writer = begin_part(out, &begin);
    json_write_integer(&writer, "case", trial->case_number);
    json_write_string(&writer, "state", trial->done ? "done" : "failed");
    json_write_string(&writer, "cause", trial->cause);
    BUNDLE_TRIAL_FIELDS(WRITE_FIELD)
    json_write_string(&writer, "distance", trial->distance < 0 ? NULL : distance_names[trial->distance]);
    json_begin_array(&writer, "distance_ns");
    for (size_t i = 0; i < trial->distance_count; i++)
        json_write_number(&writer, NULL, trial->distance_ns[i]);
    json_end_array(&writer);
    json_write_string(&writer, "flags", trial->flags);
    write_blob(&writer, "histogram", &trial->histogram);
    write_blob(&writer, "series", &trial->series);
    end_part(&writer, begin, checksum);
}

void bundle_sum_add(struct bundle_sum *sum, const char checksum[BUNDLE_CHECKSUM_BYTES])
{
    text_append(&sum->checksums, checksum);
}

void bundle_sum_write(const struct bundle_sum *sum, char hex[BYTES_HASH_HEX_BYTES])
{
    bytes_hash_hex(text_string(&sum->checksums), sum->checksums.length, hex);
}

/* ---- the whole ---- */

struct bundle {
    const struct export_run *from;
    struct text *out;
    struct err *err;
    struct bundle_sum sum;
    bool has_trials;
};

static void bundle_fini(struct bundle *bundle)
{
    bundle_sum_fini(&bundle->sum);
}

static int write_trial(void *context, const struct store_trial *trial)
{
    struct bundle *bundle = context;
    char checksum[BUNDLE_CHECKSUM_BYTES];
    text_append(bundle->out, bundle->has_trials ? ",\n" : "\n");
    bundle->has_trials = true;
    bundle_write_trial(bundle->out, trial, checksum);
    bundle_sum_add(&bundle->sum, checksum);
    return export_made_progress(bundle->from, bundle->err);
}

static int write_parts(const struct export_run *from, struct bundle *bundle, struct err *err)
{
    char checksum[BUNDLE_CHECKSUM_BYTES];
    struct text *out = bundle->out;
    text_append(out, "{\"format\":\"" BUNDLE_FORMAT
                     "\",\n\"version\":1,\n\"program\":\"ipclab " IPCLAB_VERSION "\",\n\"machine\":");
    if (from->machine.facts != NULL) {
        bundle_write_machine(out, &from->machine, checksum);
        bundle_sum_add(&bundle->sum, checksum);
    } else {
        text_append(out, "null");
    }
    text_append(out, ",\n\"run\":");
    bundle_write_run(out, &from->run, checksum);
    bundle_sum_add(&bundle->sum, checksum);
    text_append(out, ",\n\"cases\":[");
    for (size_t i = 0; i < from->case_count; i++) {
        text_append(out, i > 0 ? ",\n" : "\n");
        bundle_write_case(out, &from->cases[i], checksum);
        bundle_sum_add(&bundle->sum, checksum);
    }
    text_append(out, "],\n\"trials\":[");
    return store_trial_each(from->store, from->run.id, 0, 0, STORE_TRIAL_HISTOGRAM | STORE_TRIAL_SERIES,
                            write_trial, bundle, err);
}

int export_bundle_write(const struct export_run *from, struct text *out, struct err *err)
{
    AUTO(bundle_fini) struct bundle bundle = {.from = from, .out = out, .err = err};
    char hex[BYTES_HASH_HEX_BYTES];
    int result = write_parts(from, &bundle, err);
    if (result < 0)
        return result;
    bundle_sum_write(&bundle.sum, hex);
    text_printf(out, "],\n\"checksum\":\"%s\"}\n", hex);
    return 0;
}
