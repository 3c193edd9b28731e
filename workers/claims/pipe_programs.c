/* Pipes as programs use them: the shell's, stdio's, and snippets as they are printed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/claims/check.h"
#include "workers/claims/subject.h"
#include "workers/claims/terminal.h"

enum { OUTPUT_BYTES = 512, NOT_FOUND = 127 };

/* ---- 36: ls, alone and in front of a pipe ---- */

static void make_file(const struct check *check, const char *name)
{
    char path[ENCLOSURE_PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/%s", check->enclosure->directory, name);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* What ls prints to this output; the other end is read until all is there. */
static struct subject_end run_ls(const struct check *check, int output, int reading_end, char *text)
{
    struct subject *ls = subject_new();
    if (subject_fork(ls) == 0) {
        dup2(output, STDOUT_FILENO);
        setenv("LC_ALL", "C", 1);
        if (chdir(check->enclosure->directory) == 0)
            execlp("ls", "ls", "pear", "apple", "fig", "quince", (char *)NULL);
        _exit(NOT_FOUND);
    }
    close(output);
    struct subject_end end = subject_wait(ls, SUBJECT_PATIENCE_MS);
    ssize_t got = read(reading_end, text, OUTPUT_BYTES - 1);
    text[got < 0 ? 0 : got] = '\0';
    return end;
}

/* Word for word the same, whatever is between the words. */
static bool same_words(const char *one, const char *other)
{
    static const char space[] = " \t\r\n";
    for (;;) {
        one += strspn(one, space);
        other += strspn(other, space);
        size_t length = strcspn(one, space);
        if (length != strcspn(other, space) || strncmp(one, other, length) != 0)
            return false;
        if (length == 0)
            return true;
        one += length;
        other += length;
    }
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        lines++;
    return lines;
}

static int check_ls(struct check *check)
{
    int fds[2], terminal[2], second[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return check_skip(check, "pipe2", errno, "refused");
    if (terminal_open(terminal) < 0 || terminal_open(second) < 0)
        return check_skip(check, "posix_openpt", errno, "refused");
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    ioctl(terminal[1], TIOCSWINSZ, &size);
    ioctl(second[1], TIOCSWINSZ, &size);
    make_file(check, "pear");
    make_file(check, "apple");
    make_file(check, "fig");
    make_file(check, "quince");
    char on_terminal[OUTPUT_BYTES], in_pipe[OUTPUT_BYTES];
    bool both_terminals = check_is_sabotaged(check, "terminal");
    struct subject_end end = run_ls(check, terminal[1], terminal[0], on_terminal);
    if (end.status == NOT_FOUND)
        return check_skip(check, "execvp", ENOENT, "program");
    run_ls(check, both_terminals ? second[1] : fds[1], both_terminals ? second[0] : fds[0], in_pipe);
    size_t lines[] = {count_lines(on_terminal), count_lines(in_pipe)};
    check_string(check, "on_terminal_text", on_terminal);
    check_string(check, "in_pipe_text", in_pipe);
    check_integer(check, "on_terminal_lines", (int64_t)lines[0]);
    check_integer(check, "in_pipe_lines", (int64_t)lines[1]);
    return check_conclude(check, same_words(on_terminal, in_pipe) && lines[0] > 0, lines[0] != lines[1]);
}

const struct claim claim_36 = {
    .number = 36,
    .mechanism = "pipe",
    .source = "$ ls\n"
              "apple  fig  pear  quince\n"
              "$ ls | cat    # isatty(1) is false\n"
              "apple\n"
              "fig\n"
              "pear\n"
              "quince",
    .sabotages = {"terminal"},
    .run = check_ls,
};

/* ---- 37: what a shell makes of a | b ---- */

enum { CHILDREN_MAX = 4, LOOKS_MAX = 2000 };

/* The children of a process by /proc, and their programs' names, as soon as all of them run cat. */
static int find_cats(const struct subject *shell, int *pids)
{
    char path[64], name[32];
    int count = 0, cats = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)shell->proc_pid, (int)shell->proc_pid);
    FILE *children = fopen(path, "re");
    while (children != NULL && count < CHILDREN_MAX && fscanf(children, "%d", &pids[count]) == 1)
        count++;
    if (children != NULL)
        fclose(children);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "/proc/%d/comm", pids[i]);
        cats += text_read_line(path, name, sizeof name) == 0 && strcmp(name, "cat") == 0;
    }
    return cats == count ? count : 0;
}

static void read_descriptor(pid_t pid, int fd, char *what, size_t what_bytes)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    ssize_t length = readlink(path, what, what_bytes - 1);
    what[length < 0 ? 0 : length] = '\0';
}

static int check_shell(struct check *check)
{
    int input[2];
    if (pipe2(input, O_CLOEXEC) != 0)
        return check_skip(check, "pipe2", errno, "refused");
    const char *line = check_is_sabotaged(check, "one_program") ? "cat" : "cat | cat";
    struct subject *shell = subject_new();
    if (subject_fork(shell) == 0) {
        dup2(input[0], STDIN_FILENO);
        subject_announce(shell);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(NOT_FOUND);
    }
    int pids[CHILDREN_MAX] = {0}, count = 0;
    bool sleeps = subject_blocks(shell); /* in wait(2), or in read(2) if it became cat */
    for (int looks = 0; sleeps && looks < LOOKS_MAX && count == 0; looks++) {
        char name[32], path[64];
        snprintf(path, sizeof path, "/proc/%d/comm", (int)shell->proc_pid);
        count = find_cats(shell, pids);
        if (text_read_line(path, name, sizeof name) == 0 && strcmp(name, "cat") == 0)
            break; /* it runs the one program itself */
        poll(NULL, 0, 1);
    }
    char left[64] = "", right[64] = "";
    if (count == 2) {
        read_descriptor(pids[0], STDOUT_FILENO, left, sizeof left);
        read_descriptor(pids[1], STDIN_FILENO, right, sizeof right);
    }
    bool joined = strstr(left, "pipe:") != NULL && strcmp(left, right) == 0;
    if (!sleeps)
        return check_skip(check, "execl", ENOENT, "program");
    subject_kill(shell);
    check_integer(check, "children_count", count);
    check_string(check, "output_of_first", left);
    check_string(check, "input_of_second", right);
    return check_conclude(check, count == 2 && joined, false);
}

const struct claim claim_37 = {
    .number = 37,
    .mechanism = "pipe",
    .criteria = {"reach"},
    .source = "pipe(fds);                    /* a | b, in the shell */\n"
              "if (fork() == 0) { dup2(fds[1], 1); execvp(\"a\", …); }\n"
              "if (fork() == 0) { dup2(fds[0], 0); execvp(\"b\", …); }\n"
              "close(fds[0]); close(fds[1]);\n"
              "wait(NULL); wait(NULL);",
    .sabotages = {"one_program"},
    .run = check_shell,
};

/* ---- 45: streams over a pipe ---- */

enum { LINES = 5, SEEN_MS = 2000, UNSEEN_MS = 300 };

/* Writes a line, and the next when it hears that the last was seen. */
_Noreturn static void write_lines(int fd, int seen, bool flushes, int patience_ms)
{
    FILE *stream = fdopen(fd, "w");
    struct pollfd told = {.fd = seen, .events = POLLIN};
    bool waits = true;
    for (int i = 0; stream != NULL && i < LINES; i++) {
        char byte;
        fprintf(stream, "line %d\n", i);
        if (flushes)
            fflush(stream);
        waits = waits && poll(&told, 1, patience_ms) > 0 && read(seen, &byte, 1) == 1;
    }
    _exit(stream == NULL || fclose(stream) != 0);
}

/* Reads lines and prints them to the screen, through streams as a program does that was started by a shell.
 */
_Noreturn static void copy_lines(int fd, int screen)
{
    char line[64];
    FILE *in = fdopen(fd, "r"), *out = fdopen(screen, "w");
    while (in != NULL && out != NULL && fgets(line, sizeof line, in) != NULL)
        fputs(line, out);
    _exit(out == NULL || fclose(out) != 0);
}

/* Reads lines until the end, and says each time that it saw some; the most that came at once. */
static int watch_lines(int fd, int seen, int *lines, int *reads)
{
    int at_once = 0;
    char bytes[256];
    for (ssize_t got; (got = read(fd, bytes, sizeof bytes - 1)) > 0; ++*reads) {
        bytes[got] = '\0';
        int came = (int)count_lines(bytes);
        *lines += came;
        at_once = came > at_once ? came : at_once;
        if (write(seen, "s", 1) != 1)
            break;
    }
    return at_once;
}

/* The same lines with a reader that prints them: what comes at once on its screen, a terminal or another
 * pipe. */
static int watch_reader(struct check *check, bool has_terminal, int *at_once)
{
    int fds[2], seen[2], screen[2], lines = 0, reads = 0;
    if (pipe2(fds, O_CLOEXEC) != 0 || pipe2(seen, O_CLOEXEC) != 0)
        return check_skip(check, "pipe2", errno, "refused");
    if ((has_terminal ? terminal_open(screen) : pipe2(screen, O_CLOEXEC)) != 0)
        return check_skip(check, has_terminal ? "posix_openpt" : "pipe2", errno, "refused");
    struct subject *writer = subject_new(), *reader = subject_new();
    if (subject_fork(writer) == 0) {
        close(fds[0]);
        close(screen[1]);
        write_lines(fds[1], seen[0], true, has_terminal ? SEEN_MS : UNSEEN_MS);
    }
    close(fds[1]);
    if (subject_fork(reader) == 0)
        copy_lines(fds[0], screen[1]);
    close(fds[0]);
    close(screen[1]);
    *at_once = watch_lines(screen[0], seen[1], &lines, &reads);
    close(screen[0]);
    subject_wait(writer, SUBJECT_PATIENCE_MS);
    subject_wait(reader, SUBJECT_PATIENCE_MS);
    return 0;
}

static int check_streams(struct check *check)
{
    int fds[2], seen[2];
    if (pipe2(fds, O_CLOEXEC) != 0 || pipe2(seen, O_CLOEXEC) != 0)
        return check_skip(check, "pipe2", errno, "refused");
    struct subject *writer = subject_new();
    if (subject_fork(writer) == 0) {
        close(fds[0]);
        write_lines(fds[1], seen[0], !check_is_sabotaged(check, "no_fflush"), SEEN_MS);
    }
    close(fds[1]);
    int lines = 0, reads = 0, on_terminal, on_pipe;
    int at_once = watch_lines(fds[0], seen[1], &lines, &reads);
    subject_wait(writer, SUBJECT_PATIENCE_MS);
    int result = watch_reader(check, true, &on_terminal);
    if (result == 0)
        result = watch_reader(check, false, &on_pipe);
    if (result != 0)
        return result;
    check_integer(check, "lines_count", lines);
    check_integer(check, "reads_count", reads);
    check_integer(check, "lines_at_once_max", at_once);
    check_integer(check, "reader_prints_to_terminal_lines_at_once_max", on_terminal);
    check_integer(check, "reader_prints_to_pipe_lines_at_once_max", on_pipe);
    return check_conclude(check, lines == LINES && at_once == 1, false);
}

const struct claim claim_45 = {
    .number = 45,
    .mechanism = "pipe",
    .criteria = {"synchronises"},
    .source = "FILE *stream = fdopen(fds[1], \"w\");\n"
              "fprintf(stream, \"line %d\\n\", i);\n"
              "fflush(stream); /* or nothing enters the pipe before 4096 bytes or fclose */",
    .sabotages = {"no_fflush"},
    .run = check_streams,
};

/* ---- 71: as printed ---- */

struct snippet {
    const char *name, *printed, *corrected;
};

/* 0: it compiles; NOT_FOUND: there is no compiler. */
static int compile(const char *program)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return NOT_FOUND;
    struct subject *compiler = subject_new();
    if (subject_fork(compiler) == 0) {
        dup2(fds[0], STDIN_FILENO);
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDERR_FILENO);
        execlp("cc", "cc", "-x", "c", "-fsyntax-only", "-", (char *)NULL);
        execlp("gcc", "gcc", "-x", "c", "-fsyntax-only", "-", (char *)NULL);
        _exit(NOT_FOUND);
    }
    close(fds[0]);
    size_t length = strlen(program);
    bool fed = write(fds[1], program, length) == (ssize_t)length;
    close(fds[1]);
    int status = subject_wait(compiler, SUBJECT_PATIENCE_MS).status;
    return fed ? status : NOT_FOUND;
}

static int check_snippets(struct check *check)
{
    static const struct snippet snippets[] = {
        {"permission_bits_compile", "#include <sys/stat.h>\nint mode = S_IRUSR | S_IWUSER;\n",
         "#include <sys/stat.h>\nint mode = S_IRUSR | S_IWUSR;\n"},
        {"declaration_compiles", "int read_fd, int write_fd;\n", "int read_fd, write_fd;\n"},
        {"quotes_compile", "#include <stdio.h>\nint main(void) { return puts(\u201chello\u201d); }\n",
         "#include <stdio.h>\nint main(void) { return puts(\"hello\"); }\n"}};
    bool corrects = check_is_sabotaged(check, "correct"), all = true;
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof snippets / sizeof *snippets; i++) {
        int status = compile(corrects ? snippets[i].corrected : snippets[i].printed);
        if (status == NOT_FOUND)
            return check_skip(check, "execvp", ENOENT, "compiler");
        check_boolean(check, snippets[i].name, status == 0);
        all = all && status == 0;
    }
    return check_conclude(check, all, false);
}

const struct claim claim_71 = {
    .number = 71,
    .mechanism = "pipe",
    .source = "shmget(key, size, S_IRUSR | S_IWUSER);  /* it is S_IWUSR */\n"
              "int read_fd, int write_fd;              /* int once */\n"
              "/* quotes of a word processor */\n"
              "printf(\u201chello\u201d);",
    .sabotages = {"correct"},
    .run = check_snippets,
};
