/* What goes through a FIFO: when open returns, what a terminal and stdio make of it, many at both ends:
 * fifo(7), pipe(7). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "workers/claims/check.h"
#include "workers/claims/subject.h"
#include "workers/claims/terminal.h"

enum { PATH_BYTES = ENCLOSURE_PATH_BYTES + 16, LIMIT_BYTES = 4096, NOTHING_MS = 200 };

static int make_fifo(struct check *check, char *path)
{
    snprintf(path, PATH_BYTES, "%s/fifo", check->enclosure->directory);
    return mkfifo(path, 0600) != 0 ? check_skip(check, "mkfifo", errno, "refused") : 0;
}

/* Both ends at once, which only Linux allows without waiting: fifo(7). */
static int open_ends(const char *path, int fds[2])
{
    fds[0] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    fds[1] = open(path, O_WRONLY | O_CLOEXEC);
    return fds[0] < 0 || fds[1] < 0 || fcntl(fds[0], F_SETFL, 0) != 0 ? -errno : 0;
}

/* ---- 49: a person types into it ---- */

/* cat > fifo: what the terminal gives goes on. */
_Noreturn static void copy_terminal(int terminal, int fifo)
{
    char bytes[64];
    for (;;) {
        ssize_t got = read(terminal, bytes, sizeof bytes);
        if (got <= 0 || write(fifo, bytes, (size_t)got) != got)
            _exit(0);
    }
}

/* What arrives after these keys, "" if nothing does for a while; false at the end. */
static bool type(int keyboard, const char *keys, int fifo, int patience_ms, char *arrived)
{
    size_t length = strlen(keys);
    struct pollfd data = {.fd = fifo, .events = POLLIN};
    arrived[0] = '\0';
    if (write(keyboard, keys, length) != (ssize_t)length)
        return false;
    if (poll(&data, 1, patience_ms) <= 0)
        return true;
    ssize_t got = read(fifo, arrived, 63);
    arrived[got < 0 ? 0 : got] = '\0';
    return got > 0;
}

static int check_typing(struct check *check)
{
    char path[PATH_BYTES], line[64], pending[64], flushed[64], last[64];
    int fds[2], terminal[2];
    int result = make_fifo(check, path);
    if (result != 0)
        return result;
    if (open_ends(path, fds) < 0 || terminal_open(terminal) < 0)
        return check_skip(check, "posix_openpt", errno, "refused");
    struct termios settings;
    tcgetattr(terminal[1], &settings);
    settings.c_lflag &= ~(tcflag_t)ECHO;
    if (check_is_sabotaged(check, "raw"))
        cfmakeraw(&settings);
    tcsetattr(terminal[1], TCSANOW, &settings);
    struct subject *cat = subject_new();
    if (subject_fork(cat) == 0) {
        close(fds[0]);
        copy_terminal(terminal[1], fds[1]);
    }
    close(fds[1]);
    type(terminal[0], "ab\n", fds[0], SUBJECT_PATIENCE_MS, line);
    type(terminal[0], "cd", fds[0], NOTHING_MS, pending);
    bool open_after_first = type(terminal[0], "\x04", fds[0], SUBJECT_PATIENCE_MS, flushed);
    bool open_after_second = type(terminal[0], "\x04", fds[0], SUBJECT_PATIENCE_MS, last);
    check_string(check, "after_enter", line);
    check_string(check, "without_enter", pending);
    check_string(check, "after_ctrl_d_in_the_line", flushed);
    check_boolean(check, "open_after_ctrl_d_in_the_line", open_after_first);
    check_boolean(check, "open_after_ctrl_d_again", open_after_second);
    bool shown = strcmp(line, "ab\n") == 0 && pending[0] == '\0' && !open_after_second;
    return check_conclude(check, shown, strcmp(flushed, "cd") == 0 && open_after_first);
}

const struct claim claim_49 = {
    .number = 49,
    .mechanism = "fifo",
    .source = "$ cat > fifo\n"
              "ab<Enter>        # read(0) returns \"ab\\n\", and cat writes it\n"
              "cd<Ctrl-D>       # read(0) returns \"cd\": not an end\n"
              "<Ctrl-D>         # read(0) returns 0: cat ends, the FIFO closes",
    .sabotages = {"raw"},
    .run = check_typing,
};

/* ---- 53: open waits for the other side ---- */

static int check_rendezvous(struct check *check)
{
    char path[PATH_BYTES];
    int result = make_fifo(check, path);
    if (result != 0)
        return result;
    int alone = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) < 0 ? errno : 0;
    struct subject *reader = subject_new();
    int flags = check_is_sabotaged(check, "read_write") ? O_RDWR : O_RDONLY;
    if (subject_fork(reader) == 0) {
        subject_announce(reader);
        _exit(open(path, flags | O_CLOEXEC) < 0);
    }
    bool waits = subject_blocks(reader);
    int writer = waits ? open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    struct subject_end end = subject_wait(reader, SUBJECT_PATIENCE_MS);
    bool returns = waits && writer >= 0 && !end.timed_out && end.status == 0;
    int both = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) < 0 ? errno : 0;
    int reading_end = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int backwards = write(reading_end, "x", 1) < 0 ? errno : 0;
    check_boolean(check, "open_to_read_waits", waits);
    check_boolean(check, "open_returns_when_a_writer_opens", returns);
    check_errno(check, "nonblocking_open_to_write_alone_errno", alone);
    check_errno(check, "open_for_both_alone_errno", both);
    check_errno(check, "write_to_reading_end_errno", backwards);
    return check_conclude(check, returns && backwards == EBADF, alone == ENXIO || both == 0);
}

const struct claim claim_53 = {
    .number = 53,
    .mechanism = "fifo",
    .criteria = {"synchronises", "direction"},
    .source = "/* sleeps until somebody opens to write */\n"
              "fd = open(path, O_RDONLY);\n"
              "fd = open(path, O_WRONLY | O_NONBLOCK); /* -1, ENXIO: there is no reader */\n"
              "fd = open(path, O_RDWR);                /* returns at once, on Linux */",
    .sabotages = {"read_write"},
    .run = check_rendezvous,
};

/* ---- 54: fscanf ---- */

enum { LONG_WORD = 300, NAIVE_BUFFER = 64 };

static int check_fscanf(struct check *check)
{
    char path[PATH_BYTES], line[2 * LONG_WORD], word[2 * LONG_WORD] = "", second[2 * LONG_WORD] = "";
    int fds[2];
    int result = make_fifo(check, path);
    if (result != 0)
        return result;
    if (open_ends(path, fds) < 0)
        return check_skip(check, "open", errno, "refused");
    bool one_word = check_is_sabotaged(check, "one_word");
    memset(line, 'x', LONG_WORD);
    snprintf(line + LONG_WORD, sizeof line - LONG_WORD, "\n");
    const char *text = one_word ? "hello\n" : "hello world\n";
    bool wrote = write(fds[1], text, strlen(text)) > 0 && write(fds[1], line, strlen(line)) > 0;
    close(fds[1]);
    FILE *stream = wrote ? fdopen(fds[0], "r") : NULL;
    if (stream == NULL)
        return check_skip(check, "fdopen", errno, "refused");
    bool scanned = fscanf(stream, "%599s", word) == 1; /* what a plain %s would store in its buffer */
    int next = fgetc(stream);
    char rest[32] = "";
    if (next != '\n' && fgets(rest, sizeof rest, stream) == NULL)
        rest[0] = '\0';
    bool scanned_long = fscanf(stream, "%599s", second) == 1;
    size_t stored = strlen(second);
    check_string(check, "sent_text", text);
    check_string(check, "scanned_text", word);
    check_string(check, "left_text", rest);
    check_integer(check, "stored_for_a_long_word_bytes", (int64_t)stored + 1);
    check_integer(check, "usual_buffer_bytes", NAIVE_BUFFER);
    return check_conclude(check, scanned && scanned_long && strcmp(word, "hello") == 0, rest[0] != '\0');
}

const struct claim claim_54 = {
    .number = 54,
    .mechanism = "fifo",
    .criteria = {"boundaries"},
    .source = "char word[64];\n"
              "fscanf(stream, \"%s\", word);   /* one word, however long */\n"
              "fscanf(stream, \"%63s\", word); /* at most what fits */\n"
              "fgets(line, sizeof line, stream); /* a line */",
    .sabotages = {"one_word"},
    .run = check_fscanf,
};

/* ---- 55: many at both ends ---- */

enum { WRITERS = 3, READERS = 2, MESSAGES = 500, MESSAGE_BYTES = 64 };

_Noreturn static void write_messages(int fd, char letter, int count, size_t bytes, size_t piece_bytes)
{
    static char message[65536];
    memset(message, letter, sizeof message);
    for (int i = 0; i < count; i++)
        for (size_t sent = 0; sent < bytes; sent += piece_bytes) {
            size_t length = bytes - sent < piece_bytes ? bytes - sent : piece_bytes;
            if (write(fd, message, length) != (ssize_t)length)
                _exit(1);
            if (sent + length < bytes)
                sched_yield(); /* a message in two writes is to be seen torn */
        }
    _exit(0);
}

static int check_many(struct check *check)
{
    char path[PATH_BYTES];
    int fds[2];
    int result = make_fifo(check, path);
    if (result != 0)
        return result;
    if (open_ends(path, fds) < 0)
        return check_skip(check, "open", errno, "refused");
    struct subject *readers[READERS], *writers[WRITERS];
    for (int i = 0; i < READERS; i++) {
        readers[i] = subject_new();
        if (subject_fork(readers[i]) == 0) {
            close(fds[1]);
            ssize_t got;
            while ((got = read(fds[0], readers[i]->bytes, MESSAGE_BYTES)) > 0)
                readers[i]->values[0] += got;
            readers[i]->values[1] = got == 0;
            _exit(0);
        }
    }
    close(fds[0]);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = subject_new();
        if (subject_fork(writers[i]) == 0)
            write_messages(fds[1], (char)('a' + i), MESSAGES, MESSAGE_BYTES, MESSAGE_BYTES);
    }
    for (int i = 0; i < WRITERS; i++)
        subject_wait(writers[i], SUBJECT_PATIENCE_MS);
    if (!check_is_sabotaged(check, "keep_open"))
        close(fds[1]);
    int64_t received = 0, ends = 0;
    for (int i = 0; i < READERS; i++) {
        subject_wait(readers[i], SUBJECT_PATIENCE_MS / 4);
        received += readers[i]->values[0];
        ends += readers[i]->values[1];
    }
    int64_t sent = (int64_t)WRITERS * MESSAGES * MESSAGE_BYTES;
    check_integer(check, "writers_count", WRITERS);
    check_integer(check, "readers_count", READERS);
    check_integer(check, "sent_bytes", sent);
    check_integer(check, "received_bytes", received);
    check_integer(check, "readers_that_saw_the_end_count", ends);
    return check_conclude(check, received == sent && ends == READERS, false);
}

const struct claim claim_55 = {
    .number = 55,
    .mechanism = "fifo",
    .criteria = {"count"},
    .source = "for (i = 0; i < 3; i++) if (fork() == 0) write_messages(fd);\n"
              "for (i = 0; i < 2; i++) if (fork() == 0) read_messages(fd);\n"
              "/* a reader's read() returns 0 when the last of the three has closed */",
    .sabotages = {"keep_open"},
    .run = check_many,
};

/* ---- 56: whole writes ---- */

enum { ATOMIC_WRITES = 200, REPEATS = 5, LARGE_BYTES = 60000 };

/* Frames of this size that hold letters of more than one writer. */
static int count_torn(const char *path, size_t bytes, size_t piece_bytes)
{
    int fds[2];
    struct subject *writers[WRITERS];
    if (open_ends(path, fds) < 0)
        return -1;
    struct gate *gate = subject_memory(sizeof *gate);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = subject_new();
        if (subject_fork(writers[i]) == 0) {
            close(fds[0]);
            gate_pass(gate, WRITERS);
            write_messages(fds[1], (char)('a' + i), ATOMIC_WRITES, bytes, piece_bytes);
        }
    }
    close(fds[1]);
    static char frame[LARGE_BYTES];
    int torn = 0;
    for (;;) {
        size_t held = 0;
        for (ssize_t got; held < bytes && (got = read(fds[0], frame + held, bytes - held)) > 0;)
            held += (size_t)got;
        if (held < bytes)
            break;
        torn += memcmp(frame, frame + 1, bytes - 1) != 0;
    }
    close(fds[0]);
    for (int i = 0; i < WRITERS; i++)
        subject_wait(writers[i], SUBJECT_PATIENCE_MS);
    return torn;
}

static int check_atomic(struct check *check)
{
    char path[PATH_BYTES];
    int result = make_fifo(check, path);
    if (result != 0)
        return result;
    int torn = 0, torn_longer = 0, torn_large = 0;
    size_t piece_bytes = check_is_sabotaged(check, "two_writes") ? LIMIT_BYTES / 2 : LARGE_BYTES;
    check->repeats = 0;
    /* Until the longer ones have shown that writers do get between each other. */
    do {
        check->repeats++;
        torn += count_torn(path, LIMIT_BYTES, piece_bytes);
        torn_longer += count_torn(path, LIMIT_BYTES + 1, LARGE_BYTES);
        torn_large += count_torn(path, LARGE_BYTES, LARGE_BYTES);
    } while (torn == 0 && torn_large == 0 && check->repeats < REPEATS);
    check_integer(check, "pipe_buf_bytes", pathconf(path, _PC_PIPE_BUF));
    check_integer(check, "writes_of_each_count", (int64_t)WRITERS * ATOMIC_WRITES * check->repeats);
    check_integer(check, "torn_4096_count", torn);
    check_integer(check, "torn_4097_count", torn_longer);
    check_integer(check, "torn_60000_count", torn_large);
    if (torn == 0 && torn_large == 0)
        return check_leave_open(check, "inconclusive");
    return check_conclude(check, torn == 0, false);
}

const struct claim claim_56 = {
    .number = 56,
    .mechanism = "fifo",
    .criteria = {"boundaries"},
    .source = "memset(message, 'a' + i, sizeof message);  /* writer i of three */\n"
              "for (n = 0; n < 200; n++)\n"
              "    /* PIPE_BUF; then 4097; then 60000 */\n"
              "    write(fd, message, 4096);\n"
              "/* reader: torn += a frame with two letters in it */",
    .sabotages = {"two_writes"},
    .run = check_atomic,
};

/* ---- 57: whole reads ---- */

enum { READS_BYTES = 100, READ_MESSAGES = 1000, PAIR = 2 };
enum { GOT_BYTES, GOT_READS, GOT_CUT }; /* places of a reader's values */

/* The reading end of the FIFO, which is full of messages and has no writer any more; less than 0: the error.
 */
static int fill_with_messages(const char *path, int count)
{
    int fds[2];
    if (open_ends(path, fds) < 0)
        return -errno;
    struct subject *writer = subject_new();
    if (subject_fork(writer) == 0)
        write_messages(fds[1], 'm', count, MESSAGE_BYTES, MESSAGE_BYTES);
    close(fds[1]);
    subject_wait(writer, SUBJECT_PATIENCE_MS); /* all of it fits */
    return fds[0];
}

/* False at the end. */
static bool read_once(int fd, size_t asked, int64_t *values)
{
    char bytes[READS_BYTES];
    ssize_t got = read(fd, bytes, asked);
    if (got <= 0)
        return false;
    values[GOT_READS]++;
    values[GOT_BYTES] += got;
    values[GOT_CUT] += got % MESSAGE_BYTES != 0;
    return true;
}

static void read_by_two(int fd, size_t asked, struct subject *readers[PAIR])
{
    struct gate *gate = subject_memory(sizeof *gate);
    for (int i = 0; i < PAIR; i++) {
        readers[i] = subject_new();
        if (subject_fork(readers[i]) == 0) {
            read_once(fd, asked, readers[i]->values);
            gate_pass(gate, PAIR); /* or one has read all before the other begins */
            while (read_once(fd, asked, readers[i]->values))
                ;
            _exit(0);
        }
    }
    close(fd);
    for (int i = 0; i < PAIR; i++)
        subject_wait(readers[i], SUBJECT_PATIENCE_MS);
}

static int check_reads(struct check *check)
{
    enum { COUNT = 40 };
    char path[PATH_BYTES];
    int64_t alone[SUBJECT_VALUES] = {0};
    struct subject *readers[PAIR];
    int result = make_fifo(check, path);
    if (result != 0)
        return result;
    size_t asked = check_is_sabotaged(check, "read_64") ? MESSAGE_BYTES : READS_BYTES;
    int fd = fill_with_messages(path, COUNT);
    if (fd < 0)
        return check_skip(check, "open", -fd, "refused");
    while (read_once(fd, asked, alone))
        ;
    close(fd);
    fd = fill_with_messages(path, READ_MESSAGES);
    if (fd < 0)
        return check_skip(check, "open", -fd, "refused");
    read_by_two(fd, asked, readers);
    int64_t cut_by_two = readers[0]->values[GOT_CUT] + readers[1]->values[GOT_CUT];
    check_integer(check, "message_bytes", MESSAGE_BYTES);
    check_integer(check, "messages_count", COUNT);
    check_integer(check, "asked_bytes", (int64_t)asked);
    check_integer(check, "reads_count", alone[GOT_READS]);
    check_integer(check, "reads_that_cut_a_message_count", alone[GOT_CUT]);
    check_integer(check, "messages_for_two_readers_count", READ_MESSAGES);
    check_integer(check, "first_of_two_readers_bytes", readers[0]->values[GOT_BYTES]);
    check_integer(check, "second_of_two_readers_bytes", readers[1]->values[GOT_BYTES]);
    check_integer(check, "reads_of_two_that_cut_a_message_count", cut_by_two);
    return check_conclude(check, alone[GOT_CUT] == 0 && cut_by_two == 0, false);
}

const struct claim claim_57 = {
    .number = 57,
    .mechanism = "fifo",
    .criteria = {"boundaries"},
    .source = "write(fd, message, 64); /* forty times, each whole */\n"
              "n = read(fd, buffer, 100); /* 100: one message and 36 bytes of the next */",
    .sabotages = {"read_64"},
    .run = check_reads,
};
