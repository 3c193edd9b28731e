/* router: from a path to a handler, by one table of routes (api/routes.h). Pure.
 *
 * A pattern's segments stand for themselves, except {id}, an integer from 1 to 2^53-1 without leading zeros,
 * and {name}, [a-z0-9_]+ of at most 63 characters; what they matched goes into the request. */
#ifndef IPCLAB_SERVER_ROUTER_H
#define IPCLAB_SERVER_ROUTER_H

#include "server/answer.h"
#include "server/request.h"
#include "server/upload.h"

struct app;

typedef void route_handler(struct app *app, const struct request *request, struct answer *answer);

struct route {
    enum method method;
    const char *pattern;
    route_handler *handle;
    const char *const *parameters; /* query parameters it knows, NULL-terminated; NULL = none */
};

/* Handlers whose body is taken piece by piece. */
struct route_upload {
    route_handler *handle;
    const struct upload_kind *kind;
};

struct route_table {
    const struct route *routes;
    size_t count;
    const struct route_upload *uploads;
    size_t upload_count;
};

/* The route for request's method and path, with request->id and ->name filled; NULL if there is none. allowed
 * gets a bit (1u << method) for every method this path has: 0 = no such path. */
const struct route *router_find(const struct route_table *table, struct request *request, unsigned *allowed);

/* How the route takes its body; NULL: whole. */
const struct upload_kind *router_upload(const struct route_table *table, const struct route *route);

/* The value of an Allow field: "GET, HEAD, POST". */
enum { ALLOW_BYTES = 48 };
void router_write_allow(unsigned allowed, char allow[ALLOW_BYTES]);

#endif
