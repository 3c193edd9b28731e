/* A FIFO as a name in the file system: who finds it, who may open it, what else can be done with it: fifo(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workers/claims/check.h"
#include "workers/claims/subject.h"

enum { PATH_BYTES = ENCLOSURE_PATH_BYTES + 16 };

static void path_of(const struct check *check, const char *name, char *path)
{
    snprintf(path, PATH_BYTES, "%s/%s", check->enclosure->directory, name);
}

/* Opening a FIFO to read without waiting never fails for want of a writer. */
static int open_errno(const char *path, int flags)
{
    int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error;
}

/* ---- 46: what ls -l shows ---- */

static void format_mode(mode_t mode, char *text)
{
    static const char letters[] = "rwxrwxrwx";
    text[0] = S_ISFIFO(mode) ? 'p' : '-';
    for (int i = 0; i < 9; i++)
        text[i + 1] = '-';
    for (unsigned i = 0; i < 9; i++)
        if ((mode >> (8 - i) & 1) != 0)
            text[i + 1] = letters[i];
    text[10] = '\0';
}

static int make_under_umask(const char *path, mode_t mask, char *text)
{
    struct stat status = {.st_mode = 0};
    mode_t old = umask(mask);
    int result = mkfifo(path, 0666) != 0 || stat(path, &status) != 0 ? -errno : 0;
    umask(old);
    format_mode(status.st_mode, text);
    return result;
}

static int check_listing(struct check *check)
{
    char group[PATH_BYTES], usual[PATH_BYTES], shown[2][16];
    path_of(check, "group", group);
    path_of(check, "usual", usual);
    mode_t other_mask = check_is_sabotaged(check, "umask") ? 002 : 022;
    if (make_under_umask(group, 002, shown[0]) < 0 || make_under_umask(usual, other_mask, shown[1]) < 0)
        return check_skip(check, "mkfifo", errno, "refused");
    int fd = open(group, O_RDWR | O_CLOEXEC);
    int64_t held = write(fd, "unread", 6);
    struct stat status = {.st_size = -1};
    fstat(fd, &status);
    check_string(check, "listed_with_umask_002", shown[0]);
    check_string(check, "listed_with_umask_022", shown[1]);
    check_integer(check, "held_bytes", held);
    check_integer(check, "size_bytes", status.st_size);
    return check_conclude(check, strcmp(shown[0], "prw-rw-r--") == 0, strcmp(shown[0], shown[1]) != 0);
}

const struct claim claim_46 = {
    .number = 46,
    .mechanism = "fifo",
    .source = "umask(002);\n"
              "mkfifo(path, 0666);   /* prw-rw-r-- */\n"
              "umask(022);\n"
              "mkfifo(path, 0666);   /* prw-r--r-- */",
    .sabotages = {"umask"},
    .run = check_listing,
};

/* ---- 47: who may open it ---- */

/* What a process gets that is another user, or, where we cannot become one, has no bit of its own. */
static int stranger_errno(const char *path, bool *is_other_user)
{
    struct subject *stranger = subject_new();
    if (subject_fork(stranger) == 0) {
        stranger->values[1] = subject_become_stranger(stranger);
        stranger->values[0] = open_errno(path, O_RDONLY);
        _exit(0);
    }
    subject_wait(stranger, SUBJECT_PATIENCE_MS);
    *is_other_user = stranger->values[1] != 0;
    return (int)stranger->values[0];
}

static int make_fifo(const char *path, mode_t mode)
{
    mode_t old = umask(0);
    int result = mkfifo(path, mode) != 0 ? -errno : 0;
    umask(old);
    return result;
}

static int check_permission(struct check *check)
{
    char open_path[PATH_BYTES], closed_path[PATH_BYTES];
    path_of(check, "open", open_path);
    path_of(check, "closed", closed_path);
    mode_t mode = check_is_sabotaged(check, "mode_0666") ? 0666 : geteuid() == 0 ? 0600 : 0;
    if (make_fifo(open_path, 0666) < 0 || make_fifo(closed_path, mode) < 0)
        return check_skip(check, "mkfifo", errno, "refused");
    bool other_user;
    int allowed = stranger_errno(open_path, &other_user), refused = stranger_errno(closed_path, &other_user);
    char text[16];
    format_mode(S_IFIFO | mode, text);
    check_boolean(check, "opened_by_another_user", other_user);
    check_errno(check, "open_of_prw_rw_rw_errno", allowed);
    check_string(check, "mode_of_closed", text);
    check_errno(check, "open_of_closed_errno", refused);
    return check_conclude(check, allowed == 0, refused == EACCES);
}

const struct claim claim_47 = {
    .number = 47,
    .mechanism = "fifo",
    .criteria = {"reach"},
    .source = "mkfifo(\"open\", 0666);\n"
              "mkfifo(\"closed\", 0600);\n"
              "setresuid(65533, 65533, 65533);\n"
              "open(\"open\", O_RDONLY | O_NONBLOCK);   /* a descriptor */\n"
              "open(\"closed\", O_RDONLY | O_NONBLOCK); /* -1, EACCES */",
    .sabotages = {"mode_0666"},
    .keeps_capabilities = true,
    .run = check_permission,
};

/* ---- 48: who finds it ---- */

/* A process from before the FIFO was made opens it by its name, from other namespaces if it gets them, and
 * writes. values: errno of unshare, of open, bytes written, its own number. */
static void be_unrelated(struct subject *writer, int start, int namespaces, const char *path, bool hides)
{
    char byte;
    if (read(start, &byte, 1) != 1)
        _exit(1);
    writer->values[0] = unshare(namespaces) != 0 ? errno : 0;
    bool hidden = writer->values[0] == 0 && hides;
    if (hidden) {
        char directory[PATH_BYTES];
        text_copy(directory, sizeof directory, path);
        *strrchr(directory, '/') = '\0';
        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("tmpfs", directory, "tmpfs", 0, NULL) != 0)
            writer->values[0] = errno;
    }
    /* Into a new process namespace goes only the next child. */
    pid_t child = (namespaces & CLONE_NEWPID) != 0 && writer->values[0] == 0 ? fork() : 0;
    if (child > 0)
        _exit(waitpid(child, NULL, 0) != child);
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    writer->values[1] = fd < 0 ? errno : 0;
    writer->values[2] = fd < 0 ? 0 : write(fd, "x", 1);
    writer->values[3] = getpid();
    _exit(0);
}

static struct subject *try_unrelated(struct check *check, int namespaces, const char *path, bool hides)
{
    int start[2];
    struct subject *writer = subject_new();
    if (pipe2(start, O_CLOEXEC) != 0)
        return writer;
    char sought[PATH_BYTES];
    path_of(check, check_is_sabotaged(check, "other_name") ? "other" : "fifo", sought);
    if (subject_fork(writer) == 0)
        be_unrelated(writer, start[0], namespaces, sought, hides);
    if (access(path, F_OK) != 0 && mkfifo(path, 0600) != 0)
        return writer;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (write(start[1], "s", 1) == 1)
        subject_wait(writer, SUBJECT_PATIENCE_MS);
    close(fd);
    return writer;
}

static int check_finding(struct check *check)
{
    char path[PATH_BYTES];
    path_of(check, "fifo", path);
    struct subject *plain = try_unrelated(check, 0, path, false);
    struct subject *apart = try_unrelated(check, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID, path, false);
    struct subject *elsewhere = try_unrelated(check, CLONE_NEWNS, path, true);
    check_errno(check, "unrelated_open_errno", (int)plain->values[1]);
    check_integer(check, "unrelated_written_bytes", plain->values[2]);
    check_errno(check, "other_net_ipc_and_pid_unshare_errno", (int)apart->values[0]);
    if (apart->values[0] == 0) {
        check_errno(check, "other_net_ipc_and_pid_open_errno", (int)apart->values[1]);
        check_integer(check, "own_pid_in_other_pid_namespace", apart->values[3]);
    }
    check_errno(check, "private_mount_unshare_errno", (int)elsewhere->values[0]);
    if (elsewhere->values[0] == 0)
        check_errno(check, "private_mount_open_errno", (int)elsewhere->values[1]);
    bool found = plain->values[2] == 1 && (apart->values[0] != 0 || apart->values[2] == 1);
    bool hidden = elsewhere->values[0] != 0 || elsewhere->values[1] == ENOENT;
    return check_conclude(check, found && hidden, false);
}

const struct claim claim_48 = {
    .number = 48,
    .mechanism = "fifo",
    .criteria = {"reach"},
    .source = "unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID);\n"
              "fork();                       /* process 1 of its namespace … */\n"
              "open(\"/tmp/fifo\", O_WRONLY);  /* still found: it is a file */\n"
              "unshare(CLONE_NEWNS);\n"
              "mount(\"tmpfs\", \"/tmp\", \"tmpfs\", 0, NULL);\n"
              "open(\"/tmp/fifo\", O_WRONLY);  /* -1, ENOENT: another file system */",
    .sabotages = {"other_name"},
    .keeps_capabilities = true,
    .run = check_finding,
};

/* ---- 50: rm ---- */

static int check_removal(struct check *check)
{
    char path[PATH_BYTES], bytes[8] = "";
    path_of(check, "fifo", path);
    if (mkfifo(path, 0600) != 0)
        return check_skip(check, "mkfifo", errno, "refused");
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int writer = open(path, O_WRONLY | O_CLOEXEC);
    if (check_is_sabotaged(check, "close_first")) {
        close(reader);
        close(writer);
    }
    if (unlink(path) != 0)
        return check_skip(check, "unlink", errno, "refused");
    int error = open_errno(path, O_RDONLY);
    ssize_t wrote = write(writer, "still", 5), got = read(reader, bytes, sizeof bytes);
    check_errno(check, "open_after_rm_errno", error);
    check_integer(check, "written_after_rm_bytes", wrote < 0 ? 0 : wrote);
    check_integer(check, "read_after_rm_bytes", got < 0 ? 0 : got);
    return check_conclude(check, error == ENOENT, got == 5);
}

const struct claim claim_50 = {
    .number = 50,
    .mechanism = "fifo",
    .criteria = {"persists"},
    .source = "unlink(path);\n"
              "open(path, O_RDONLY);      /* -1, ENOENT */\n"
              "write(writer, \"still\", 5); /* 5: whoever has it open goes on */\n"
              "read(reader, buffer, 8);   /* 5 */",
    .sabotages = {"close_first"},
    .run = check_removal,
};

/* ---- 51: which modes mkfifo takes ---- */

static int check_modes(struct check *check)
{
    static const mode_t modes[] = {0200, 0400, 0000};
    static const char *const names[][3] = {
        {"mkfifo_0200_errno", "open_0200_to_read_errno", "open_0200_to_write_errno"},
        {"mkfifo_0400_errno", "open_0400_to_read_errno", "open_0400_to_write_errno"},
        {"mkfifo_0000_errno", "open_0000_to_read_errno", "open_0000_to_write_errno"}};
    int refused = 0;
    for (int i = 0; i < 3; i++) {
        char path[PATH_BYTES], name[8];
        snprintf(name, sizeof name, "%04o", (unsigned)modes[i]);
        path_of(check, check_is_sabotaged(check, "no_directory") ? "none/fifo" : name, path);
        int error = make_fifo(path, modes[i]);
        refused += error < 0;
        check_errno(check, names[i][0], -error);
        check_errno(check, names[i][1], open_errno(path, O_RDONLY));
        check_errno(check, names[i][2], open_errno(path, O_WRONLY));
    }
    check_integer(check, "refused_count", refused);
    return check_conclude(check, refused > 0, false);
}

const struct claim claim_51 = {
    .number = 51,
    .mechanism = "fifo",
    .source = "mkfifo(path, 0200);       /* 0: nobody may read, and it is made */\n"
              "open(path, O_RDONLY);     /* -1, EACCES: that is where it shows */",
    .sabotages = {"no_directory"},
    .run = check_modes,
};

/* ---- 52: like a file ---- */

static int check_file_calls(struct check *check)
{
    char path[PATH_BYTES], bytes[8] = "";
    path_of(check, "fifo", path);
    bool regular = check_is_sabotaged(check, "regular_file");
    int made = regular ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : mkfifo(path, 0600);
    if (made < 0)
        return check_skip(check, "mkfifo", errno, "refused");
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool works = write(fd, "data", 4) == 4;
    if (regular)
        lseek(fd, 0, SEEK_SET);
    works = works && read(fd, bytes, 2) == 2;
    int seek = lseek(fd, 0, SEEK_SET) < 0 ? errno : 0;
    int map = mmap(NULL, 4, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? errno : 0;
    int truncate = ftruncate(fd, 4) != 0 ? errno : 0;
    close(fd);
    int again = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t kept = read(again, bytes, sizeof bytes);
    check_boolean(check, "open_write_read_work", works);
    check_errno(check, "lseek_errno", seek);
    check_errno(check, "mmap_errno", map);
    check_errno(check, "ftruncate_errno", truncate);
    check_integer(check, "kept_after_last_close_bytes", kept < 0 ? 0 : kept);
    return check_conclude(check, works, seek != 0 || map != 0 || truncate != 0 || kept <= 0);
}

const struct claim claim_52 = {
    .number = 52,
    .mechanism = "fifo",
    .criteria = {"persists"},
    .source = "write(fd, \"data\", 4); read(fd, buffer, 2);     /* as with a file */\n"
              "lseek(fd, 0, SEEK_SET);                        /* -1, ESPIPE */\n"
              "mmap(NULL, 4, PROT_READ, MAP_SHARED, fd, 0);   /* ENODEV */\n"
              "ftruncate(fd, 4);                              /* -1, EINVAL */\n"
              "close(fd);                                     /* the last: \"ta\" is gone */",
    .sabotages = {"regular_file"},
    .run = check_file_calls,
};
