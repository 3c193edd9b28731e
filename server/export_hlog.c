/* A histogram log (HistogramLogWriter's version 1.3): a line a trial that has a histogram, tagged with its
 * case and its place in the plan, for HdrHistogram's own tools. Values are nanoseconds; the maximum beside
 * each interval is in milliseconds, as those tools expect. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "server/export.h"
#include "server/export_hdr.h"

struct hlog {
    struct text *out;
    const struct export_run *from;
    struct histogram histogram; /* of the trial at hand */
    struct err *err;
};

static void write_heading(struct text *out, const struct store_run *run)
{
    char date[64];
    struct tm utc;
    time_t seconds = (time_t)(run->started_ms / MS_PER_S);
    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%a %b %d %H:%M:%S UTC %Y", &utc);
    text_printf(out, "#[Logged with ipclab %s, run %s]\n", IPCLAB_VERSION, run->uid);
    text_append(out, "#[Histogram log format version 1.3]\n");
    text_printf(out, "#[StartTime: %.3f (seconds since epoch), %s]\n",
                (double)run->started_ms / (double)MS_PER_S, date);
    text_append(out, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
                     "\"Interval_Compressed_Histogram\"\n");
}

/* No comma and no space may stand in a tag. */
static void write_tag(struct text *out, const struct store_case *one, const struct store_trial *trial)
{
    const struct ipc_case *key = &one->key;
    text_printf(out, "Tag=case%d.%s.%s.%" PRId64 ".%s.%s.%s.%dto%d", one->number, key->mechanism,
                pattern_names[key->pattern], key->message_bytes, wait_names[key->wait],
                placement_names[key->placement], relation_names[key->relation], key->senders, key->receivers);
    if (key->rate_hz > 0)
        text_printf(out, ".%.15gHz", key->rate_hz);
    text_printf(out, ".trial%" PRId64, trial->sequence);
    if (trial->attempt > 1)
        text_printf(out, ".attempt%d", trial->attempt);
}

static int write_trial(void *context, const struct store_trial *trial)
{
    struct hlog *hlog = context;
    struct text *out = hlog->out;
    const struct store_run *run = &hlog->from->run;
    if (trial->histogram.length == 0 || trial->case_number < 0 ||
        (size_t)trial->case_number >= hlog->from->case_count)
        return 0;
    int result =
        histogram_decode(trial->histogram.bytes, trial->histogram.length, &hlog->histogram, hlog->err);
    if (result < 0)
        return err_prefix(hlog->err, "trial %lld", (long long)trial->id);
    if (hlog->histogram.count == 0)
        return 0;
    write_tag(out, &hlog->from->cases[trial->case_number], trial);
    text_printf(out, ",%.3f,%.3f,%.6f,", (double)(trial->started_ms - run->started_ms) / (double)MS_PER_S,
                (double)trial->duration_ns / (double)NS_PER_S,
                (double)hlog->histogram.max / (double)NS_PER_MS);
    result = export_hdr_encode(&hlog->histogram, out, hlog->err);
    text_append_char(out, '\n');
    return result < 0 ? result : export_made_progress(hlog->from, hlog->err);
}

int export_hlog_write(const struct export_run *from, struct text *out, struct err *err)
{
    AUTO_FREE struct hlog *hlog = calloc(1, sizeof *hlog);
    if (hlog == NULL)
        return err_set(err, ENOMEM, "out of memory for a histogram log");
    hlog->out = out;
    hlog->from = from;
    hlog->err = err;
    write_heading(out, &from->run);
    return store_trial_each(from->store, from->run.id, 0, 0, STORE_TRIAL_HISTOGRAM, write_trial, hlog, err);
}
