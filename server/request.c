#include "server/request.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORDS_TEXT(symbol, name) [symbol] = name,
const char *const method_names[METHOD_COUNT] = {METHOD_WORDS(WORDS_TEXT)};
static const char *const header_names[HEADER_COUNT] = {HEADER_WORDS(WORDS_TEXT)};

/* ---- target ---- */

static const char absolute_form[] = "http://";

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes the percent escapes of in[0..length) to out and terminates it; out may be in. False for a bad
 * escape, a control character, or text that is not UTF-8. '\0' in forbidden ends the list of characters that
 * must not come out of an escape. */
static bool decode(const char *in, size_t length, bool plus_is_space, const char *forbidden, char *out)
{
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)in[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_value(in[i + 1]) : -1;
            int low = i + 2 < length ? hex_value(in[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (unsigned char)(high * 16 + low);
            i += 2;
            if (c != '\0' && strchr(forbidden, c) != NULL)
                return false;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f)
            return false;
        out[written++] = (char)c;
    }
    out[written] = '\0';
    return text_utf8_valid_prefix(out, written) == written;
}

static int parse_query(const char *query, char *buffer, struct target *target)
{
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        size_t name_length = strcspn(query, "=&");
        if (length > 0) {
            if (target->parameter_count == REQUEST_PARAMETERS_MAX)
                return 400;
            struct parameter *parameter = &target->parameters[target->parameter_count++];
            size_t value_at = name_length < length ? name_length + 1 : length;
            char *name = buffer;
            char *value = name + name_length + 1;
            if (!decode(query, name_length, true, "", name) ||
                !decode(query + value_at, length - value_at, true, "", value))
                return 400;
            *parameter = (struct parameter){.name = name, .value = value};
            buffer = value + (length - value_at) + 1;
        }
        query += length;
        if (*query == '&')
            query++;
    }
    return 0;
}

/* Authority, path and query once as sent, the scheme making room for their ends, and every parameter's name
 * and value with a NUL each. */
size_t target_buffer_bytes(const char *raw)
{
    return 2 * (strlen(raw) + 1) + 2 * REQUEST_PARAMETERS_MAX;
}

/* What follows scheme and authority; the authority goes to buffer, *used is its length with the NUL. A path
 * that was left out is "/" (RFC 9110 §4.2.3). */
static const char *split_absolute(const char *raw, char *buffer, size_t *used)
{
    const char *authority = raw + sizeof absolute_form - 1;
    size_t length = strcspn(authority, "/?");
    memcpy(buffer, authority, length);
    buffer[length] = '\0';
    *used = length + 1;
    return authority + length;
}

int target_parse(const char *raw, char *buffer, struct target *target)
{
    *target = (struct target){.path = "", .raw_query = ""};
    if (strlen(raw) > REQUEST_TARGET_BYTES_MAX)
        return 414;
    if (strncasecmp(raw, absolute_form, sizeof absolute_form - 1) == 0) {
        size_t used = 0;
        target->authority = buffer;
        raw = split_absolute(raw, buffer, &used);
        buffer += used;
    } else if (raw[0] != '/') {
        return 404;
    }
    size_t path_length = strcspn(raw, "?");
    char *path = buffer;
    if (path_length == 0)
        *buffer++ = '/';
    if (!decode(raw, path_length, false, "/\\", buffer))
        return 404;
    target->path = path;
    if (raw[path_length] == '\0')
        return 0;
    size_t query_length = strlen(raw) - path_length - 1;
    char *query = buffer + path_length + 1;
    memcpy(query, raw + path_length + 1, query_length + 1);
    target->raw_query = query;
    return parse_query(query, query + query_length + 1, target);
}

/* ---- head ---- */

enum method request_method_of(const char *word, bool *head)
{
    *head = strcmp(word, "HEAD") == 0;
    if (*head)
        return METHOD_GET;
    int method = text_index_of(word, method_names, METHOD_COUNT);
    return method >= 0 ? (enum method)method : METHOD_OTHER;
}

/* tchar of RFC 9110 §5.6.2. "Content-Length : 5", with a space, is how requests are smuggled. */
static bool is_token(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) &&
            (name[i] == '\0' || strchr("!#$%&'*+-.^_`|~", name[i]) == NULL))
            return false;
    return length > 0;
}

void request_add_header(struct request *request, const char *name, size_t name_length, const char *value,
                        size_t value_length)
{
    request->header_bytes += name_length + sizeof ": \r\n" - 1 + value_length;
    if (!is_token(name, name_length))
        request->header_name_is_bad = true;
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        if (strcasecmp(name, header_names[i]) != 0)
            continue;
        struct header_value *header = &request->headers[i];
        if (header->count++ == 0)
            header->value = value != NULL ? value : "";
        return;
    }
}

const char *request_header(const struct request *request, enum header header)
{
    return request->headers[header].value;
}

/* ---- guards ---- */

static bool is_digits(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static struct refusal check_framing(const struct request *request)
{
    const struct header_value *headers = request->headers;
    const struct header_value *length = &headers[HEADER_CONTENT_LENGTH];
    const struct header_value *coding = &headers[HEADER_TRANSFER_ENCODING];
    const char *detail = NULL;
    if (request->header_name_is_bad)
        detail = "A header field name holds a character that no token may hold.";
    else if (headers[HEADER_HOST].count != 1)
        detail = "A request carries exactly one Host field.";
    else if (length->count > 1 || (length->count == 1 && !is_digits(length->value)))
        detail = "A request carries at most one Content-Length, a decimal number.";
    else if (length->count > 0 && coding->count > 0)
        detail = "Content-Length and Transfer-Encoding exclude each other.";
    else if (coding->count > 1 || (coding->count == 1 && strcasecmp(coding->value, "chunked") != 0))
        detail = "The only transfer coding taken is \"chunked\".";
    if (detail == NULL)
        return (struct refusal){.status = 0};
    return (struct refusal){.status = 400, .detail = detail, .close = true};
}

/* Does host, as in the Host field, name this address and port? Port 80 may be left out. */
static bool host_is(const char *host, const char *address, uint16_t port)
{
    char expected[128];
    bool bare_ipv6 = strchr(address, ':') != NULL && address[0] != '[';
    int length = snprintf(expected, sizeof expected, bare_ipv6 ? "[%s]" : "%s", address);
    if (length < 0 || (size_t)length >= sizeof expected - 8)
        return false;
    if (port == 80 && strcasecmp(host, expected) == 0)
        return true;
    snprintf(expected + length, sizeof expected - (size_t)length, ":%u", (unsigned)port);
    return strcasecmp(host, expected) == 0;
}

/* A page of another site can make a browser send requests here under a name of its own (DNS rebinding); only
 * names that no stranger's DNS can give away are answered. */
static bool host_is_ours(const char *host, const char *address, uint16_t port)
{
    static const char *const loopback[] = {"localhost", "127.0.0.1", "::1"};
    for (size_t i = 0; i < sizeof loopback / sizeof loopback[0]; i++)
        if (host_is(host, loopback[i], port))
            return true;
    return host_is(host, address, port);
}

static bool origin_is_host(const char *origin, const char *host)
{
    static const char scheme[] = "http://";
    return strncasecmp(origin, scheme, sizeof scheme - 1) == 0 &&
           strcasecmp(origin + sizeof scheme - 1, host) == 0;
}

struct refusal request_check_envelope(const struct request *request, const char *address, uint16_t port)
{
    struct refusal refusal = check_framing(request);
    if (refusal.status != 0)
        return refusal;
    if (request->header_bytes > REQUEST_HEADER_BYTES_MAX)
        return (struct refusal){.status = 431,
                                .detail = "The header fields are at most 32768 bytes together."};
    /* A whole address stands for the Host field, which then is ignored: RFC 9112 §3.2.2. */
    const char *authority = request->target.authority;
    const char *host = authority != NULL ? authority : request_header(request, HEADER_HOST);
    if (!host_is_ours(host, address, port))
        return (struct refusal){
            .status = 421,
            .detail = "The Host field, or the address itself, names another server. This one answers to "
                      "localhost, 127.0.0.1, [::1] "
                      "and the "
                      "address it listens on, each with its port; a tunnel has to keep the port's number."};
    const char *origin = request_header(request, HEADER_ORIGIN);
    if (origin != NULL && (request->headers[HEADER_ORIGIN].count > 1 || !origin_is_host(origin, host)))
        return (struct refusal){.status = 403, .detail = "Pages of other origins may not use this server."};
    return (struct refusal){.status = 0};
}

/* application/json, parameters such as charset aside. */
static bool content_type_is_json(const char *value)
{
    static const char json[] = "application/json";
    if (value == NULL || strncasecmp(value, json, sizeof json - 1) != 0)
        return false;
    char next = value[sizeof json - 1];
    return next == '\0' || next == ';' || next == ' ' || next == '\t';
}

struct refusal request_check_content(const struct request *request, uint64_t bytes_max, const char *too_large)
{
    /* A form or a script of another site cannot send this type without asking first (CORS preflight), and
     * asking is refused; hence also for requests without a body. */
    if (request->method != METHOD_GET &&
        (request->headers[HEADER_CONTENT_TYPE].count != 1 ||
         !content_type_is_json(request_header(request, HEADER_CONTENT_TYPE))))
        return (struct refusal){
            .status = 415,
            .detail = "Every request that changes something carries \"Content-Type: application/json\"."};
    const struct header_value *encoding = &request->headers[HEADER_CONTENT_ENCODING];
    if (request->method != METHOD_GET &&
        (encoding->count > 1 || (encoding->count == 1 && strcasecmp(encoding->value, "identity") != 0)))
        return (struct refusal){.status = 415,
                                .detail = "A body is taken as it is: send it unpacked and without "
                                          "Content-Encoding."};
    const char *length = request_header(request, HEADER_CONTENT_LENGTH);
    if (length != NULL && (strlen(length) > 18 || strtoull(length, NULL, 10) > bytes_max))
        return (struct refusal){.status = 413, .detail = too_large};
    return (struct refusal){.status = 0};
}

/* ---- parameters ---- */

const char *request_parameter(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->target.parameter_count; i++)
        if (strcmp(request->target.parameters[i].name, name) == 0)
            return request->target.parameters[i].value;
    return NULL;
}

/* Query parameters have no JSON pointer; "?name" is told apart from "/name" at a glance. */
static void name_parameter(const char *name, char pointer[FAULT_POINTER_BYTES])
{
    snprintf(pointer, FAULT_POINTER_BYTES, "?%.*s", 60, name);
    pointer[text_utf8_valid_prefix(pointer, strlen(pointer))] =
        '\0'; /* it may have been cut inside a character */
}

static bool is_given_before(const struct target *target, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(target->parameters[i].name, target->parameters[index].name) == 0)
            return true;
    return false;
}

void request_check_parameters(const struct request *request, const char *const *known, struct faults *faults)
{
    size_t known_count = 0;
    while (known != NULL && known[known_count] != NULL)
        known_count++;
    char list[FAULT_LIST_BYTES];
    text_list(known, known_count, list, sizeof list);
    for (size_t i = 0; i < request->target.parameter_count; i++) {
        const char *name = request->target.parameters[i].name;
        char pointer[FAULT_POINTER_BYTES];
        name_parameter(name, pointer);
        if (is_given_before(&request->target, i)) {
            faults_add(faults, pointer, "given more than once");
            continue;
        }
        if (known_count > 0 && text_index_of(name, known, known_count) >= 0)
            continue;
        const char *nearest = known_count > 0 ? text_nearest(name, known, known_count) : NULL;
        if (nearest != NULL)
            faults_add(faults, pointer, "unknown parameter, did you mean \"%s\"?", nearest);
        else
            faults_add(faults, pointer, "unknown parameter; known: %s", known_count > 0 ? list : "none");
    }
}

bool request_read_integer(const struct request *request, const char *name, int64_t min, int64_t max,
                          int64_t *value, struct faults *faults)
{
    const char *given = request_parameter(request, name);
    if (given == NULL)
        return false;
    const char *digits = given[0] == '-' ? given + 1 : given;
    long long number = is_digits(digits) && strlen(digits) <= 18 ? strtoll(given, NULL, 10) : min - 1;
    if (number >= min && number <= max) {
        *value = number;
        return true;
    }
    char pointer[FAULT_POINTER_BYTES];
    name_parameter(name, pointer);
    faults_add(faults, pointer, "must be an integer from %lld to %lld, got \"%.40s\"", (long long)min,
               (long long)max, given);
    return false;
}

bool request_read_word(const struct request *request, const char *name, const char *const *table,
                       size_t count, int *value, struct faults *faults)
{
    const char *given = request_parameter(request, name);
    if (given == NULL)
        return false;
    int index = text_index_of(given, table, count);
    if (index >= 0) {
        *value = index;
        return true;
    }
    char known[FAULT_LIST_BYTES];
    text_list(table, count, known, sizeof known);
    const char *nearest = text_nearest(given, table, count);
    char pointer[FAULT_POINTER_BYTES];
    name_parameter(name, pointer);
    if (nearest != NULL)
        faults_add(faults, pointer, "unknown \"%.40s\", did you mean \"%s\"? Known: %s", given, nearest,
                   known);
    else
        faults_add(faults, pointer, "must be one of: %s", known);
    return false;
}

/* A list of words with weights (RFC 9110 §12.4.2): 1 = it takes this one, 0 = it refuses it, -1 = it does not
 * name it. */
static int ask_list(const char *list, const char *word)
{
    while (list != NULL && *list != '\0') {
        list += strspn(list, ", \t");
        size_t length = strcspn(list, ",");
        size_t word_length = strcspn(list, ",; \t");
        if (word_length == strlen(word) && strncasecmp(list, word, word_length) == 0) {
            const char *weight = memmem(list, length, "q=", 2);
            return weight == NULL || strtod(weight + 2, NULL) > 0;
        }
        list += length;
    }
    return -1;
}

/* RFC 9110 §12.5.3: the coding's own weight counts before that of "*". */
bool request_accepts_gzip(const struct request *request)
{
    const char *list = request_header(request, HEADER_ACCEPT_ENCODING);
    int gzip = ask_list(list, "gzip");
    return gzip >= 0 ? gzip > 0 : ask_list(list, "*") > 0;
}

bool request_accepts_html(const struct request *request)
{
    return ask_list(request_header(request, HEADER_ACCEPT), "text/html") > 0;
}
