/* archive: rows to put into an archive under test, complete enough that every column has a value of its own.
 *
 * Two cases a run (pipe round trips, tcp streams). Needs no test framework: results are those of the store.
 */
#ifndef IPCLAB_TESTS_SUPPORT_ARCHIVE_H
#define IPCLAB_TESTS_SUPPORT_ARCHIVE_H

#include <stdint.h>

#include "db/store.h"

enum { ARCHIVE_CASES = 2 };
extern const struct store_case archive_cases[ARCHIVE_CASES];

/* A run with this name and a uid nobody else in this process has; its strings are static or the caller's. */
struct store_run archive_run(const char *name);
/* Inserts such a run; its id or -errno. */
int64_t archive_add_run(struct store *store, const char *name, struct err *err);
/* Trial number sequence of a run, every column different and reproducible, with a histogram of samples
 * values. store_trial_fini. */
struct store_trial archive_trial(int64_t run_id, int64_t sequence, int samples);

/* Ends the program with the finding when store_verify finds anything, or fails. */
void archive_must_be_whole(struct store *store);

#endif
