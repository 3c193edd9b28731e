/* support: what several resources share. */
#ifndef IPCLAB_SERVER_API_SUPPORT_H
#define IPCLAB_SERVER_API_SUPPORT_H

#include <stdbool.h>

#include "common/json.h"
#include "db/store.h"
#include "server/answer.h"
#include "server/app.h"
#include "server/request.h"

/* Reads the run that request->id names. False: there is none, or it is deleted, or the archive failed, and
 * the answer says so. The caller owns it (store_run_fini). */
bool api_find_run(struct app *app, const struct request *request, struct store_run *run,
                  struct answer *answer);

/* A hash of what PATCH can change: the part of a run's entity tag that If-Match is about. */
void api_write_edition(const struct store_run *run, char edition[ETAG_HASH_BYTES]);
/* The run as the answer, with its entity tag. */
void api_answer_run(struct app *app, const struct store_run *run, int status, struct answer *answer);
/* The same for a run that has just been changed: reads it again. */
void api_answer_run_id(struct app *app, int64_t id, int status, struct answer *answer);

/* Begins a 200 of JSON in the language the client asks for. */
const struct messages_language *api_begin_in_language(const struct app *app, const struct request *request,
                                                      struct answer *answer);
/* A list of attempts or checks, newest first, whose cursor is the id it ended at. The archive is asked for
 * one row more than the limit, which tells whether there is a next page. */
struct api_page {
    const struct app *app;
    const struct messages_language *language;
    struct json_writer writer;
    int64_t limit, count, last_id;
    bool has_more;
};
/* Begins a 200 whose member name is the list. */
void api_page_begin(struct api_page *page, const struct app *app, const struct request *request,
                    const char *name, struct answer *answer);
/* False: the row is the one beyond the limit, and is not written. */
bool api_page_takes(struct api_page *page, int64_t id);
/* The end of the list, and where the next page goes on. */
void api_page_end(struct api_page *page);

/* The lab that request->name names, or NULL, and the answer says that there is none. */
const struct json_node *api_find_lab(const struct app *app, const struct request *request,
                                     struct answer *answer);

/* The claim whose number is request->id, or NULL, and the answer says that there is none. */
const struct json_node *api_find_claim(const struct app *app, const struct request *request,
                                       struct answer *answer);
/* A fault of ?name= unless value is a hash, be it of a machine or of an experiment. */
void api_check_hash(const char *name, const char *value, struct faults *faults);

/* The full hash that ?machine= names, this machine's without it. NULL: it is no hash, and the answer says so.
 */
const char *api_read_machine(const struct app *app, const struct request *request, struct answer *answer);

/* The body as a JSON object. NULL: it is none, and the answer says where it fails. The caller frees it. */
struct json_node *api_read_body(const struct request *request, struct answer *answer);

/* For what takes no body: false when there are fields in it all the same, and the answer says so; whoever
 * sent them meant something by them. */
bool api_has_no_fields(const struct request *request, struct answer *answer);

/* Answers 200 with body, moved, and with its entity tag, and keeps it under key for api_answer_cached. */
void api_answer_and_cache(const struct request *request, const char *key, struct text *body,
                          struct answer *answer);
/* False if nothing is kept under key. */
bool api_answer_cached(const struct request *request, const char *key, struct answer *answer);

/* For work that takes the loop too long. True: a child is going to answer, and the handler returns at once.
 * In the child, where the same handler is run, app has an archive to read and nothing else, and it is false.
 */
bool api_answer_in_child(const struct app *app, struct answer *answer);

#endif
