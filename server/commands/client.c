#include "server/commands/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "server/commands/commands.h"
#include "server/report_child.h"

enum { CONNECT_MS = 5000, SILENT_S = REPORT_MS / 1000 + 30, BODY_BYTES_MAX = 64 << 20 };

struct client {
    CURL *curl;
    char *server; /* without a slash at its end */
    char message[CURL_ERROR_SIZE];
};

int client_open(const char *server, struct client **client, struct err *err)
{
    struct client *made = calloc(1, sizeof *made);
    if (server == NULL)
        server = getenv("IPCLAB_SERVER");
    if (server == NULL || server[0] == '\0')
        server = CLIENT_SERVER_DEFAULT;
    if (made == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(made);
        return err_set(err, ENOMEM, "out of memory for an HTTP client");
    }
    made->curl = curl_easy_init();
    made->server = strdup(server);
    if (made->curl == NULL || made->server == NULL) {
        client_close(made);
        return err_set(err, ENOMEM, "out of memory for an HTTP client");
    }
    size_t length = strlen(made->server);
    while (length > 0 && made->server[length - 1] == '/')
        made->server[--length] = '\0';
    *client = made;
    return 0;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    curl_global_cleanup();
    free(client->server);
    free(client);
}

const char *client_server(const struct client *client)
{
    return client->server;
}

void client_answer_fini(struct client_answer *answer)
{
    text_fini(&answer->body);
}

void client_append_escaped(struct client *client, struct text *target, const char *value)
{
    char *escaped = curl_easy_escape(client->curl, value, 0);
    if (escaped != NULL)
        text_append(target, escaped);
    else
        target->failed = true;
    curl_free(escaped);
}

/* ---- one exchange ---- */

struct exchange {
    struct client *client;
    FILE *file; /* for the body of a 200 */
    struct client_answer *answer;
    int write_errno; /* of the file, 0 while it takes what comes */
    FILE *sent;      /* the body of the request */
    int read_errno;  /* of that file, 0 while it gives what is there */
    bool (*take)(void *context, const char *line);
    void *context;
    struct text line; /* its beginning, while its end has not come */
    bool is_enough;   /* take said so */
};

static size_t take_lines(struct exchange *exchange, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length && !exchange->is_enough; i++) {
        if (bytes[i] != '\n') {
            text_append_char(&exchange->line, bytes[i]);
            continue;
        }
        if (text_ok(&exchange->line) && !exchange->take(exchange->context, text_string(&exchange->line)))
            exchange->is_enough = true;
        text_clear(&exchange->line);
    }
    bool goes_on = !exchange->is_enough && text_ok(&exchange->line) && exchange->line.length < BODY_BYTES_MAX;
    return goes_on ? length : 0;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    long status = 0;
    curl_easy_getinfo(exchange->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->file != NULL && status == 200) {
        size_t written = fwrite(bytes, size, count, exchange->file);
        exchange->write_errno = written < count ? errno : 0;
        return written * size;
    }
    if (exchange->take != NULL && status == 200)
        return take_lines(exchange, bytes, size * count);
    struct text *body = &exchange->answer->body;
    if (body->length + size * count > BODY_BYTES_MAX)
        return 0;
    text_append_bytes(body, bytes, size * count);
    return text_ok(body) ? size * count : 0;
}

static size_t give_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    errno = 0;
    size_t given = fread(bytes, size, count, exchange->sent);
    if (ferror(exchange->sent) == 0)
        return given * size;
    exchange->read_errno = errno != 0 ? errno : EIO;
    return CURL_READFUNC_ABORT; /* an end would make what there is of it the whole */
}

static int perform(struct exchange *exchange, const char *target, struct curl_slist *headers, struct err *err)
{
    struct client *client = exchange->client;
    CURL *curl = client->curl;
    AUTO(text_fini) struct text url = TEXT_EMPTY;
    text_printf(&url, "%s%s", client->server, target);
    if (!text_ok(&url))
        return err_set(err, ENOMEM, "out of memory for a request");
    client->message[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, url.bytes);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SILENT_S);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->message);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    exchange->answer->status = (int)status;
    if (exchange->read_errno != 0)
        return err_errno(err, exchange->read_errno, "read what is to be sent");
    /* A server that refuses a body may close before it has all of it: the refusal counts. */
    if (code == CURLE_OK || exchange->is_enough || (status >= 400 && exchange->answer->body.length > 0))
        return 0;
    if (exchange->write_errno != 0)
        return err_errno(err, exchange->write_errno, "write what %s sends", client->server);
    return err_set(err, EHOSTUNREACH, "ask %s: %s", client->server,
                   client->message[0] != '\0' ? client->message : curl_easy_strerror(code));
}

int client_get(struct client *client, const char *target, FILE *file, struct client_answer *answer,
               struct err *err)
{
    struct exchange exchange = {.client = client, .file = file, .answer = answer};
    *answer = (struct client_answer){.status = 0};
    curl_easy_reset(client->curl);
    return perform(&exchange, target, NULL, err);
}

int client_follow(struct client *client, const char *target, bool (*take)(void *context, const char *line),
                  void *context, struct client_answer *answer, struct err *err)
{
    struct exchange exchange = {
        .client = client, .answer = answer, .take = take, .context = context, .line = TEXT_EMPTY};
    *answer = (struct client_answer){.status = 0};
    curl_easy_reset(client->curl);
    int result = perform(&exchange, target, NULL, err);
    text_fini(&exchange.line);
    return result;
}

int client_post(struct client *client, const char *target, FILE *file, struct client_answer *answer,
                struct err *err)
{
    struct exchange exchange = {.client = client, .answer = answer, .sent = file};
    struct stat status;
    *answer = (struct client_answer){.status = 0};
    curl_easy_reset(client->curl);
    curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(client->curl, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(client->curl, CURLOPT_READDATA, &exchange);
    /* Without a length, from a pipe, the body goes in chunks. */
    if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode))
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)status.st_size);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (headers == NULL)
        return err_set(err, ENOMEM, "out of memory for a request");
    int result = perform(&exchange, target, headers, err);
    curl_slist_free_all(headers);
    return result;
}

/* ---- refusals ---- */

int client_report(const struct client_answer *answer, const char *what)
{
    AUTO(json_cleanup)
    struct json_node *problem = json_parse(text_string(&answer->body), answer->body.length, NULL);
    const char *detail = json_string_or(json_member(problem, "detail"), NULL);
    fprintf(stderr, "ipclab: %s: %s (status %d)\n", what, detail != NULL ? detail : "no reason was given",
            answer->status);
    const struct json_node *errors = json_member(problem, "errors");
    for (const struct json_node *one = json_first(errors); one != NULL && json_count(errors) > 1;
         one = json_next(one))
        fprintf(stderr, "  %s: %s\n", json_string_or(json_member(one, "pointer"), ""),
                json_string_or(json_member(one, "detail"), ""));
    bool is_busy = answer->status == 429; /* so many runs wait that it takes no more */
    return answer->status >= 500 || is_busy ? COMMAND_UNAVAILABLE : COMMAND_USAGE;
}
