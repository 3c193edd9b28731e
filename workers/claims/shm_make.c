/* Making System V segments: pages, sizes, keys: shmget(2), svipc(7). */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "workers/claims/check.h"
#include "workers/claims/segment.h"
#include "workers/claims/subject.h"

enum { SMALL_BYTES = 100, SEGMENT_BYTES = 25600 };

/* ---- 10: when the pages come into being ---- */

/* The column rss of /proc/sysvipc/shm: bytes that are in memory. */
static int64_t resident_bytes(int id)
{
    FILE *segments = fopen("/proc/sysvipc/shm", "re");
    char line[512];
    int64_t found = -1;
    while (segments != NULL && fgets(line, sizeof line, segments) != NULL) {
        int at;
        long long rss;
        /* key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap: proc(5) */
        if (sscanf(line, "%*d %d %*o %*u %*d %*d %*u %*u %*u %*u %*u %*u %*u %*u %lld", &at, &rss) == 2 &&
            at == id)
            found = rss;
    }
    if (segments != NULL)
        fclose(segments);
    return found;
}

static int check_lazy_pages(struct check *check)
{
    enum { TOUCHED = 3 };
    char *memory;
    int64_t page_bytes = sysconf(_SC_PAGESIZE);
    int id = segment_make(check, IPC_PRIVATE, SEGMENT_BYTES, 0, &memory);
    if (id < 0)
        return id;
    if (check_is_sabotaged(check, "touch_all"))
        memset(memory, 1, SEGMENT_BYTES);
    int64_t before = resident_bytes(id);
    for (int i = 0; i < TOUCHED; i++)
        memory[i * page_bytes] = 1;
    int64_t after = resident_bytes(id);
    if (before < 0)
        return check_skip(check, "open", ENOENT, "refused");
    check_integer(check, "allocated_bytes", SEGMENT_BYTES);
    check_integer(check, "resident_after_allocation_bytes", before);
    check_integer(check, "pages_touched_count", TOUCHED);
    check_integer(check, "resident_after_touching_bytes", after);
    return check_conclude(check, after >= TOUCHED * page_bytes, before < SEGMENT_BYTES);
}

const struct claim claim_10 = {
    .number = 10,
    .mechanism = "shm_sysv",
    .source = "id = shmget(IPC_PRIVATE, 25600, 0600); /* rss in /proc/sysvipc/shm: 0 */\n"
              "p = shmat(id, NULL, 0);                /* still 0 */\n"
              "/* 12288: a page for each first touch */\n"
              "p[0] = p[4096] = p[8192] = 1;",
    .sabotages = {"touch_all"},
    .run = check_lazy_pages,
};

/* ---- 11, 12, 18, 19: keys ---- */

/* What a second process gets for a key: its id, or -errno. */
static int get_elsewhere(key_t key, size_t bytes, int flags)
{
    struct subject *second = subject_new();
    if (subject_fork(second) == 0) {
        int id = shmget(key, bytes, flags);
        second->values[0] = id < 0 ? -errno : id;
        _exit(0);
    }
    subject_wait(second, SUBJECT_PATIENCE_MS);
    return (int)second->values[0];
}

static int check_exclusive(struct check *check)
{
    key_t key = segment_key();
    int id = segment_make(check, key, SMALL_BYTES, IPC_CREAT | IPC_EXCL, NULL);
    if (id < 0)
        return id;
    int flags = IPC_CREAT | (check_is_sabotaged(check, "no_excl") ? 0 : IPC_EXCL);
    int second = get_elsewhere(key, SMALL_BYTES, flags | 0600);
    check_integer(check, "first_id", id);
    check_errno(check, "second_errno", second < 0 ? -second : 0);
    return check_conclude(check, second == -EEXIST, false);
}

const struct claim claim_11 = {
    .number = 11,
    .mechanism = "shm_sysv",
    .criteria = {"count"},
    .source = "id = shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600);\n"
              "/* in the other process the same line: -1, EEXIST */",
    .sabotages = {"no_excl"},
    .run = check_exclusive,
};

static int check_same_id(struct check *check)
{
    key_t key = segment_key();
    int id = segment_make(check, key, SMALL_BYTES, IPC_CREAT | IPC_EXCL, NULL);
    if (id < 0)
        return id;
    if (enclosure_record_segments(check->enclosure, NULL) < 0)
        return check_skip(check, "open", EACCES, "refused");
    key_t other_key = check_is_sabotaged(check, "other_key") ? IPC_PRIVATE : key;
    int second = segment_make(check, other_key, SMALL_BYTES, IPC_CREAT, NULL);
    check_integer(check, "first_id", id);
    check_integer(check, "second_id", second);
    return check_conclude(check, second == id, false);
}

const struct claim claim_12 = {
    .number = 12,
    .mechanism = "shm_sysv",
    .criteria = {"reach"},
    .source = "first = shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600);\n"
              "second = shmget(key, 100, IPC_CREAT | 0600); /* second == first */",
    .sabotages = {"other_key"},
    .run = check_same_id,
};

/* The errno for the key in an IPC namespace of one's own; *unshare_errno if there is none to be had. */
static int get_in_other_namespace(key_t key, int *unshare_errno)
{
    struct subject *away = subject_new();
    if (subject_fork(away) == 0) {
        away->values[0] = unshare(CLONE_NEWIPC) != 0 ? errno : 0;
        away->values[1] = shmget(key, 0, 0) < 0 ? errno : 0;
        _exit(0);
    }
    subject_wait(away, SUBJECT_PATIENCE_MS);
    *unshare_errno = (int)away->values[0];
    return (int)away->values[1];
}

static int check_collision(struct check *check)
{
    char *memory;
    key_t key = segment_key();
    int id = segment_make(check, key, SEGMENT_BYTES, IPC_CREAT | IPC_EXCL, &memory);
    if (id < 0)
        return id;
    memory[0] = 'A';
    key_t tried = check_is_sabotaged(check, "other_key") ? segment_key() : key;
    int smaller = get_elsewhere(tried, SMALL_BYTES, 0600),
        larger = get_elsewhere(tried, 2 * SEGMENT_BYTES, 0600);
    char *there = smaller < 0 ? (void *)-1 : shmat(smaller, NULL, SHM_RDONLY);
    int unshare_errno, away = get_in_other_namespace(tried, &unshare_errno);
    check_integer(check, "segment_bytes", SEGMENT_BYTES);
    check_errno(check, "smaller_errno", smaller < 0 ? -smaller : 0);
    check_string(check, "smaller_reads", there == (void *)-1 ? "" : (char[]){there[0], '\0'});
    check_errno(check, "larger_errno", larger < 0 ? -larger : 0);
    check_errno(check, "unshare_errno", unshare_errno);
    if (unshare_errno == 0)
        check_errno(check, "other_ipc_namespace_errno", away);
    bool shares = smaller == id && there != (void *)-1 && there[0] == 'A';
    return check_conclude(check, shares && larger == -EINVAL && (unshare_errno != 0 || away == ENOENT),
                          false);
}

const struct claim claim_18 = {
    .number = 18,
    .mechanism = "shm_sysv",
    .criteria = {"reach"},
    .source = "id = shmget(1234, 25600, IPC_CREAT | 0600);\n"
              "/* another program, with the same idea of a key: */\n"
              "shmget(1234, 100, 0600);    /* the same id: it silently shares */\n"
              "shmget(1234, 51200, 0600);  /* -1, EINVAL: larger than what is there */",
    .sabotages = {"other_key"},
    .keeps_capabilities = true,
    .run = check_collision,
};

static int check_private(struct check *check)
{
    key_t key = check_is_sabotaged(check, "same_key") ? segment_key() : IPC_PRIVATE;
    int first = segment_make(check, key, SMALL_BYTES, key == IPC_PRIVATE ? 0 : IPC_CREAT, NULL);
    int second = segment_make(check, key, SMALL_BYTES, 0, NULL);
    if (first < 0 || second < 0)
        return first < 0 ? first : second;
    check_integer(check, "first_id", first);
    check_integer(check, "second_id", second);
    return check_conclude(check, first != second, false);
}

const struct claim claim_19 = {
    .number = 19,
    .mechanism = "shm_sysv",
    .criteria = {"reach"},
    .source = "first = shmget(IPC_PRIVATE, 100, 0600);  /* made, even without IPC_CREAT */\n"
              "second = shmget(IPC_PRIVATE, 100, 0600); /* another one */",
    .sabotages = {"same_key"},
    .run = check_private,
};

/* ---- 16, 17: sizes ---- */

static int check_rounding(struct check *check)
{
    struct shmid_ds status;
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t asked = check_is_sabotaged(check, "whole_page") ? page_bytes : SMALL_BYTES;
    int id = segment_make(check, IPC_PRIVATE, asked, 0, NULL);
    if (id < 0)
        return id;
    /* A page of it and a page that nobody may touch, side by side. */
    char *place = mmap(NULL, 2 * page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *memory = place == MAP_FAILED ? place : shmat(id, place, SHM_REMAP);
    if (memory != place || memory == MAP_FAILED || shmctl(id, IPC_STAT, &status) != 0)
        return check_skip(check, "shmat", errno, "refused");
    int last = subject_write_signal(memory + page_bytes - 1),
        beyond = subject_write_signal(memory + page_bytes);
    check_integer(check, "asked_bytes", (int64_t)asked);
    check_integer(check, "segsz_bytes", (int64_t)status.shm_segsz);
    check_integer(check, "page_bytes", (int64_t)page_bytes);
    check_signal(check, "store_to_last_byte_of_page_signal", last);
    check_signal(check, "store_behind_page_signal", beyond);
    return check_conclude(check, last == 0 && beyond == SIGSEGV, status.shm_segsz != page_bytes);
}

const struct claim claim_16 = {
    .number = 16,
    .mechanism = "shm_sysv",
    .source = "id = shmget(IPC_PRIVATE, 100, 0600);\n"
              "shmctl(id, IPC_STAT, &status); /* shm_segsz: 100, as asked */\n"
              "p[4095] = 'x';                 /* works: the mapping has whole pages */\n"
              "/* SIGSEGV, if nothing happens to be mapped there */\n"
              "p[4096] = 'x';",
    .sabotages = {"whole_page"},
    .run = check_rounding,
};

/* The size of a huge page here, from /proc/meminfo or the transparent ones; 0 where there are none. */
static int64_t huge_page_bytes(void)
{
    char line[128];
    long long number;
    FILE *info = fopen("/proc/meminfo", "re");
    int64_t found = 0;
    while (info != NULL && fgets(line, sizeof line, info) != NULL)
        if (sscanf(line, "Hugepagesize: %lld kB", &number) == 1)
            found = number * 1024;
    if (info != NULL)
        fclose(info);
    if (found == 0 &&
        text_read_line("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", line, sizeof line) == 0)
        found = strtoll(line, NULL, 10);
    return found;
}

static int check_page_size(struct check *check)
{
    int64_t page_bytes = sysconf(_SC_PAGESIZE), huge_bytes = huge_page_bytes();
    check_integer(check, "page_bytes", page_bytes);
    check_integer(check, "huge_page_bytes", huge_bytes);
    return check_conclude(check, page_bytes == 4096, huge_bytes > page_bytes);
}

const struct claim claim_17 = {
    .number = 17,
    .mechanism = "shm_sysv",
    .source = "page = sysconf(_SC_PAGESIZE); /* ask; do not write 4096 */",
    .sabotages = {NULL},
    .run = check_page_size,
};
