/* What goes through a pipe, which way, in which order, and who waits: pipe(7). */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "workers/claims/check.h"
#include "workers/claims/subject.h"

static const char hello[] = "hello";

/* ---- 33: what is written into one end comes out of the other ---- */

static int check_ends(struct check *check)
{
    int fds[2], elsewhere[2];
    if (pipe2(fds, O_CLOEXEC) != 0 || pipe2(elsewhere, O_CLOEXEC) != 0)
        return check_skip(check, "pipe2", errno, "refused");
    int end = check_is_sabotaged(check, "other_pipe") ? elsewhere[0] : fds[0];
    struct subject *reader = subject_new();
    if (subject_fork(reader) == 0) {
        close(fds[1]);
        close(elsewhere[1]);
        reader->values[0] = read(end, reader->bytes, sizeof reader->bytes);
        _exit(0);
    }
    close(elsewhere[1]);
    int64_t written = write(fds[1], hello, sizeof hello);
    close(fds[1]);
    subject_wait(reader, SUBJECT_PATIENCE_MS);
    check_integer(check, "written_bytes", written);
    check_integer(check, "read_bytes", reader->values[0]);
    check_string(check, "read_text", reader->bytes);
    return check_conclude(
        check, reader->values[0] == sizeof hello && memcmp(reader->bytes, hello, sizeof hello) == 0, false);
}

const struct claim claim_33 = {
    .number = 33,
    .mechanism = "pipe",
    .source = "pipe(fds);\n"
              "if (fork() == 0)\n"
              "    n = read(fds[0], buffer, sizeof buffer);\n"
              "else\n"
              "    write(fds[1], \"hello\", 6);",
    .sabotages = {"other_pipe"},
    .run = check_ends,
};

/* ---- 34, 35: the other way round ---- */

struct backwards {
    int write_errno, read_errno; /* of write into [0] and read from [1] */
};

/* A socket pair, as the sabotage, carries both ways. */
static int try_backwards(struct check *check, struct backwards *seen)
{
    int fds[2];
    bool two_way = check_is_sabotaged(check, "socketpair");
    if ((two_way ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) : pipe2(fds, O_CLOEXEC)) != 0)
        return check_skip(check, two_way ? "socketpair" : "pipe2", errno, "refused");
    char byte = 'x';
    seen->write_errno = write(fds[0], &byte, 1) == 1 ? 0 : errno;
    seen->read_errno = read(fds[1], &byte, 1) == 1 ? 0 : errno;
    check_errno(check, "write_to_0_errno", seen->write_errno);
    check_errno(check, "read_from_1_errno", seen->read_errno);
    return 0;
}

static int check_misprint(struct check *check)
{
    struct backwards seen = {.write_errno = 0};
    int result = try_backwards(check, &seen);
    return result < 0 ? result : check_conclude(check, seen.write_errno == 0 && seen.read_errno == 0, false);
}

const struct claim claim_34 = {
    .number = 34,
    .mechanism = "pipe",
    .criteria = {"direction"},
    .source = "pipe(fds);               /* int read_fd = fds[0], write_fd = fds[1]; */\n"
              "write(fds[0], &byte, 1); /* as the sentence has it */\n"
              "read(fds[1], &byte, 1);",
    .sabotages = {"socketpair"},
    .run = check_misprint,
};

static int check_one_way(struct check *check)
{
    struct backwards seen = {.write_errno = 0};
    int result = try_backwards(check, &seen);
    return result < 0 ? result
                      : check_conclude(check, seen.write_errno == EBADF && seen.read_errno == EBADF, false);
}

const struct claim claim_35 = {
    .number = 35,
    .mechanism = "pipe",
    .criteria = {"direction"},
    .source = "pipe(fds);\n"
              "write(fds[0], &byte, 1); /* -1, EBADF */\n"
              "read(fds[1], &byte, 1);  /* -1, EBADF */",
    .sabotages = {"socketpair"},
    .run = check_one_way,
};

/* ---- 38: how much fits ---- */

enum { ODD_BYTES = 4097, PAGE_BYTES_MAX = 65536, FILL_BYTES_MAX = 4 << 20 };

/* Writes until the pipe is full, or for ever if somebody reads; the bytes that went in. */
static int64_t fill(const int *fds, size_t chunk_bytes, bool drained)
{
    static char chunk[PAGE_BYTES_MAX];
    int64_t filled = 0;
    for (ssize_t wrote; filled < FILL_BYTES_MAX && (wrote = write(fds[1], chunk, chunk_bytes)) > 0;
         filled += wrote)
        if (drained && read(fds[0], chunk, (size_t)wrote) != wrote)
            break;
    return filled;
}

static int check_capacity(struct check *check)
{
    int fds[2], odd[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0 || pipe2(odd, O_CLOEXEC | O_NONBLOCK) != 0)
        return check_skip(check, "pipe2", errno, "refused");
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    bool drained = check_is_sabotaged(check, "drain");
    int64_t capacity = fcntl(fds[1], F_GETPIPE_SZ);
    int64_t filled = fill(fds, page_bytes, drained), filled_odd = fill(odd, ODD_BYTES, drained);
    static char page[PAGE_BYTES_MAX];
    fcntl(odd[1], F_SETFL, 0);
    struct subject *writer = subject_new();
    if (subject_fork(writer) == 0) {
        subject_announce(writer);
        _exit(write(odd[1], page, ODD_BYTES) == ODD_BYTES ? 0 : 1);
    }
    bool blocks = subject_blocks(writer);
    subject_kill(writer);
    /* A little room is no room: slots are given back whole. */
    bool after_bytes = read(fds[0], page, 100) == 100 && write(fds[1], page, 1) == 1;
    bool after_page = read(fds[0], page, page_bytes) == (ssize_t)page_bytes && write(fds[1], page, 1) == 1;
    check_integer(check, "capacity_bytes", capacity);
    check_integer(check, "filled_by_pages_bytes", filled);
    check_integer(check, "filled_by_4097_bytes", filled_odd);
    check_boolean(check, "writer_blocks", blocks);
    check_boolean(check, "room_after_100_bytes_read", after_bytes);
    check_boolean(check, "room_after_a_page_read", after_page);
    return check_conclude(check, filled < FILL_BYTES_MAX && blocks, filled_odd < capacity || !after_bytes);
}

const struct claim claim_38 = {
    .number = 38,
    .mechanism = "pipe",
    .criteria = {"synchronises"},
    .source = "capacity = fcntl(fds[1], F_GETPIPE_SZ);\n"
              "while (write(fds[1], chunk, 4097) > 0) /* O_NONBLOCK */\n"
              "    filled += 4097;\n"
              "/* EAGAIN: full, though filled < capacity */",
    .sabotages = {"drain"},
    .run = check_capacity,
};

/* ---- 39: who waits for whom ---- */

/* Does a reader of a pipe whose other writers are gone see the end, or wait for itself? */
static bool reader_hangs(bool keeps_write_end)
{
    int fds[2];
    struct subject *reader = subject_new();
    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    if (subject_fork(reader) == 0) {
        char byte;
        if (!keeps_write_end)
            close(fds[1]);
        subject_announce(reader);
        _exit(read(fds[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(fds[1]);
    bool hangs = subject_blocks(reader);
    subject_kill(reader);
    close(fds[0]);
    return hangs;
}

static int check_waiting(struct check *check)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | (check_is_sabotaged(check, "nonblock") ? O_NONBLOCK : 0)) != 0)
        return check_skip(check, "pipe2", errno, "refused");
    struct subject *reader = subject_new();
    if (subject_fork(reader) == 0) {
        subject_announce(reader);
        reader->values[0] = read(fds[0], reader->bytes, sizeof reader->bytes);
        _exit(0);
    }
    bool waits = subject_blocks(reader);
    bool wrote = write(fds[1], hello, sizeof hello) == sizeof hello;
    subject_wait(reader, SUBJECT_PATIENCE_MS);
    bool woken = wrote && reader->values[0] == sizeof hello;

    struct subject *writer = subject_new();
    close(fds[0]);
    if (subject_fork(writer) == 0)
        _exit(write(fds[1], hello, 1) < 0 ? 1 : 0);
    int killed_by = subject_wait(writer, SUBJECT_PATIENCE_MS).signal;
    signal(SIGPIPE, SIG_IGN);
    int error = write(fds[1], hello, 1) < 0 ? errno : 0;
    bool hangs = reader_hangs(true), hangs_closed = reader_hangs(false);
    check_boolean(check, "reader_waits_for_data", waits);
    check_integer(check, "woken_with_bytes", reader->values[0]);
    check_boolean(check, "reader_with_a_write_end_of_its_own_hangs", hangs);
    check_boolean(check, "reader_without_hangs", hangs_closed);
    check_signal(check, "writer_without_reader_signal", killed_by);
    check_errno(check, "writer_ignoring_it_errno", error);
    return check_conclude(check, waits && woken, hangs);
}

const struct claim claim_39 = {
    .number = 39,
    .mechanism = "pipe",
    .criteria = {"synchronises"},
    .source = "close(fds[1]); /* without this the reader keeps a writer alive: itself */\n"
              "while ((n = read(fds[0], buffer, sizeof buffer)) > 0)\n"
              "    use(buffer, n);\n"
              "/* n == 0: every write end is closed */",
    .sabotages = {"nonblock"},
    .run = check_waiting,
};

/* ---- 40: which end is which ---- */

static int check_access_modes(struct check *check)
{
    static const char *const names[] = {
        [O_RDONLY] = "O_RDONLY", [O_WRONLY] = "O_WRONLY", [O_RDWR] = "O_RDWR"};
    int fds[2];
    bool two_way = check_is_sabotaged(check, "socketpair");
    if ((two_way ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) : pipe2(fds, O_CLOEXEC)) != 0)
        return check_skip(check, two_way ? "socketpair" : "pipe2", errno, "refused");
    int first = fcntl(fds[0], F_GETFL) & O_ACCMODE, second = fcntl(fds[1], F_GETFL) & O_ACCMODE;
    check_string(check, "mode_of_0", names[first]);
    check_string(check, "mode_of_1", names[second]);
    return check_conclude(check, first == O_RDONLY && second == O_WRONLY, false);
}

const struct claim claim_40 = {
    .number = 40,
    .mechanism = "pipe",
    .criteria = {"direction"},
    .source = "pipe(fds);\n"
              "fcntl(fds[0], F_GETFL) & O_ACCMODE; /* O_RDONLY */\n"
              "fcntl(fds[1], F_GETFL) & O_ACCMODE; /* O_WRONLY */",
    .sabotages = {"socketpair"},
    .run = check_access_modes,
};

/* ---- 72: within one process ---- */

struct writing_thread {
    int end;
    pid_t pid;
    ssize_t wrote;
};

static void *write_hello(void *context)
{
    struct writing_thread *writing = context;
    writing->pid = getpid();
    writing->wrote = write(writing->end, hello, sizeof hello);
    return NULL;
}

static int check_threads(struct check *check)
{
    int fds[2], elsewhere[2];
    char bytes[sizeof hello] = "";
    if (pipe2(fds, O_CLOEXEC) != 0 || pipe2(elsewhere, O_CLOEXEC) != 0)
        return check_skip(check, "pipe2", errno, "refused");
    pthread_t thread;
    struct writing_thread writing = {.end = check_is_sabotaged(check, "other_pipe") ? elsewhere[1] : fds[1]};
    int error = pthread_create(&thread, NULL, write_hello, &writing);
    if (error != 0)
        return check_skip(check, "pthread_create", error, "refused");
    pthread_join(thread, NULL);
    close(fds[1]);
    ssize_t got = read(fds[0], bytes, sizeof bytes);
    check_boolean(check, "one_process", writing.pid == getpid());
    check_integer(check, "written_bytes", writing.wrote);
    check_integer(check, "read_bytes", got);
    return check_conclude(check, got == sizeof hello && memcmp(bytes, hello, sizeof hello) == 0, false);
}

const struct claim claim_72 = {
    .number = 72,
    .mechanism = "pipe",
    .criteria = {"reach"},
    .source = "pipe(fds);\n"
              "pthread_create(&thread, NULL, write_hello, &fds[1]);\n"
              "n = read(fds[0], buffer, sizeof buffer); /* in main */",
    .sabotages = {"other_pipe"},
    .run = check_threads,
};

/* ---- 73: in order ---- */

enum { ORDER_WORDS = 256 << 20 >> 3, ORDER_CHUNK_WORDS = 8192 };

/* The numbers from 0 on, eight bytes each, in pieces of random length. */
_Noreturn static void write_count(int fd, int64_t words)
{
    static uint64_t chunk[ORDER_CHUNK_WORDS];
    uint64_t next = 0, dice = 88172645463325252u;
    while (words > 0) {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        size_t count = (size_t)(dice % ORDER_CHUNK_WORDS) + 1;
        if ((int64_t)count > words)
            count = (size_t)words;
        for (size_t i = 0; i < count; i++)
            chunk[i] = next++;
        const char *at = (const char *)chunk;
        for (size_t left = count * sizeof *chunk; left > 0;) {
            ssize_t wrote = write(fd, at, left);
            if (wrote <= 0)
                _exit(1);
            at += wrote;
            left -= (size_t)wrote;
        }
        words -= (int64_t)count;
    }
    _exit(0);
}

static int check_order(struct check *check)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return check_skip(check, "pipe2", errno, "refused");
    int writers = check_is_sabotaged(check, "two_writers") ? 2 : 1;
    for (int i = 0; i < writers; i++) {
        struct subject *writer = subject_new();
        if (subject_fork(writer) == 0)
            write_count(fds[1], ORDER_WORDS / writers);
    }
    close(fds[1]);
    static union {
        uint64_t words[ORDER_CHUNK_WORDS];
        char bytes[ORDER_CHUNK_WORDS * sizeof(uint64_t)];
    } buffer;
    int64_t received = 0, misplaced = 0;
    uint64_t expected = 0;
    size_t held = 0; /* of a word that came in two parts */
    for (ssize_t got; (got = read(fds[0], buffer.bytes + held, sizeof buffer - held)) > 0;) {
        received += got;
        size_t bytes = held + (size_t)got, whole = bytes / sizeof(uint64_t);
        for (size_t i = 0; i < whole; i++, expected++)
            misplaced += buffer.words[i] != expected;
        held = bytes % sizeof(uint64_t);
        memmove(buffer.bytes, buffer.bytes + bytes - held, held);
    }
    check_integer(check, "writers_count", writers);
    check_integer(check, "received_bytes", received);
    check_integer(check, "misplaced_words_count", misplaced);
    return check_conclude(check, received == (int64_t)ORDER_WORDS * 8 && misplaced == 0, false);
}

const struct claim claim_73 = {
    .number = 73,
    .mechanism = "pipe",
    .criteria = {"boundaries"},
    .source = "/* writer: 0, 1, 2, … in random pieces */\n"
              "for (n = 0; n < 32 Mi; n += count)\n"
              "    write(fds[1], &numbers[n], count * 8);\n"
              "while (read(fds[0], &number, 8) == 8)   /* reader */\n"
              "    misplaced += number != expected++;",
    .sabotages = {"two_writers"},
    .run = check_order,
};
