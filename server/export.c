#include "server/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

#define WORDS_TEXT(symbol, name) [symbol] = (name),
const char *const export_names[EXPORT_COUNT] = {EXPORT_WORDS(WORDS_TEXT)};
const char *const export_content_types[EXPORT_COUNT] = {
    [EXPORT_JSON] = "application/json",
    [EXPORT_CSV] = "text/csv",
    [EXPORT_HTML] = "text/html",
    [EXPORT_HLOG] = "text/plain",
};

/* A document of the archive, read and written again: the same text whoever wrote it. */
static int make_canonical(char **document, const char *what, struct err *err)
{
    AUTO(json_cleanup) struct json_node *node = json_parse(*document, strlen(*document), err);
    if (node == NULL)
        return err_prefix(err, "the %s in the archive", what);
    struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_write_node(&writer, NULL, node);
    char *canonical = text_take(&text);
    if (canonical == NULL)
        return err_set(err, ENOMEM, "out of memory for the %s", what);
    free(*document);
    *document = canonical;
    return 0;
}

static int make_all_canonical(struct export_run *run, struct err *err)
{
    struct {
        char **document;
        const char *what;
    } documents[] = {
        {&run->run.tags, "tags"},
        {&run->run.experiment, "experiment"},
        {&run->run.isolation, "isolation"},
        {&run->run.overhead, "overhead"},
        {&run->run.skipped, "mechanisms that were skipped"},
        {&run->machine.facts, "machine's facts"},
    };
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof documents / sizeof *documents; i++)
        if (*documents[i].document != NULL)
            result = make_canonical(documents[i].document, documents[i].what, err);
    return result;
}

static int read_run(struct store *store, int64_t run_id, struct export_run *run, struct err *err)
{
    *run = (struct export_run){.store = store};
    int result = store_run_get(store, run_id, &run->run, err);
    if (result == 0)
        result = store_run_cases(store, run_id, &run->cases, &run->case_count, err);
    if (result == 0 && run->run.machine_id != 0)
        result = store_machine_get(store, run->run.machine_full, &run->machine, err);
    if (result == 0)
        result = make_all_canonical(run, err);
    return result;
}

static void free_run(struct export_run *run)
{
    store_machine_fini(&run->machine);
    free(run->cases);
    store_run_fini(&run->run);
}

int export_made_progress(const struct export_run *run, struct err *err)
{
    return run->progress.written != NULL ? run->progress.written(run->progress.context, err) : 0;
}

int export_write(struct store *store, int64_t run_id, enum export_format format,
                 const struct export_progress *progress, struct text *out, struct err *err)
{
    static int (*const writers[EXPORT_COUNT])(const struct export_run *, struct text *, struct err *) = {
        [EXPORT_JSON] = export_bundle_write,
        [EXPORT_CSV] = export_csv_write,
        [EXPORT_HTML] = export_html_write,
        [EXPORT_HLOG] = export_hlog_write,
    };
    AUTO(free_run) struct export_run run;
    int result = read_run(store, run_id, &run, err);
    if (progress != NULL)
        run.progress = *progress;
    if (result == 0)
        result = writers[format](&run, out, err);
    if (result == 0 && !text_ok(out))
        result = err_set(err, ENOMEM, "out of memory for run %lld", (long long)run_id);
    return result;
}
