/* Any bytes as request target and header lines, through decoding, guards, routing and parameters. The first
 * line is "METHOD TARGET", those after it are header lines. Holds: what passes has a path without control
 * characters, every parameter is a string of its own, and a path that a route takes says so in Allow. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/api/routes.h"
#include "server/etag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_text(const char *text)
{
    size_t length = strlen(text);
    check(text_utf8_valid_prefix(text, length) == length);
    for (size_t i = 0; i < length; i++)
        check((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static void check_target(const struct target *target)
{
    check_text(target->path);
    check(target->path[0] == '/');
    check(target->parameter_count <= REQUEST_PARAMETERS_MAX);
    for (size_t i = 0; i < target->parameter_count; i++) {
        check_text(target->parameters[i].name);
        check_text(target->parameters[i].value);
    }
}

static void add_headers(struct request *request, char *lines)
{
    for (char *line = strtok(lines, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *colon = strchr(line, ':');
        if (colon == NULL)
            continue;
        *colon = '\0';
        request_add_header(request, line, strlen(line), colon + 1, strlen(colon + 1));
    }
}

static void ask(struct request *request)
{
    unsigned allowed;
    char allow[ALLOW_BYTES];
    struct faults faults = {.count = 0};
    int64_t limit = 1;
    int word = 0;
    const struct route *route = router_find(&api_routes, request, &allowed);
    router_write_allow(allowed, allow);
    check(route == NULL || (strstr(allow, method_names[route->method]) != NULL && request->id >= 0));
    request_check_parameters(request, route != NULL ? route->parameters : NULL, &faults);
    request_read_integer(request, "limit", 1, 200, &limit, &faults);
    request_read_word(request, "state", run_state_names, RUN_STATE_COUNT, &word, &faults);
    check(limit >= 1 && limit <= 200 && word >= 0 && word < RUN_STATE_COUNT);
    const char *tags = request_header(request, HEADER_IF_MATCH);
    if (tags != NULL && etag_list_has(tags, "\"a\"", false))
        check(etag_list_has(tags, "\"a\"", true));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    char *headers = strchr(text, '\n');
    if (headers != NULL)
        *headers++ = '\0';
    char *raw = strchr(text, ' ');
    if (raw == NULL)
        return 0;
    *raw++ = '\0';

    struct request request = {.http = NULL};
    AUTO_FREE char *buffer = malloc(target_buffer_bytes(raw));
    int status = target_parse(raw, buffer, &request.target);
    check(status == 0 || status == 400 || status == 404 || status == 414);
    request.method = request_method_of(text, &request.head);
    if (headers != NULL)
        add_headers(&request, headers);
    struct refusal refusal = request_check_envelope(&request, "127.0.0.1", 8080);
    check(refusal.status == 0 || refusal.detail != NULL);
    refusal = request_check_content(&request, REQUEST_BODY_BYTES_MAX, REQUEST_BODY_TOO_LARGE);
    check(refusal.status == 0 || refusal.detail != NULL);
    request_accepts_gzip(&request);
    request_accepts_html(&request);
    if (status == 0) {
        check_target(&request.target);
        ask(&request);
    }
    return 0;
}
