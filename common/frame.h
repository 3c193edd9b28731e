/* frame: what a crew and the server say to each other over the metrics socket.
 *
 * The socket is AF_UNIX SOCK_SEQPACKET: one frame is one datagram is one JSON object with a member "type", at
 * most FRAME_BYTES_MAX long, so that a worker can be written in any language. Decoding is pure and exact: a
 * frame with a missing, unknown or out-of-range member is refused whole. A result that is longer travels as
 * numbered "part" frames whose texts, joined in order, are the result frame.
 *
 * One trial, seen from the server:
 *   leader   hello                                    … exit (one for each worker that ended badly) … bye
 *   worker   hello, ready  ->  go  ->  sample … result
 * The leader connects first; workers connect when they have attached. go is the start barrier: the server
 * sends it to every worker once all of them are ready. */
#ifndef IPCLAB_COMMON_FRAME_H
#define IPCLAB_COMMON_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/case.h"
#include "common/err.h"
#include "common/histogram.h"
#include "common/text.h"

enum {
    FRAME_BYTES_MAX = 64 * 1024,
    FRAME_TOKEN_BYTES = 33, /* 32 hexadecimal digits */
    FRAME_CAUSE_BYTES = 200,
    FRAME_BLOCKS_MAX = 512,
    FRAME_PART_TEXT_MAX = 24 * 1024, /* before escaping, so that a part always fits */
    FRAME_RESULT_BYTES_MAX = 1024 * 1024,
};

#define FRAME_WORDS(WORD)                                                                                    \
    WORD(FRAME_HELLO, "hello")                                                                               \
    WORD(FRAME_READY, "ready")                                                                               \
    WORD(FRAME_GO, "go")                                                                                     \
    WORD(FRAME_SAMPLE, "sample")                                                                             \
    WORD(FRAME_RESULT, "result")                                                                             \
    WORD(FRAME_PART, "part")                                                                                 \
    WORD(FRAME_EXIT, "exit")                                                                                 \
    WORD(FRAME_BYE, "bye")
enum frame_type { FRAME_WORDS(WORDS_ENUM) FRAME_TYPE_COUNT };
extern const char *const frame_type_names[FRAME_TYPE_COUNT];

enum { FRAME_WORKER_LEADER = -1 };

/* Who speaks. The token is the trial's; a connection that does not know it is closed. */
struct frame_hello {
    char token[FRAME_TOKEN_BYTES];
    int worker; /* 0 … senders + receivers - 1, or FRAME_WORKER_LEADER */
};

/* The channel is attached and prefaulted, the first warm-up may begin. */
struct frame_ready {
    int64_t buffer_bytes; /* granted by the kernel, 0 where the word means nothing */
    int cpu;              /* pinned to it, -1 when free */
};

/* Live progress, sent between blocks, about five a second. */
struct frame_sample {
    int64_t elapsed_ns;
    uint64_t messages; /* since go, warm-up left out */
    double messages_per_s;
    double bytes_per_s;
    double latency_p50_ns; /* NAN for a stream */
};

struct frame_integrity {
    uint64_t lost, torn, duplicated, reordered;
};

/* One block: an unbroken stretch of timed messages. */
struct frame_block {
    int64_t begin_ns; /* since a moment all workers of the crew share, about go */
    int64_t duration_ns;
    uint64_t messages;
    double latency_p50_ns; /* NAN for a stream */
};

struct frame_result {
    uint64_t messages;   /* timed; a stream counts what was received */
    int64_t duration_ns; /* sum of the blocks */
    int64_t warmup_ns;
    uint64_t batch; /* round trips under one pair of clock reads; 1 = each alone */
    int64_t cpu_user_ns, cpu_system_ns;
    int64_t voluntary_switches, involuntary_switches;
    int64_t minor_faults, major_faults;
    uint64_t system_calls;  /* made by the mechanism's send and receive */
    int64_t run_delay_ns;   /* runnable, but not running (schedstat) */
    int64_t gap_ns_max;     /* longest time between two clock reads of the timed loop */
    int64_t steal_ns;       /* by the hypervisor from its CPU; when free, the mean of those it may use */
    int64_t throttled;      /* periods in which its control groups had used up their CPU time */
    int64_t frequency_hz;   /* of that CPU right after the last block; 0 where the kernel does not say */
    int64_t backlog_ns;     /* paced: how late it was with sending when the last block ended */
    bool backlog_grew;      /* paced: in every block of the second half */
    double autocorrelation; /* lag 1, of consecutive latencies; NAN when unknown */
    double drift_ratio; /* median latency (or time per message) of the second half over the first; NAN when
                           unknown */
    struct frame_integrity integrity;
    size_t block_count;
    struct frame_block blocks[FRAME_BLOCKS_MAX];
    size_t distance_count;
    double
        distance_ns[FRAME_BLOCKS_MAX + 1]; /* one-way cache-line time before, between and after the blocks */
    bool has_histogram;
    struct histogram histogram;
};

struct frame_exit {
    int worker;                    /* or FRAME_WORKER_LEADER: the crew could not be set up */
    char cause[FRAME_CAUSE_BYTES]; /* "killed by signal 9 (Killed)", "exited with status 1: …" */
};

struct frame_part {
    int number; /* 1 … of */
    int of;
    struct text text; /* owned by the frame: frame_fini */
};

struct frame {
    enum frame_type type;
    union {
        struct frame_hello hello;
        struct frame_ready ready;
        struct frame_sample sample;
        struct frame_result result;
        struct frame_part part;
        struct frame_exit exit;
    };
};

/* Appends the frame's JSON. */
void frame_encode(const struct frame *frame, struct text *out);
/* Fills *frame from one datagram (or from joined parts). Nothing is owned unless it is a part. */
int frame_decode(const char *bytes, size_t length, struct frame *frame, struct err *err);
void frame_fini(struct frame *frame);

/* Sends one frame on a blocking or non-blocking SEQPACKET socket, in parts when it is too long. MSG_NOSIGNAL.
 */
int frame_send(int socket, const struct frame *frame, struct err *err);

#endif
