/* static_files: the page, embedded in the program at build time (server/embed) and answered from memory.
 *
 * A file is found by its exact path in a table, so there is no path to traverse. Each has a raw and, where it
 * is smaller, a gzip form, both prepared at start; entity tags come from the contents. The addresses of the
 * page's views answer index.html, which reads the address itself. */
#ifndef IPCLAB_SERVER_STATIC_FILES_H
#define IPCLAB_SERVER_STATIC_FILES_H

#include <stdbool.h>

#include "common/err.h"
#include "server/answer.h"
#include "server/request.h"

struct static_files;

int static_files_new(struct static_files **files, struct err *err);
void static_files_free(struct static_files *files);

bool static_files_has(const struct static_files *files, const char *path);
/* Only for a path that static_files_has. */
void static_files_answer(const struct static_files *files, const struct request *request,
                         struct answer *answer);
/* 404 as a page, for people. */
void static_files_answer_absence(const struct static_files *files, struct answer *answer);

#endif
