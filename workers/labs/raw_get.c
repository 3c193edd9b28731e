/* Lab 14. Is GET / enough to be sent a page?
 *
 * The course's own example: telnet to port 80, type a request, look at what comes. A socket carries bytes;
 * that they are a request is an agreement of the two programs at its ends. Here the client sends a few lines
 * as they are, and a server of the lab's own answers as web servers do: the way of 1991 to a bare GET, with
 * headers to HTTP/1.x, and not at all while the request has no end. RFC 9112, RFC 1945. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workers/labs/lab.h"

enum { REQUEST, TYPED_TEXT };
enum { BARE, HTTP_1_0, HTTP_1_1, NO_HOST, NO_END, NONSENSE, TYPED };
static const char *const request_names[] = {"bare",   "http_1_0", "http_1_1", "no_host",
                                            "no_end", "nonsense", "typed",    NULL};
static const char *const requests[] = {[BARE] = "GET /\r\n",
                                       [HTTP_1_0] = "GET / HTTP/1.0\r\n\r\n",
                                       [HTTP_1_1] = "GET / HTTP/1.1\r\nHost: lab\r\n\r\n",
                                       [NO_HOST] = "GET / HTTP/1.1\r\n\r\n",
                                       [NO_END] = "GET / HTTP/1.0\r\n",
                                       [NONSENSE] = "Good morning!\r\n\r\n"};
enum { REQUEST_BYTES_MAX = LAB_TEXT_BYTES_MAX, ANSWER_BYTES_MAX = 2048, PATIENCE_MS = 1500 };
enum { IS_LISTENING }; /* gates */

struct raw_get {
    char request[REQUEST_BYTES_MAX + 1];
    struct sockaddr_in address;
    char answer[ANSWER_BYTES_MAX];
    int64_t answer_bytes;
    bool server_gave_up; /* waiting for the request's end */
};

static const char page[] = "<h1>It works</h1>\n<p>These bytes came through a socket.</p>\n";

/* ---- the client: sends the lines, reads until the end ---- */

static void client(struct lab *lab, struct timeline *me)
{
    struct raw_get *seen = lab_shared(lab);
    const char *request = seen->request;
    size_t length = strlen(request), room = sizeof seen->answer - 1;
    ssize_t got;
    int fd = TRACE(me, socket(AF_INET, SOCK_STREAM, 0), "AF_INET, SOCK_STREAM, 0");
    TRACE(me, connect(fd, (const struct sockaddr *)&seen->address, sizeof seen->address), "%d, 127.0.0.1:%d",
          fd, ntohs(seen->address.sin_port));
    TRACE(me, write(fd, request, length), "%d, \"%.12s…\", %zu", fd, request, length);
    lab_panel_hexdump(lab, "sent", NULL, request, length, NULL);
    while ((got = TRACE(me, read(fd, seen->answer + seen->answer_bytes, room - (size_t)seen->answer_bytes),
                        "%d, …, %zu", fd, room - (size_t)seen->answer_bytes)) > 0)
        seen->answer_bytes += got;
    lab_panel_hexdump(lab, "received", NULL, seen->answer, (size_t)seen->answer_bytes, NULL);
    TRACE(me, close(fd), "%d", fd);
}

/* ---- the server: a request, an answer, close ---- */

/* A request of HTTP/1.x ends with an empty line; one of 1991 has one line, and it says no version. */
static bool is_complete(const char *request)
{
    const char *end = strstr(request, "\r\n");
    if (end == NULL)
        return false;
    bool is_bare =
        strncmp(request, "GET ", 4) == 0 && memmem(request, (size_t)(end - request), "HTTP/", 5) == NULL;
    return is_bare || strstr(request, "\r\n\r\n") != NULL;
}

static size_t compose(const char *request, char *answer, size_t answer_bytes)
{
    bool is_get = strncmp(request, "GET ", 4) == 0, has_version = strstr(request, " HTTP/1.") != NULL;
    bool lacks_host = strstr(request, " HTTP/1.1\r\n") != NULL && strstr(request, "\r\nHost:") == NULL;
    if (is_get && !has_version)
        return (size_t)snprintf(answer, answer_bytes, "%s", page);
    if (!is_get || lacks_host)
        return (size_t)snprintf(answer, answer_bytes,
                                "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return (size_t)snprintf(answer, answer_bytes,
                            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %zu\r\n"
                            "Connection: close\r\n\r\n%s",
                            sizeof page - 1, page);
}

static void serve(struct lab *lab, struct timeline *me, int fd)
{
    struct raw_get *seen = lab_shared(lab);
    char request[REQUEST_BYTES_MAX + 1] = "", answer[ANSWER_BYTES_MAX];
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000, .tv_usec = PATIENCE_MS % 1000 * 1000};
    size_t length = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (!is_complete(request) && length < REQUEST_BYTES_MAX) {
        ssize_t got = TRACE(me, read(fd, request + length, REQUEST_BYTES_MAX - length), "%d, …, %zu", fd,
                            REQUEST_BYTES_MAX - length);
        if (got <= 0) {
            seen->server_gave_up = true;
            return;
        }
        length += (size_t)got;
        request[length] = '\0';
    }
    length = compose(request, answer, sizeof answer);
    TRACE(me, send(fd, answer, length, MSG_NOSIGNAL), "%d, …, %zu, 0", fd, length);
}

static void server(struct lab *lab, struct timeline *me)
{
    struct raw_get *seen = lab_shared(lab);
    socklen_t length = sizeof seen->address;
    seen->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = TRACE(me, socket(AF_INET, SOCK_STREAM, 0), "AF_INET, SOCK_STREAM, 0");
    TRACE(me, bind(listener, (const struct sockaddr *)&seen->address, length), "%d, 127.0.0.1:0", listener);
    getsockname(listener, (struct sockaddr *)&seen->address, &length);
    TRACE(me, listen(listener, 1), "%d, 1", listener);
    lab_gate_open(lab, IS_LISTENING);
    int fd = TRACE(me, accept(listener, NULL, NULL), "%d, NULL, NULL", listener);
    serve(lab, me, fd);
    TRACE(me, close(fd), "%d", fd);
}

/* ---- the conclusion ---- */

static const char *outcome_of(const struct raw_get *seen)
{
    if (seen->answer_bytes == 0)
        return "nothing";
    if (strncmp(seen->answer, "HTTP/", 5) != 0)
        return "page_alone";
    return strncmp(seen->answer, "HTTP/1.1 200", 12) == 0 ? "headers_and_page" : "error";
}

static void conclude(struct lab *lab, const struct raw_get *seen)
{
    struct json_writer *evidence = lab_evidence(lab);
    char first_line[80];
    snprintf(first_line, sizeof first_line, "%.*s", (int)strcspn(seen->answer, "\r\n"), seen->answer);
    json_write_unsigned(evidence, "request_bytes", strlen(seen->request));
    json_write_integer(evidence, "answer_bytes", seen->answer_bytes);
    json_write_string(evidence, "first_line", first_line);
    json_write_boolean(evidence, "server_gave_up", seen->server_gave_up);
    lab_outcome_word(lab, outcome_of(seen));
    lab_explain(lab, outcome_of(seen));
}

/* What was typed, where \r, \n and \\ are what they are in C. */
static void read_typed(const char *typed, char *request)
{
    for (; *typed != '\0'; typed++) {
        bool is_escape = typed[0] == '\\' && typed[1] != '\0' && strchr("rn\\", typed[1]) != NULL;
        if (is_escape)
            typed++;
        *request++ = !is_escape ? *typed : *typed == 'r' ? '\r' : *typed == 'n' ? '\n' : '\\';
    }
    *request = '\0';
}

static int run(struct lab *lab, struct err *err)
{
    struct raw_get *seen = lab_shared(lab);
    if (lab_value(lab, REQUEST) == TYPED)
        read_typed(lab_text(lab, TYPED_TEXT), seen->request);
    else
        text_copy(seen->request, sizeof seen->request, requests[lab_value(lab, REQUEST)]);
    if (lab_start(lab, "server", server, err) < 0)
        return -err->code;
    if (lab_gate_await(lab, IS_LISTENING) && lab_start(lab, "client", client, err) < 0)
        return -err->code;
    if (lab_await(lab, LAB_ALL, 0))
        conclude(lab, seen);
    return 0;
}

const struct lab_definition raw_get_lab = {
    .name = "raw_get",
    .number = 14,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"tcp", NULL},
    .panels = (const char *const[]){"lanes", "hexdump", NULL},
    .claims = (const int[]){58, 59, 64, 0},
    .parameters = {[REQUEST] = {.name = "request", .type = LAB_CHOICE, .choices = request_names},
                   [TYPED_TEXT] = {.name = "typed",
                                   .type = LAB_TEXT,
                                   .min = 1,
                                   .max = LAB_TEXT_BYTES_MAX,
                                   .standard_text = "GET /index.html HTTP/1.0\\r\\n\\r\\n"}},
    .prediction = {.type = LAB_CHOICE,
                   .choices =
                       (const char *const[]){"page_alone", "headers_and_page", "error", "nothing", NULL}},
    .shared_bytes = sizeof(struct raw_get),
    .run = run,
};
