/* Any bytes as the path of a file of the page. Holds: what is answered is an embedded file by its exact path,
 * or the page itself for the address of a view; nothing that points elsewhere is found. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/embed/embedded.h"
#include "server/static_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_embedded(const char *path)
{
    for (size_t i = 0; i < embedded_file_count; i++)
        if (strcmp(embedded_files[i].path, path) == 0)
            return true;
    return false;
}

static bool begins_with(const char *path, const char *prefix)
{
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct static_files *files;
    if (files == NULL && static_files_new(&files, NULL) < 0)
        abort();
    AUTO_FREE char *raw = malloc(size + 1);
    memcpy(raw, data, size);
    raw[size] = '\0';
    AUTO_FREE char *buffer = malloc(target_buffer_bytes(raw));
    struct request request = {.method = METHOD_GET};
    if (target_parse(raw, buffer, &request.target) != 0)
        return 0;
    const char *path = request.target.path;
    if (!static_files_has(files, path))
        return 0;
    bool is_view = strcmp(path, "/") == 0 || begins_with(path, "/runs") || begins_with(path, "/labs") ||
                   begins_with(path, "/claims") || strcmp(path, "/compare") == 0 ||
                   strcmp(path, "/trends") == 0 || strcmp(path, "/api") == 0 || strcmp(path, "/docs") == 0;
    if (!is_embedded(path) && !is_view)
        abort();
    struct answer answer = {.status = 0};
    static_files_answer(files, &request, &answer);
    if (answer.status != 200 || answer.document == NULL)
        abort();
    answer_fini(&answer);
    return 0;
}
