/* Lab 8. How many bytes go into a pipe that nobody empties?
 *
 * A pipe is a queue in the kernel with a bound. A writer puts chunks into it, a reader takes none until the
 * writer is stuck; then it asks how many bytes are in there. The bound is not in bytes: the kernel keeps them
 * in pages, and a page that is partly filled is as taken as a full one. pipe(7), fcntl(2) F_SETPIPE_SZ. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/labs/lab.h"

enum { CHUNK_BYTES, CAPACITY_BYTES, DELAY_MS };
enum { WRITER, READER };
enum { SIP_BYTES = 100, MORE_CHUNKS = 8, LOOK_MS = 1000, RESUME_MS = 500, SAMPLES = 160 };
enum { CAPACITY_BYTES_MAX = 1 << 20 }; /* what pipe-max-size is, unless somebody changed it */

struct gauge {
    int ends[2];
    int64_t page_bytes;
    int64_t granted_bytes, writes_returned, blocked_ns;
    int64_t full_bytes, first_page_bytes;
    bool is_stuck_after_sip, goes_on_after_page;
    _Atomic bool is_draining;
    int refused; /* errno of F_SETPIPE_SZ */
    /* For the page: how full it was, when. */
    _Atomic uint32_t sample_count;
    struct {
        int bytes, pages;
        _Atomic int64_t at_ns; /* 0 until the others are known */
    } samples[SAMPLES];
    int samples_shown;
};

static int bytes_in(int fd)
{
    int bytes = 0;
    ioctl(fd, FIONREAD, &bytes);
    return bytes;
}

static void sample(struct gauge *gauge, int fd, int pages)
{
    uint32_t number = atomic_fetch_add(&gauge->sample_count, 1);
    if (number >= SAMPLES)
        return;
    gauge->samples[number].bytes = bytes_in(fd);
    gauge->samples[number].pages = pages;
    gauge->samples[number].at_ns = clock_now_ns();
}

/* Bounds and buffers go by the machine's page, which is 64 KiB on some. */
static char *allocate(struct lab *lab, size_t bytes)
{
    char *memory = malloc(bytes);
    if (memory == NULL)
        lab_give_up(lab, ENOMEM, "a buffer");
    return memory;
}

/* ---- the reader: waits until the writer is stuck, then takes a sip, a page, and all the rest ---- */

static void read_until_end(struct gauge *gauge, struct timeline *me, int in, char *page)
{
    size_t page_bytes = (size_t)gauge->page_bytes;
    while (TRACE(me, read(in, page, page_bytes), "%d, …, %zu", in, page_bytes) > 0)
        sample(gauge, in, -1);
}

static void reader(struct lab *lab, struct timeline *me)
{
    struct gauge *gauge = lab_shared(lab);
    int in = gauge->ends[0], bytes;
    unsigned delay_us = (unsigned)lab_value(lab, DELAY_MS) * 1000;
    char *page = allocate(lab, (size_t)gauge->page_bytes);

    TRACE(me, close(gauge->ends[1]), "%d", gauge->ends[1]);
    while (!lab_await_asleep(lab, WRITER, LOOK_MS))
        ; /* a million chunks of one byte take a while */
    TRACE(me, ioctl(in, FIONREAD, &bytes), "%d, FIONREAD", in);
    gauge->full_bytes = bytes;
    sample(gauge, in, (int)(gauge->granted_bytes / gauge->page_bytes));
    TRACE(me, usleep(delay_us), "%u", delay_us);

    TRACE(me, read(in, page, SIP_BYTES), "%d, …, %d", in, SIP_BYTES);
    lab_sleep_ms(20);
    gauge->is_stuck_after_sip = bytes_in(in) == bytes - SIP_BYTES;
    sample(gauge, in, -1);

    size_t rest = (size_t)gauge->first_page_bytes - SIP_BYTES;
    atomic_store(&gauge->is_draining, true);
    TRACE(me, read(in, page, rest), "%d, …, %zu", in, rest);
    for (int ms = 0; ms < RESUME_MS && !gauge->goes_on_after_page; ms++) {
        lab_sleep_ms(1);
        gauge->goes_on_after_page = bytes_in(in) > bytes - gauge->first_page_bytes;
    }
    sample(gauge, in, -1);

    read_until_end(gauge, me, in, page);
    free(page);
}

/* ---- the writer ---- */

/* The kernel appends to the last page only the part of a chunk that is no whole page, and only if it fits
 * there; all else begins a page (pipe_write in fs/pipe.c). Counts pages as the kernel does. */
static int count_pages(int pages, size_t chunk_bytes, size_t page_bytes, size_t *last_page_bytes)
{
    size_t odd = chunk_bytes % page_bytes;
    if (odd > 0 && pages > 0 && *last_page_bytes + odd <= page_bytes) {
        *last_page_bytes += odd;
        chunk_bytes -= odd;
    }
    if (chunk_bytes > 0)
        *last_page_bytes = (chunk_bytes - 1) % page_bytes + 1;
    return pages + (int)((chunk_bytes + page_bytes - 1) / page_bytes);
}

static void fill(struct gauge *gauge, struct timeline *me, int out, char *chunk, size_t chunk_bytes)
{
    size_t last_page_bytes = 0;
    int64_t since_sample = 0;
    int pages = 0, more = 0;
    memset(chunk, 'x', chunk_bytes);
    while (more < MORE_CHUNKS) {
        int64_t begin_ns = clock_now_ns();
        ssize_t wrote = TRACE(me, write(out, chunk, chunk_bytes), "%d, …, %zu", out, chunk_bytes);
        if (wrote < 0)
            return;
        int64_t took_ns = clock_now_ns() - begin_ns;
        if (atomic_load(&gauge->is_draining)) {
            gauge->blocked_ns = took_ns > gauge->blocked_ns ? took_ns : gauge->blocked_ns;
            more++;
            continue;
        }
        gauge->writes_returned++;
        pages = count_pages(pages, chunk_bytes, (size_t)gauge->page_bytes, &last_page_bytes);
        since_sample += wrote;
        if (since_sample >= gauge->granted_bytes / 64) {
            sample(gauge, out, pages);
            since_sample = 0;
        }
    }
}

static void writer(struct lab *lab, struct timeline *me)
{
    struct gauge *gauge = lab_shared(lab);
    size_t chunk_bytes = (size_t)lab_value(lab, CHUNK_BYTES);
    int *ends = gauge->ends, capacity_bytes = (int)lab_value(lab, CAPACITY_BYTES);

    TRACE(me, pipe(ends), "ends");
    int granted = TRACE(me, fcntl(ends[1], F_SETPIPE_SZ, capacity_bytes), "%d, F_SETPIPE_SZ, %d", ends[1],
                        capacity_bytes);
    if (granted < 0) {
        gauge->refused = errno;
        return;
    }
    gauge->granted_bytes = granted;
    lab_fork(lab, me, "reader", reader);
    TRACE(me, close(ends[0]), "%d", ends[0]);

    char *chunk = allocate(lab, chunk_bytes);
    fill(gauge, me, ends[1], chunk, chunk_bytes);
    free(chunk);
    TRACE(me, close(ends[1]), "%d", ends[1]);
}

/* ---- what the page sees ---- */

static void write_level(struct json_writer *writer, const struct gauge *gauge, int number)
{
    json_write_integer(writer, "used_bytes", gauge->samples[number].bytes);
    if (gauge->samples[number].pages >= 0)
        json_write_integer(writer, "used_slots", gauge->samples[number].pages);
    else
        json_write_null(writer, "used_slots"); /* while both write and read, nobody can count them */
}

static int samples_in(struct gauge *gauge)
{
    int count = 0;
    while (count < SAMPLES && atomic_load(&gauge->samples[count].at_ns) != 0)
        count++;
    return count;
}

static void show_level(struct lab *lab, struct gauge *gauge, int number, bool with_history)
{
    struct lab_panel panel;
    struct json_writer *writer = lab_panel_begin(&panel, lab, "gauge");
    panel.at_ns = gauge->samples[number].at_ns;
    write_level(writer, gauge, number);
    json_write_integer(writer, "capacity_bytes", gauge->granted_bytes);
    json_write_integer(writer, "slots", gauge->granted_bytes / gauge->page_bytes);
    if (with_history)
        json_begin_array(writer, "history");
    for (int i = 0; with_history && i <= number; i++) {
        json_begin_object(writer, NULL);
        json_write_integer(writer, "at_ns", lab_since_start_ns(lab, gauge->samples[i].at_ns));
        write_level(writer, gauge, i);
        json_end_object(writer);
    }
    if (with_history)
        json_end_array(writer);
    lab_panel_end(&panel);
}

static void show_gauge(struct lab *lab)
{
    struct gauge *gauge = lab_shared(lab);
    for (; gauge->samples_shown < samples_in(gauge); gauge->samples_shown++)
        show_level(lab, gauge, gauge->samples_shown, false);
}

static void conclude(struct lab *lab, struct gauge *gauge)
{
    if (samples_in(gauge) > 0)
        show_level(lab, gauge, samples_in(gauge) - 1, true);
    struct json_writer *evidence = lab_evidence(lab);
    int64_t chunk_bytes = lab_value(lab, CHUNK_BYTES);
    json_write_integer(evidence, "chunk_bytes", chunk_bytes);
    json_write_integer(evidence, "capacity_bytes", gauge->granted_bytes);
    json_write_integer(evidence, "slots", gauge->granted_bytes / gauge->page_bytes);
    json_write_integer(evidence, "bytes_when_blocked", gauge->full_bytes);
    json_write_integer(evidence, "unused_bytes", gauge->granted_bytes - gauge->full_bytes);
    json_write_integer(evidence, "writes_returned", gauge->writes_returned);
    json_write_integer(evidence, "bytes_of_blocked_write",
                       gauge->full_bytes - gauge->writes_returned * chunk_bytes);
    json_write_integer(evidence, "blocked_ms", clock_nearest_ms(gauge->blocked_ns));
    json_write_boolean(evidence, "still_blocked_after_100_bytes", gauge->is_stuck_after_sip);
    json_write_integer(evidence, "first_page_bytes", gauge->first_page_bytes);
    json_write_boolean(evidence, "resumed_after_first_page", gauge->goes_on_after_page);
    lab_outcome_integer(lab, gauge->full_bytes);
    lab_explain(lab, gauge->full_bytes < gauge->granted_bytes ? "page_slots"
                     : chunk_bytes > gauge->granted_bytes     ? "one_write"
                                                              : "exact");
}

static int run(struct lab *lab, struct err *err)
{
    struct gauge *gauge = lab_shared(lab);
    int64_t chunk_bytes = lab_value(lab, CHUNK_BYTES), page_bytes = sysconf(_SC_PAGESIZE);
    gauge->page_bytes = page_bytes;
    gauge->first_page_bytes = chunk_bytes >= page_bytes ? page_bytes : page_bytes / chunk_bytes * chunk_bytes;
    lab_on_look(lab, show_gauge);
    if (lab_start(lab, "writer", writer, err) < 0)
        return -err->code;
    lab_await(lab, LAB_ALL, 0);
    if (gauge->refused != 0)
        lab_skip(lab, "fcntl", gauge->refused, "pipe_max_size");
    else
        conclude(lab, gauge);
    return 0;
}

const struct lab_definition pipe_gauge_lab = {
    .name = "pipe_gauge",
    .number = 8,
    .source = __FILE__,
    .mechanisms = (const char *const[]){"pipe", NULL},
    .panels = (const char *const[]){"lanes", "gauge", NULL},
    .claims = (const int[]){38, 39, 0},
    .parameters = {[CHUNK_BYTES] = {.name = "chunk_bytes", .min = 1, .max_pages = 16, .standard_pages = 1},
                   [CAPACITY_BYTES] = {.name = "capacity_bytes",
                                       .min_pages = 1,
                                       .max = CAPACITY_BYTES_MAX,
                                       .standard_pages = 16},
                   [DELAY_MS] = {.name = "delay_ms", .min = 0, .max = 2000, .standard = 400}},
    .prediction = {.type = LAB_INTEGER, .min = 0, .max = CAPACITY_BYTES_MAX},
    .shared_bytes = sizeof(struct gauge),
    .run = run,
};
