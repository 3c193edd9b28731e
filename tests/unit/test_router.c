/* Targets, guards, routes and conditions: what a request may look like before a handler sees it. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "server/api/routes.h"
#include "server/etag.h"
#include "server/request.h"
#include "server/router.h"
#include "tests/support/criterion.h"

static int parse(const char *raw, char **buffer, struct target *target)
{
    free(*buffer);
    *buffer = malloc(target_buffer_bytes(raw));
    return target_parse(raw, *buffer, target);
}

Test(target, decodes_path_and_query)
{
    AUTO_FREE char *buffer = NULL;
    struct target target;
    cr_assert(eq(int, parse("/runs/%C3%A9?q=a+b%26c&tag=&x&q=%2F%25", &buffer, &target), 0));
    cr_expect(eq(str, (char *)target.path, "/runs/\xC3\xA9"));
    cr_expect(eq(str, (char *)target.raw_query, "q=a+b%26c&tag=&x&q=%2F%25"));
    static const char *const expected[][2] = {{"q", "a b&c"}, {"tag", ""}, {"x", ""}, {"q", "/%"}};
    cr_assert(eq(sz, target.parameter_count, 4));
    for (size_t i = 0; i < 4; i++) {
        cr_expect(eq(str, (char *)target.parameters[i].name, (char *)expected[i][0]));
        cr_expect(eq(str, (char *)target.parameters[i].value, (char *)expected[i][1]));
    }
}

Test(target, refuses_paths_that_can_be_nobodys)
{
    static const char *const bad[] = {
        "/a%00b", "/%2e%2e%2fetc", "/a%2Fb", "/a%5cb",   "/%1f",       "/%7F", "/%",    "/%4",
        "/%zz",   "/\xff",         "/%c3",   "relative", "https://x/", "",     "/a\tb",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_FREE char *buffer = NULL;
        struct target target;
        cr_expect(eq(int, parse(bad[i], &buffer, &target), 404), "%s", bad[i]);
    }
}

Test(target, takes_a_whole_address)
{
    static const char *const whole[][4] = {
        {"http://localhost:8080/runs/%C3%A9?q=a", "localhost:8080", "/runs/\xC3\xA9", "q=a"},
        {"HTTP://[::1]:8080", "[::1]:8080", "/", ""},
        {"http://x?q=a", "x", "/", "q=a"},
        {"http://", "", "/", ""},
        {"http:///runs", "", "/runs", ""},
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        AUTO_FREE char *buffer = NULL;
        struct target target;
        cr_assert(eq(int, parse(whole[i][0], &buffer, &target), 0));
        cr_expect(eq(str, (char *)target.authority, (char *)whole[i][1]));
        cr_expect(eq(str, (char *)target.path, (char *)whole[i][2]));
        cr_expect(eq(str, (char *)target.raw_query, (char *)whole[i][3]));
        if (target.parameter_count > 0)
            cr_expect(eq(str, (char *)target.parameters[0].value, "a"));
    }
}

Test(target, refuses_queries_that_are_not_well_formed)
{
    static const char *const bad[] = {"/?a=%00", "/?a=%", "/?a=%ff", "/?%0a=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_FREE char *buffer = NULL;
        struct target target;
        cr_expect(eq(int, parse(bad[i], &buffer, &target), 400), "%s", bad[i]);
    }
}

Test(target, bounds_length_and_number_of_parameters)
{
    AUTO_FREE char *buffer = NULL;
    struct target target;
    char raw[REQUEST_TARGET_BYTES_MAX + 2];
    memset(raw, 'a', sizeof raw);
    raw[0] = '/';
    raw[REQUEST_TARGET_BYTES_MAX] = '\0';
    cr_expect(eq(int, parse(raw, &buffer, &target), 0));
    raw[REQUEST_TARGET_BYTES_MAX] = 'a';
    raw[REQUEST_TARGET_BYTES_MAX + 1] = '\0';
    cr_expect(eq(int, parse(raw, &buffer, &target), 414));

    strcpy(raw, "/?");
    for (int i = 0; i < REQUEST_PARAMETERS_MAX; i++)
        strcat(raw, "a&&");
    cr_expect(eq(int, parse(raw, &buffer, &target), 0));
    strcat(raw, "a");
    cr_expect(eq(int, parse(raw, &buffer, &target), 400));
}

/* ---- guards ---- */

/* Header lines "Name: value", NULL-terminated. */
static struct request request_with(enum method method, const char *const *lines)
{
    static char names[16][64];
    struct request request = {.method = method};
    for (size_t i = 0; lines[i] != NULL; i++) {
        size_t length = strcspn(lines[i], ":");
        memcpy(names[i], lines[i], length);
        names[i][length] = '\0';
        request_add_header(&request, names[i], length, lines[i] + length + 2, strlen(lines[i]) - length - 2);
    }
    return request;
}
#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ENVELOPE(...)                                                                                        \
    request_check_envelope(&(struct request[]){request_with(METHOD_GET, LINES(__VA_ARGS__))}[0],             \
                           "127.0.0.1", 8080)                                                                \
        .status

Test(guard, takes_its_own_hosts_only)
{
    cr_expect(eq(int, ENVELOPE("Host: localhost:8080"), 0));
    cr_expect(eq(int, ENVELOPE("Host: LOCALHOST:8080"), 0));
    cr_expect(eq(int, ENVELOPE("host: 127.0.0.1:8080"), 0));
    cr_expect(eq(int, ENVELOPE("Host: [::1]:8080"), 0));
    cr_expect(eq(int, ENVELOPE("Host: localhost:8081"), 421));
    cr_expect(eq(int, ENVELOPE("Host: localhost"), 421));
    cr_expect(eq(int, ENVELOPE("Host: evil.example:8080"), 421));
    cr_expect(eq(int, ENVELOPE("Host: localhost.evil.example:8080"), 421));
    cr_expect(eq(int, ENVELOPE("Host: "), 421));
    struct request listening = request_with(METHOD_GET, LINES("Host: 10.1.2.3"));
    cr_expect(eq(int, request_check_envelope(&listening, "10.1.2.3", 80).status, 0));
}

Test(guard, takes_its_own_origin_only)
{
    cr_expect(eq(int, ENVELOPE("Host: localhost:8080", "Origin: http://localhost:8080"), 0));
    cr_expect(eq(int, ENVELOPE("Host: localhost:8080", "Origin: http://127.0.0.1:8080"), 403));
    cr_expect(eq(int, ENVELOPE("Host: localhost:8080", "Origin: https://localhost:8080"), 403));
    cr_expect(eq(int, ENVELOPE("Host: localhost:8080", "Origin: null"), 403));
    cr_expect(
        eq(int, ENVELOPE("Host: localhost:8080", "Origin: http://localhost:8080", "Origin: http://a"), 403));
}

Test(guard, refuses_framing_that_two_could_read_differently)
{
#define HOST "Host: localhost:8080"
    cr_expect(eq(int, ENVELOPE("Accept: */*"), 400));
    cr_expect(eq(int, ENVELOPE(HOST, "Host: localhost:8080"), 400));
    cr_expect(eq(int, ENVELOPE(HOST, "Content-Length: 5"), 0));
    cr_expect(eq(int, ENVELOPE(HOST, "Content-Length: 5", "content-length: 5"), 400));
    cr_expect(eq(int, ENVELOPE(HOST, "Content-Length: +5"), 400));
    cr_expect(eq(int, ENVELOPE(HOST, "Content-Length: "), 400));
    cr_expect(eq(int, ENVELOPE(HOST, "Transfer-Encoding: chunked"), 0));
    cr_expect(eq(int, ENVELOPE(HOST, "Transfer-Encoding: gzip, chunked"), 400));
    cr_expect(eq(int, ENVELOPE(HOST, "Transfer-Encoding: identity"), 400));
    cr_expect(eq(int, ENVELOPE(HOST, "Content-Length: 5", "Transfer-Encoding: chunked"), 400));
    cr_expect(eq(int, ENVELOPE(HOST, "Content-Length : 5"), 400));
    struct request request = request_with(METHOD_GET, LINES(HOST, "Host: localhost:8080"));
    cr_expect(request_check_envelope(&request, "127.0.0.1", 8080).close);
}

static int check_content(enum method method, const char *const *lines)
{
    struct request request = request_with(method, lines);
    return request_check_content(&request, REQUEST_BODY_BYTES_MAX, REQUEST_BODY_TOO_LARGE).status;
}

Test(guard, wants_json_and_bounded_bodies)
{
    cr_expect(eq(int, check_content(METHOD_GET, LINES(HOST)), 0));
    cr_expect(eq(int, check_content(METHOD_POST, LINES("Content-Type: application/json")), 0));
    cr_expect(eq(int, check_content(METHOD_POST, LINES("Content-Type: application/json; charset=utf-8")), 0));
    for (enum method method = METHOD_POST; method < METHOD_COUNT; method++) {
        cr_expect(eq(int, check_content(method, LINES(HOST)), 415), "%s", method_names[method]);
        cr_expect(eq(int, check_content(method, LINES("Content-Type: text/plain")), 415));
        cr_expect(eq(int, check_content(method, LINES("Content-Type: application/jsonx")), 415));
    }
#define JSON "Content-Type: application/json"
    cr_expect(eq(int, check_content(METHOD_POST, LINES(JSON, "Content-Length: 65536")), 0));
    cr_expect(eq(int, check_content(METHOD_POST, LINES(JSON, "Content-Encoding: identity")), 0));
    cr_expect(eq(int, check_content(METHOD_POST, LINES(JSON, "Content-Encoding: gzip")), 415));
    cr_expect(eq(int, check_content(METHOD_POST, LINES(JSON, "Content-Length: 65537")), 413));
    cr_expect(eq(int, check_content(METHOD_POST, LINES(JSON, "Content-Length: 99999999999999999999")), 413));
}

Test(request, weighs_accept_encoding)
{
    static const struct {
        const char *line;
        bool gzip;
    } cases[] = {
        {"Accept-Encoding: gzip, deflate, br", true},
        {"Accept-Encoding: deflate", false},
        {"Accept-Encoding: *", true},
        {"Accept-Encoding: *, gzip;q=0", false},
        {"Accept-Encoding: gzip;q=0.5", true},
        {"Accept-Encoding: gzip;q=0, br;q=1", false},
        {"Accept-Encoding: xgzip", false},
        {"Accept: gzip", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request request = request_with(METHOD_GET, LINES(cases[i].line));
        cr_expect(eq(int, request_accepts_gzip(&request), cases[i].gzip), "%s", cases[i].line);
    }
}

Test(request, weighs_accept)
{
    static const struct {
        const char *line;
        bool html;
    } cases[] = {
        {"Accept: text/html,application/xml;q=0.9,*/*;q=0.8", true},
        {"Accept: application/json, Text/HTML;q=0.1", true},
        {"Accept: */*", false},
        {"Accept: text/*", false},
        {"Accept: text/html;q=0", false},
        {"Accept: text/html5", false},
        {"Accept-Encoding: text/html", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request request = request_with(METHOD_GET, LINES(cases[i].line));
        cr_expect(eq(int, request_accepts_html(&request), cases[i].html), "%s", cases[i].line);
    }
}

/* ---- routes ---- */

static const struct route *find(enum method method, const char *path, struct request *request,
                                unsigned *allowed)
{
    *request = (struct request){.method = method, .target.path = path};
    return router_find(&api_routes, request, allowed);
}

Test(router, finds_the_route_and_its_id)
{
    struct request request;
    unsigned allowed;
    const struct route *route = find(METHOD_GET, "/api/v1/runs/17/results", &request, &allowed);
    cr_assert(ne(ptr, (void *)route, NULL));
    cr_expect(eq(ptr, (void *)route->handle, (void *)api_get_results));
    cr_expect(eq(i64, request.id, 17));
    route = find(METHOD_GET, "/api/v1/runs/9007199254740991", &request, &allowed);
    cr_expect(ne(ptr, (void *)route, NULL));
    cr_expect(eq(i64, request.id, INT64_C(9007199254740991)));
}

Test(router, knows_nothing_else)
{
    static const char *const paths[] = {
        "/api/v1/runs/0",
        "/api/v1/runs/017",
        "/api/v1/runs/-1",
        "/api/v1/runs/1x",
        "/api/v1/runs/",
        "/api/v1/runs/9007199254740992",
        "/api/v1/runs/99999999999999999999",
        "/api/v1/runs//1",
        "/api/v1/runs/1/",
        "/api/v1/run",
        "/api/v1/runsx",
        "/API/v1/runs",
        "/api/v1",
        "api/v1/runs",
        "",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct request request;
        unsigned allowed;
        cr_expect(eq(ptr, (void *)find(METHOD_GET, paths[i], &request, &allowed), NULL), "%s", paths[i]);
        cr_expect(eq(uint, allowed, 0), "%s", paths[i]);
    }
}

Test(router, tells_what_a_path_takes)
{
    struct request request;
    unsigned allowed;
    char allow[ALLOW_BYTES];
    cr_expect(eq(ptr, (void *)find(METHOD_POST, "/api/v1/runs/1", &request, &allowed), NULL));
    router_write_allow(allowed, allow);
    cr_expect(eq(str, allow, "GET, HEAD, PATCH, DELETE"));
    cr_expect(eq(ptr, (void *)find(METHOD_OTHER, "/api/v1/runs", &request, &allowed), NULL));
    router_write_allow(allowed, allow);
    cr_expect(eq(str, allow, "GET, HEAD, POST"));
    router_write_allow((1u << METHOD_COUNT) - 1, allow);
    cr_expect(eq(str, allow, "GET, HEAD, POST, PATCH, DELETE"));
}

Test(router, names_every_parameter_at_fault)
{
    AUTO_FREE char *buffer = NULL;
    struct request request = {.method = METHOD_GET};
    static const char *const known[] = {"state", "limit", NULL};
    parse("/x?limit=1&limt=2&limit=3&zzzzzzzz=1", &buffer, &request.target);
    struct faults faults = {.count = 0};
    request_check_parameters(&request, known, &faults);
    cr_assert(eq(sz, faults.count, 3));
    cr_expect(eq(str, faults.items[0].pointer, "?limt"));
    cr_expect(eq(str, faults.items[0].detail, "unknown parameter, did you mean \"limit\"?"));
    cr_expect(eq(str, faults.items[1].pointer, "?limit"));
    cr_expect(eq(str, faults.items[2].pointer, "?zzzzzzzz"));
    cr_expect(eq(str, faults.items[2].detail, "unknown parameter; known: state, limit"));
    request_check_parameters(&request, NULL, &faults);
    cr_expect(eq(str, faults.items[3].detail, "unknown parameter; known: none"));
}

Test(request, reads_integers_within_their_bounds)
{
    static const struct {
        const char *target;
        bool good;
    } cases[] = {
        {"/?n=1", true},   {"/?n=200", true},   {"/?n=0", false},    {"/?n=201", false},
        {"/?n=", false},   {"/?n=1x", false},   {"/?n=%201", false}, {"/?n=99999999999999999999", false},
        {"/?n=-1", false}, {"/?n=0x10", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_FREE char *buffer = NULL;
        struct request request = {.method = METHOD_GET};
        struct faults faults = {.count = 0};
        int64_t value = 7;
        parse(cases[i].target, &buffer, &request.target);
        cr_expect(eq(int, request_read_integer(&request, "n", 1, 200, &value, &faults), cases[i].good), "%s",
                  cases[i].target);
        cr_expect(eq(sz, faults.count, cases[i].good ? 0 : 1), "%s", cases[i].target);
    }
}

/* ---- conditions ---- */

Test(etag, compares_lists)
{
    cr_expect(etag_list_has("\"a\"", "\"a\"", false));
    cr_expect(etag_list_has("\"b\", \"a\"", "\"a\"", false));
    cr_expect(etag_list_has("*", "\"a\"", false));
    cr_expect(etag_list_has("W/\"a\"", "\"a\"", true));
    cr_expect(not(etag_list_has("W/\"a\"", "\"a\"", false)));
    cr_expect(not(etag_list_has("\"ab\"", "\"a\"", true)));
    cr_expect(not(etag_list_has("a", "\"a\"", true)));
    cr_expect(etag_list_is_valid("\"a\",W/\"b\""));
    cr_expect(not(etag_list_is_valid("a")));
    cr_expect(not(etag_list_is_valid("")));
    cr_expect(not(etag_list_is_valid("\"a\" b")));
}

Test(etag, finds_an_edition_in_strong_tags_only)
{
    char etag[ETAG_BYTES];
    etag_write("0123456789abcdef", "body", 4, etag);
    cr_expect(etag_list_has_edition(etag, "0123456789abcdef"));
    etag_write("0123456789abcdef", "another body", 12, etag);
    cr_expect(etag_list_has_edition(etag, "0123456789abcdef"));
    cr_expect(not(etag_list_has_edition(etag, "0123456789abcdee")));
    cr_expect(not(etag_list_has_edition("W/\"0123456789abcdef-0\"", "0123456789abcdef")));
    cr_expect(not(etag_list_has_edition("\"0123456789abcdef\"", "0123456789abcdef")));
}
