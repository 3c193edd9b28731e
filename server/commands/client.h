/* client: asks a running ipclab over HTTP; the only door to libcurl.
 *
 * Errors: 0 or -errno with *err filled when there is no answer at all; a refusal is an answer.
 * Threads: none. */
#ifndef IPCLAB_SERVER_COMMANDS_CLIENT_H
#define IPCLAB_SERVER_COMMANDS_CLIENT_H

#include <stdbool.h>
#include <stdio.h>

#include "common/err.h"
#include "common/json.h"
#include "common/text.h"

/* Which server, unless an option says: $IPCLAB_SERVER, or else this. */
#define CLIENT_SERVER_DEFAULT "http://127.0.0.1:8080/"

struct client;

/* server: an address as `ipclab serve` prints it, or NULL. */
int client_open(const char *server, struct client **client, struct err *err);
void client_close(struct client *client);
static inline void client_cleanup(struct client **client)
{
    client_close(*client);
}

/* The address, without a slash at its end. */
const char *client_server(const struct client *client);

struct client_answer {
    int status;
    struct text body; /* empty if it went to a file */
};
void client_answer_fini(struct client_answer *answer);

/* target begins with a slash. The body of a 200 goes to the file, if there is one. */
int client_get(struct client *client, const char *target, FILE *file, struct client_answer *answer,
               struct err *err);
/* The file from where it stands to its end, as JSON. */
int client_post(struct client *client, const char *target, FILE *file, struct client_answer *answer,
                struct err *err);
/* Hands the lines of a 200 over as they come, without their ends, until the server or take ends it: false is
 * enough. */
int client_follow(struct client *client, const char *target, bool (*take)(void *context, const char *line),
                  void *context, struct client_answer *answer, struct err *err);
/* Appends a value of a query. */
void client_append_escaped(struct client *client, struct text *target, const char *value);

/* Says on standard error what an answer that is no success says, and answers the exit status for it. */
int client_report(const struct client_answer *answer, const char *what);

#endif
