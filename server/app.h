/* app: the parts of the running server, wired in main.c, handed to whoever needs several of them.
 *
 * main.c fills it once; after that every field is read-only. What a part does is behind its own header. */
#ifndef IPCLAB_SERVER_APP_H
#define IPCLAB_SERVER_APP_H

#include "common/catalogue.h"
#include "server/lab_catalogue.h"
#include "server/machine.h"

struct activities;
struct config;
struct loop;
struct store;
struct events;
struct messages;
struct runner;
struct supervisor;
struct retention;

struct app {
    const struct config *config;
    struct loop *loop;
    struct store *store;
    struct events *events;
    struct supervisor *supervisor;
    struct runner *runner;
    struct activities *activities;
    struct messages *messages;
    struct retention *retention;
    struct catalogue catalogue;
    struct lab_catalogue labs;
    struct machine machine;
    int64_t started_ns; /* monotonic */
};

#endif
