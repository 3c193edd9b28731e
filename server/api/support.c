#include "server/api/support.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/document_cache.h"
#include "server/http.h"
#include "server/http_document.h"
#include "server/messages.h"
#include "server/problem.h"
#include "server/run_json.h"

/* A larger answer would push out too many others. */
enum { CACHED_BYTES_MAX = 2 * 1024 * 1024 };

bool api_find_run(struct app *app, const struct request *request, struct store_run *run,
                  struct answer *answer)
{
    struct err err;
    int status = store_run_get(app->store, request->id, run, &err);
    if (status == -ENOENT) {
        problem_answer_format(answer, 404, "There is no run %" PRId64 ".", request->id);
        return false;
    }
    if (status < 0) {
        problem_answer_err(answer, status, &err);
        return false;
    }
    if (run->deleted_ms == 0)
        return true;
    store_run_fini(run);
    problem_answer_format(answer, 404,
                          "Run %" PRId64 " was deleted. POST %s%" PRId64 "/restore brings it back.",
                          request->id, "/api/v1/runs/", request->id);
    return false;
}

void api_write_edition(const struct store_run *run, char edition[ETAG_HASH_BYTES])
{
    AUTO(text_fini) struct text editable = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&editable);
    json_begin_array(&writer, NULL);
    json_write_string(&writer, NULL, run->name);
    json_write_string(&writer, NULL, run->note);
    json_write_raw(&writer, NULL, run->tags);
    json_write_boolean(&writer, NULL, run->pinned);
    json_end_array(&writer);
    etag_hash(text_string(&editable), editable.length, edition);
}

void api_answer_run(struct app *app, const struct store_run *run, int status, struct answer *answer)
{
    answer_begin_json(answer, status);
    struct json_writer writer = json_writer_on(&answer->body);
    run_json_write(&writer, NULL, app, run);
    /* The whole tag is strong: it changes with the progress of a running run. If-Match looks at the edition
     * alone, so that a run can be edited while its trials go on. */
    char edition[ETAG_HASH_BYTES];
    api_write_edition(run, edition);
    etag_write(edition, text_string(&answer->body), answer->body.length, answer->etag);
}

void api_answer_run_id(struct app *app, int64_t id, int status, struct answer *answer)
{
    AUTO(store_run_fini) struct store_run run = {.id = 0};
    struct err err;
    int found = store_run_get(app->store, id, &run, &err);
    if (found < 0)
        problem_answer_err(answer, found, &err);
    else
        api_answer_run(app, &run, status, answer);
}

const struct messages_language *api_begin_in_language(const struct app *app, const struct request *request,
                                                      struct answer *answer)
{
    const struct messages_language *language =
        messages_choose(app->messages, request_header(request, HEADER_ACCEPT_LANGUAGE));
    answer_begin_json(answer, 200);
    answer_add_header(answer, "Content-Language", "%s", messages_language_name(language));
    answer_add_header(answer, "Vary", "Accept-Language");
    return language;
}

void api_page_begin(struct api_page *page, const struct app *app, const struct request *request,
                    const char *name, struct answer *answer)
{
    page->app = app;
    page->language = api_begin_in_language(app, request, answer);
    page->writer = json_writer_on(&answer->body);
    json_begin_object(&page->writer, NULL);
    json_begin_array(&page->writer, name);
}

bool api_page_takes(struct api_page *page, int64_t id)
{
    page->has_more = page->count == page->limit;
    if (page->has_more)
        return false;
    page->count++;
    page->last_id = id;
    return true;
}

void api_page_end(struct api_page *page)
{
    char cursor[24];
    json_end_array(&page->writer);
    snprintf(cursor, sizeof cursor, "%" PRId64, page->last_id);
    json_write_string(&page->writer, "next_cursor", page->has_more ? cursor : NULL);
    json_end_object(&page->writer);
}

const struct json_node *api_find_lab(const struct app *app, const struct request *request,
                                     struct answer *answer)
{
    const struct json_node *lab = lab_catalogue_find_lab(&app->labs, request->name);
    if (lab == NULL)
        problem_answer_format(answer, 404, "There is no lab %s.", request->name);
    return lab;
}

const struct json_node *api_find_claim(const struct app *app, const struct request *request,
                                       struct answer *answer)
{
    const struct json_node *claim = lab_catalogue_find_claim(&app->labs, request->id);
    if (claim == NULL)
        problem_answer_format(answer, 404, "There is no claim %" PRId64 ".", request->id);
    return claim;
}

void api_check_hash(const char *name, const char *value, struct faults *faults)
{
    char pointer[FAULT_POINTER_BYTES];
    size_t length = strlen(value);
    if (length == STORE_HASH_BYTES - 1 && strspn(value, "0123456789abcdef") == length)
        return;
    snprintf(pointer, sizeof pointer, "?%s", name);
    faults_add(faults, pointer, "must be the %d hexadecimal digits of a hash, in lower case, got \"%.40s\"",
               STORE_HASH_BYTES - 1, value);
}

const char *api_read_machine(const struct app *app, const struct request *request, struct answer *answer)
{
    const char *machine = request_parameter(request, "machine");
    struct faults faults = {.count = 0};
    if (machine == NULL)
        return app->machine.full;
    api_check_hash("machine", machine, &faults);
    if (faults.count == 0)
        return machine;
    problem_answer_faults(answer, &faults);
    return NULL;
}

struct json_node *api_read_body(const struct request *request, struct answer *answer)
{
    struct err err;
    struct json_node *document = json_parse(text_string(&request->body), request->body.length, &err);
    if (document == NULL) {
        problem_answer(answer, 400, err.text);
        return NULL;
    }
    if (json_is(document, JSON_OBJECT))
        return document;
    struct faults faults = {.count = 0};
    faults_add(&faults, "", "must be an object, got %s", json_kind_name(json_kind_of(document)));
    problem_answer_faults(answer, &faults);
    json_free(document);
    return NULL;
}

bool api_has_no_fields(const struct request *request, struct answer *answer)
{
    struct faults faults = {.count = 0};
    if (strspn(text_string(&request->body), " \t\r\n") == request->body.length)
        return true;
    AUTO(json_cleanup) struct json_node *document = api_read_body(request, answer);
    if (document == NULL)
        return false;
    json_read_only_known(document, NULL, 0, &faults);
    if (faults.count > 0)
        problem_answer_faults(answer, &faults);
    return faults.count == 0;
}

bool api_answer_cached(const struct request *request, const char *key, struct answer *answer)
{
    const struct http_document *document = document_cache_find(http_cache(request->http), key);
    if (document == NULL)
        return false;
    answer_set_status(answer, 200);
    answer->document = document;
    return true;
}

void api_answer_and_cache(const struct request *request, const char *key, struct text *body,
                          struct answer *answer)
{
    char etag[ETAG_BYTES];
    etag_write(NULL, text_string(body), body->length, etag);
    struct http_document *document = NULL;
    if (text_ok(body) && body->length <= CACHED_BYTES_MAX)
        document = http_document_new(&(struct http_document_content){
            .bytes = text_string(body),
            .length = body->length,
            .content_type = CONTENT_TYPE_JSON,
            .etag = etag,
        });
    if (document != NULL && document_cache_put(http_cache(request->http), key, document) != NULL &&
        api_answer_cached(request, key, answer))
        return;
    answer_begin_json(answer, 200);
    text_copy(answer->etag, sizeof answer->etag, etag);
    answer->body = *body;
    *body = TEXT_EMPTY;
}

bool api_answer_in_child(const struct app *app, struct answer *answer)
{
    if (app->loop == NULL)
        return false;
    answer_set_status(answer, 0);
    answer->in_child = true;
    return true;
}
