#include "server/static_files.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/embed/embedded.h"
#include "server/http_document.h"

struct static_file {
    const char *path;
    struct http_document *raw, *gzip; /* gzip NULL = only raw */
};

struct static_files {
    const struct static_file *index;
    const struct embedded_file *absence;
    size_t count;
    struct static_file files[]; /* sorted by path, like embedded_files */
};

static struct http_document *prepare(const struct embedded_file *file, bool gzip)
{
    char etag[ETAG_BYTES];
    snprintf(etag, sizeof etag, "\"%s%s\"", file->hash, gzip ? "-gz" : "");
    const unsigned char *bytes = gzip ? file->gzip : file->raw;
    const unsigned char *end = gzip ? file->gzip_end : file->raw_end;
    return http_document_new(&(struct http_document_content){
        .bytes = bytes,
        .length = (size_t)(end - bytes),
        .is_static = true,
        .content_type = file->content_type,
        .etag = etag,
        .content_encoding = gzip ? "gzip" : NULL,
        .varies = file->gzip != NULL,
    });
}

static int compare_path(const void *key, const void *file)
{
    return strcmp(key, ((const struct static_file *)file)->path);
}

static const struct static_file *find_exact(const struct static_files *files, const char *path)
{
    return bsearch(path, files->files, files->count, sizeof files->files[0], compare_path);
}

int static_files_new(struct static_files **files, struct err *err)
{
    struct static_files *new = calloc(1, sizeof *new + embedded_file_count * sizeof new->files[0]);
    if (new == NULL)
        return err_set(err, ENOMEM, "out of memory for the page's files");
    new->count = embedded_file_count;
    for (size_t i = 0; i < new->count; i++) {
        const struct embedded_file *file = &embedded_files[i];
        struct static_file *prepared = &new->files[i];
        prepared->path = file->path;
        if (strcmp(file->path, "/not-found.html") == 0)
            new->absence = file;
        prepared->raw = prepare(file, false);
        prepared->gzip = file->gzip != NULL ? prepare(file, true) : NULL;
        if (prepared->raw == NULL || (file->gzip != NULL && prepared->gzip == NULL)) {
            static_files_free(new);
            return err_set(err, ENOMEM, "out of memory for the page's file %s", file->path);
        }
    }
    new->index = find_exact(new, "/index.html");
    *files = new;
    return 0;
}

void static_files_free(struct static_files *files)
{
    if (files == NULL)
        return;
    for (size_t i = 0; i < files->count; i++) {
        http_document_free(files->files[i].raw);
        http_document_free(files->files[i].gzip);
    }
    free(files);
}

/* Addresses of views: exact, or with anything below. */
static bool is_view(const char *path)
{
    static const struct {
        const char *path;
        bool below;
    } views[] = {
        {"/", false},    {"/runs", true},   {"/compare", false}, {"/trends", false},
        {"/labs", true}, {"/claims", true}, {"/api", false},     {"/docs", false},
    };
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        size_t length = strlen(views[i].path);
        if (strncmp(path, views[i].path, length) == 0 &&
            (path[length] == '\0' || (views[i].below && path[length] == '/')))
            return true;
    }
    return false;
}

static const struct static_file *find(const struct static_files *files, const char *path)
{
    const struct static_file *file = find_exact(files, path);
    return file == NULL && is_view(path) ? files->index : file;
}

bool static_files_has(const struct static_files *files, const char *path)
{
    return find(files, path) != NULL;
}

void static_files_answer(const struct static_files *files, const struct request *request,
                         struct answer *answer)
{
    const struct static_file *file = find(files, request->target.path);
    assert(file != NULL);
    bool gzip = file->gzip != NULL && request_accepts_gzip(request);
    answer_set_status(answer, 200);
    answer->document = gzip ? file->gzip : file->raw;
}

void static_files_answer_absence(const struct static_files *files, struct answer *answer)
{
    const struct embedded_file *file = files->absence;
    assert(file != NULL);
    answer_set_status(answer, 404);
    answer->content_type = file->content_type;
    text_append_bytes(&answer->body, (const char *)file->raw, (size_t)(file->raw_end - file->raw));
}
