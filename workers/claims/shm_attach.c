/* Attaching System V segments: what is in the address space then, and where: shmat(2). */
#include <errno.h>
#include <inttypes.h>
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

enum { SEGMENT_BYTES = 25600 };

/* ---- 1: plain stores and loads ---- */

static int check_stores(struct check *check)
{
    char *one, *other;
    int id = segment_make(check, IPC_PRIVATE, SEGMENT_BYTES, 0, &one);
    if (id < 0)
        return id;
    int seen_through = id;
    if (check_is_sabotaged(check, "other_segment"))
        seen_through = segment_make(check, IPC_PRIVATE, SEGMENT_BYTES, 0, NULL);
    other = shmat(seen_through, NULL, 0);
    if (other == (void *)-1)
        return check_skip(check, "shmat", errno, "refused");
    *(volatile char *)one = 'Z';
    char seen = *(volatile char *)other;
    check_string(check, "stored", "Z");
    check_string(check, "loaded", (char[]){seen, '\0'});
    check_boolean(check, "different_addresses", one != other);
    return check_conclude(check, seen == 'Z' && one != other, false);
}

const struct claim claim_1 = {
    .number = 1,
    .mechanism = "shm_sysv",
    .criteria = {"direction"},
    .source = "one = shmat(id, NULL, 0);\n"
              "other = shmat(id, NULL, 0);\n"
              "*one = 'Z';\n"
              "seen = *other; /* 'Z' */",
    .sabotages = {"other_segment"},
    .run = check_stores,
};

/* ---- 2: one memory, several addresses ---- */

/* A process that has something of its own where the first one has the segment, as strangers do. */
static int check_addresses(struct check *check)
{
    char *here;
    int id = segment_make(check, IPC_PRIVATE, SEGMENT_BYTES, 0, &here);
    if (id < 0)
        return id;
    bool same_address = check_is_sabotaged(check, "same_address");
    char **pointer = (char **)here;
    *pointer = here + sizeof pointer; /* what an object in the segment would hold */
    struct subject *other = subject_new();
    if (subject_fork(other) == 0) {
        shmdt(here);
        if (!same_address && mmap(here, SEGMENT_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                                  0) == MAP_FAILED)
            _exit(1);
        char *there = shmat(id, same_address ? here : NULL, 0);
        if (there == (void *)-1)
            _exit(1);
        other->values[0] = (int64_t)(intptr_t)there;
        char *stored = *(char **)there;
        other->values[1] = stored >= there && stored < there + SEGMENT_BYTES;
        there[SEGMENT_BYTES - 1] = 'T';
        _exit(0);
    }
    subject_wait(other, SUBJECT_PATIENCE_MS);
    const char *there = (const char *)(intptr_t)other->values[0];
    bool one_memory = ((volatile char *)here)[SEGMENT_BYTES - 1] == 'T',
         pointer_works = other->values[1] != 0;
    check_boolean(check, "store_seen_in_the_other_process", one_memory);
    check_address(check, "address_here", here);
    check_address(check, "address_there", there);
    check_boolean(check, "stored_pointer_points_into_it_there", pointer_works);
    return check_conclude(check, one_memory, !pointer_works);
}

const struct claim claim_2 = {
    .number = 2,
    .mechanism = "shm_sysv",
    .source = "struct list { struct list *next; } *head = shmat(id, NULL, 0);\n"
              "head->next = head + 1;      /* an address of this process */\n"
              "/* in another process the segment is elsewhere: keep offsets, not pointers */\n"
              "head->next_offset = sizeof *head;",
    .sabotages = {"same_address"},
    .run = check_addresses,
};

/* ---- 13, 14: the line in /proc/self/maps ---- */

/* The line of the segment, which names it by its key and, as its inode, by its id. */
static bool find_mapping(int id, char *found)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512], inode[24];
    snprintf(inode, sizeof inode, " %d ", id);
    bool is_there = false;
    while (maps != NULL && !is_there && fgets(line, sizeof line, maps) != NULL)
        is_there = strstr(line, "/SYSV") != NULL && strstr(line, inode) != NULL;
    if (maps != NULL)
        fclose(maps);
    line[strcspn(line, "\n")] = '\0';
    text_copy(found, SUBJECT_BYTES, is_there ? line : "");
    return is_there;
}

static int check_mapping(struct check *check)
{
    char before[SUBJECT_BYTES], after[SUBJECT_BYTES];
    int id = segment_make(check, IPC_PRIVATE, SEGMENT_BYTES, 0, NULL);
    if (id < 0)
        return id;
    bool was_there = find_mapping(id, before);
    if (!check_is_sabotaged(check, "no_attach") && shmat(id, NULL, 0) == (void *)-1)
        return check_skip(check, "shmat", errno, "refused");
    bool is_there = find_mapping(id, after);
    check_string(check, "line_before", before);
    check_string(check, "line_after", after);
    return check_conclude(check, !was_there && is_there, false);
}

const struct claim claim_13 = {
    .number = 13,
    .mechanism = "shm_sysv",
    .source = "p = shmat(id, NULL, 0);\n"
              "$ grep SYSV /proc/PID/maps\n"
              "7f9c5d5f1000-7f9c5d5f8000 rw-s 00000000 00:01 3  /SYSV00000000 (deleted)",
    .sabotages = {"no_attach"},
    .run = check_mapping,
};

static int check_detaching(struct check *check)
{
    char *memory, line[SUBJECT_BYTES];
    int id = segment_make(check, IPC_PRIVATE, SEGMENT_BYTES, 0, &memory);
    if (id < 0)
        return id;
    int before = subject_read_signal(memory);
    if (!check_is_sabotaged(check, "no_detach") && shmdt(memory) != 0)
        return check_skip(check, "shmdt", errno, "refused");
    int after = subject_read_signal(memory);
    bool is_there = find_mapping(id, line);
    check_signal(check, "load_before_signal", before);
    check_signal(check, "load_after_signal", after);
    check_boolean(check, "still_in_maps", is_there);
    return check_conclude(check, before == 0 && after == SIGSEGV && !is_there, false);
}

const struct claim claim_14 = {
    .number = 14,
    .mechanism = "shm_sysv",
    .source = "shmdt(p);\n"
              "c = *p; /* SIGSEGV; its line in /proc/self/maps is gone */",
    .sabotages = {"no_detach"},
    .run = check_detaching,
};

/* ---- 23: who chooses the address ---- */

struct attached {
    char *at;
    int error;
};

static struct attached attach(int id, const void *address, int flags)
{
    char *at = shmat(id, address, flags);
    return at == (void *)-1 ? (struct attached){NULL, errno} : (struct attached){at, 0};
}

static int check_choice(struct check *check)
{
    char *const fixed = (char *)0x5000000;
    char *used;
    int id = segment_make(check, IPC_PRIVATE, SEGMENT_BYTES, 0, &used);
    if (id < 0)
        return id;
    uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct attached chosen = attach(id, check_is_sabotaged(check, "address_in_use") ? used : NULL, 0);
    struct attached placed = attach(id, fixed, 0), taken = attach(id, fixed, 0);
    struct attached unaligned = attach(id, fixed + 2 * SEGMENT_BYTES + 1, 0);
    struct attached rounded = attach(id, fixed + 2 * SEGMENT_BYTES + 1, SHM_RND);
    bool free_place = chosen.at != NULL && chosen.at != used && (uintptr_t)chosen.at % page_bytes == 0;
    check_errno(check, "null_errno", chosen.error);
    check_address(check, "null_address", chosen.at);
    check_address(check, "fixed_address", placed.at);
    check_errno(check, "fixed_in_use_errno", taken.error);
    check_errno(check, "fixed_unaligned_errno", unaligned.error);
    check_address(check, "fixed_unaligned_rounded_address", rounded.at);
    bool as_asked = placed.at == NULL || placed.at == fixed;
    return check_conclude(check, free_place && as_asked && taken.error == EINVAL && unaligned.error == EINVAL,
                          false);
}

const struct claim claim_23 = {
    .number = 23,
    .mechanism = "shm_sysv",
    .source = "p = shmat(id, NULL, 0);                   /* Linux finds a place */\n"
              "/* there, if it is free; else EINVAL */\n"
              "shmat(id, (void *)0x5000000, 0);\n"
              "shmat(id, (void *)0x5000001, 0);          /* EINVAL: no multiple of a page */\n"
              "shmat(id, (void *)0x5000001, SHM_RND);    /* rounded down */",
    .sabotages = {"address_in_use"},
    .run = check_choice,
};
