/* export: one run as a file that is worth keeping, or reading elsewhere.
 *
 *   json  everything there is of it (export_bundle.h); importing that gives the same run again
 *   csv   one line a trial, each with its whole case: for spreadsheets, R, pandas
 *   hlog  a histogram log of HdrHistogram, one line a trial
 *   html  a report in one file: read it, print it, send it; it asks nobody for anything
 *
 * Reads the archive and nothing else. That is too much for the loop: the API has it done by a child
 * (report_child.h). json, csv and hlog are written trial by trial, and whoever asks for one may take away
 * what has been written; html says the same in a size that does not grow with the trials. Errors: 0 or -errno
 * with *err filled. */
#ifndef IPCLAB_SERVER_EXPORT_H
#define IPCLAB_SERVER_EXPORT_H

#include "common/err.h"
#include "common/text.h"
#include "common/words.h"
#include "db/store.h"

#define EXPORT_WORDS(WORD)                                                                                   \
    WORD(EXPORT_JSON, "json")                                                                                \
    WORD(EXPORT_CSV, "csv")                                                                                  \
    WORD(EXPORT_HTML, "html")                                                                                \
    WORD(EXPORT_HLOG, "hlog")
enum export_format { EXPORT_WORDS(WORDS_ENUM) EXPORT_COUNT };
extern const char *const export_names[EXPORT_COUNT];
extern const char *const export_content_types[EXPORT_COUNT];

/* Called after every trial: the text may be emptied. A negative answer ends the export and is passed on. */
struct export_progress {
    int (*written)(void *context, struct err *err); /* NULL: the whole file stays in the text */
    void *context;
};

/* A run of the archive with what belongs to it, trials aside. */
struct export_run {
    struct store *store;
    struct export_progress progress;
    struct store_run run;
    struct store_case *cases;
    size_t case_count;
    struct store_machine machine; /* facts NULL: the run was never started */
    /* What is JSON among these is canonical, so that equal runs are equal text. */
};

/* Appends the file. progress NULL: none. */
int export_write(struct store *store, int64_t run_id, enum export_format format,
                 const struct export_progress *progress, struct text *out, struct err *err);
/* For the formats: one more trial is written. */
int export_made_progress(const struct export_run *run, struct err *err);

/* The formats, for export_write. */
int export_bundle_write(const struct export_run *run, struct text *out, struct err *err);
int export_csv_write(const struct export_run *run, struct text *out, struct err *err);
int export_hlog_write(const struct export_run *run, struct text *out, struct err *err);
int export_html_write(const struct export_run *run, struct text *out, struct err *err);

#endif
