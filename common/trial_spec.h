/* trial_spec: what the server tells a crew leader to take, one JSON document on the leader's standard input.
 *
 * The server encodes it, closes the pipe, and the leader reads to the end; decoding is exact like that of a
 * frame: a member that is missing, unknown or out of range refuses the document whole. A plain value. */
#ifndef IPCLAB_COMMON_TRIAL_SPEC_H
#define IPCLAB_COMMON_TRIAL_SPEC_H

#include <stddef.h>
#include <stdint.h>

#include "common/case.h"
#include "common/err.h"
#include "common/frame.h"
#include "common/text.h"
#include "common/words.h"

enum {
    TRIAL_SPEC_BYTES_MAX = 16 * 1024, /* fits a pipe's default capacity: writing it never blocks */
    TRIAL_SOCKET_PATH_BYTES = 108,    /* sockaddr_un.sun_path */
    TRIAL_DIRECTORY_BYTES = 88,       /* leaves room in sun_path for the name of a socket inside it */
    TRIAL_DURATION_MS_MAX = 600 * 1000,
    TRIAL_BLOCK_MS = 50, /* about; a block of timed messages between two looks at the machine */
    TRIAL_BLOCKS_MIN = 5,
};

/* How the crew is kept apart from the rest of the machine. "full": the leader was started in namespaces of
 * its own (common/cage_flags.h). "none": it runs like any process, with limits, and writes down what it
 * creates. */
#define CAGE_WORDS(WORD)                                                                                     \
    WORD(CAGE_FULL, "full")                                                                                  \
    WORD(CAGE_NONE, "none")
enum cage { CAGE_WORDS(WORDS_ENUM) CAGE_COUNT };
extern const char *const cage_names[CAGE_COUNT];

struct trial_spec {
    int64_t trial;                                /* the server's own number, for messages */
    char token[FRAME_TOKEN_BYTES];                /* said in every hello */
    char metrics_socket[TRIAL_SOCKET_PATH_BYTES]; /* the server listens there; outside directory */
    char directory[TRIAL_DIRECTORY_BYTES];        /* exists, empty, mode 0700; the crew's own. "full": a tmpfs
                                                     is mounted over it */
    struct ipc_case one;
    int64_t duration_ms; /* timed part, the pauses between blocks left out */
    int64_t warmup_ms;
    enum verify verify; /* in the timed part; the warm-up always verifies in full */
    int64_t seed;
    enum cage cage;
};

/* Number of timed blocks for a duration, at most FRAME_BLOCKS_MAX. */
size_t trial_spec_block_count(int64_t duration_ms);

/* Wall-clock bound of the whole trial, after which the leader kills its crew by itself. Allows for messages
 * of 16 MiB that crawl, and for the silence by which each block of a mechanism that loses messages may end.
 * The server's own bound, for a leader that hangs, should be a second or more above it. */
int64_t trial_spec_deadline_ms(const struct trial_spec *spec);

/* Appends the JSON document. */
void trial_spec_encode(const struct trial_spec *spec, struct text *out);
int trial_spec_decode(const char *bytes, size_t length, struct trial_spec *spec, struct err *err);

#endif
