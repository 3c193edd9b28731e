/* What a mapped file is: the page cache, seen as memory: mmap(2). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workers/claims/check.h"
#include "workers/claims/mapping.h"
#include "workers/claims/subject.h"

/* ---- 24: shared, or not ---- */

enum { PARTIES = 4 };

/* Each maps the file itself, puts a letter of its own there, and looks for all of them: both ways, among
 * many. */
static void be_party(struct check *check, struct subject *party, int number, struct gate *written,
                     int sharing)
{
    char *memory, path[ENCLOSURE_PATH_BYTES + 8];
    mapping_path(check, path, sizeof path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || mapping_of(check, fd, sharing, &memory) != 0)
        _exit(1);
    ((volatile char *)memory)[2 + number] = (char)('a' + number);
    gate_pass(written, PARTIES);
    for (int i = 0; i < PARTIES; i++)
        party->values[0] += ((volatile char *)memory)[2 + i] == 'a' + i;
    _exit(0);
}

static int count_who_saw_all(struct check *check, int sharing)
{
    struct gate *written = subject_memory(sizeof *written);
    struct subject *parties[PARTIES];
    int saw_all = 0;
    for (int i = 0; i < PARTIES; i++) {
        parties[i] = subject_new();
        if (subject_fork(parties[i]) == 0)
            be_party(check, parties[i], i, written, sharing);
    }
    for (int i = 0; i < PARTIES; i++) {
        subject_wait(parties[i], SUBJECT_PATIENCE_MS);
        saw_all += parties[i]->values[0] == PARTIES;
    }
    return saw_all;
}

static int check_sharing(struct check *check)
{
    char *shared, *other, *own, in_file[2] = "";
    int fd = mapping_make_file(check, "shared-------", 13);
    if (fd < 0)
        return fd;
    int sharing = check_is_sabotaged(check, "private") ? MAP_PRIVATE : MAP_SHARED;
    int result = mapping_of(check, fd, sharing, &shared);
    if (result == 0)
        result = mapping_of(check, fd, MAP_SHARED, &other);
    if (result == 0)
        result = mapping_of(check, fd, MAP_PRIVATE, &own);
    if (result != 0)
        return result;
    *(volatile char *)shared = 'S';
    bool seen = *(volatile char *)other == 'S';
    own[1] = 'P';
    bool changed = pread(fd, in_file, 2, 0) == 2 && in_file[1] == 'P';
    check_boolean(check, "store_to_map_shared_seen_through_another_mapping", seen);
    int saw_all = count_who_saw_all(check, sharing);
    check_integer(check, "processes_that_stored_count", PARTIES);
    check_integer(check, "processes_that_saw_all_stores_count", saw_all);
    check_string(check, "own_mapping_after_store_to_map_private", (char[]){own[1], '\0'});
    check_string(check, "file_after_store_to_map_private", (char[]){in_file[1], '\0'});
    return check_conclude(check, seen && saw_all == PARTIES, !changed);
}

const struct claim claim_24 = {
    .number = 24,
    .mechanism = "mmap_file",
    .criteria = {"reach", "direction", "count"},
    .source = "p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);\n"
              "*p = 'S';                 /* everybody sees it, and so does read(fd) */\n"
              "p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);\n"
              "*p = 'P';                 /* nobody does: a copy of the page, ours alone */",
    .sabotages = {"private"},
    .run = check_sharing,
};

/* ---- 25: when the file changes ---- */

static int check_write_back(struct check *check)
{
    char bytes[16] = "", path[ENCLOSURE_PATH_BYTES + 8];
    int fd = mapping_make_file(check, "before", 6);
    if (fd < 0)
        return fd;
    int sharing = check_is_sabotaged(check, "private") ? MAP_PRIVATE : MAP_SHARED;
    struct subject *writer = subject_new();
    if (subject_fork(writer) == 0) {
        char *memory;
        if (mapping_of(check, fd, sharing, &memory) < 0)
            _exit(1);
        memcpy(memory, "BEFORE", 6);
        subject_announce(writer);
        pause();
        _exit(0);
    }
    bool waits = subject_blocks(writer); /* neither msync nor munmap yet */
    bool at_once = waits && pread(fd, bytes, 6, 0) == 6 && memcmp(bytes, "BEFORE", 6) == 0;
    subject_kill(writer);
    close(fd);
    mapping_path(check, path, sizeof path);
    int again = open(path, O_RDONLY | O_CLOEXEC);
    bool afterwards = read(again, bytes, 6) == 6 && memcmp(bytes, "BEFORE", 6) == 0;
    check_boolean(check, "read_sees_the_store_at_once", at_once);
    check_boolean(check, "read_sees_it_after_sigkill_of_the_writer", afterwards);
    check_string(check, "file_afterwards", bytes);
    return check_conclude(check, afterwards, at_once);
}

const struct claim claim_25 = {
    .number = 25,
    .mechanism = "mmap_file",
    .criteria = {"persists"},
    .source = "memcpy(p, \"BEFORE\", 6);\n"
              "pread(fd, buffer, 6, 0);  /* another process: \"BEFORE\", without msync */\n"
              "kill(writer, SIGKILL);    /* and it stays */",
    .sabotages = {"private"},
    .run = check_write_back,
};

/* ---- 26: a copy of the file? ---- */

static int check_copy(struct check *check)
{
    char *shared, *own;
    static char copied[16];
    int fd = mapping_make_file(check, "old", 3);
    if (fd < 0)
        return fd;
    int result = mapping_of(check, fd, MAP_SHARED, &shared);
    if (result == 0)
        result = mapping_of(check, fd, MAP_PRIVATE, &own);
    if (result != 0)
        return result;
    if (check_is_sabotaged(check, "copy")) { /* what the sentence describes */
        result = pread(fd, copied, sizeof copied, 0) < 0 ? -1 : 0;
        shared = own = copied;
    }
    bool wrote = result == 0 && pwrite(fd, "new", 3, 0) == 3;
    bool shared_follows = ((volatile char *)shared)[0] == 'n', own_follows = ((volatile char *)own)[0] == 'n';
    own[1] = 'E'; /* now that page is copied */
    wrote = wrote && pwrite(fd, "NEW", 3, 0) == 3;
    bool own_still_follows = ((volatile char *)own)[0] == 'N';
    check_boolean(check, "file_written_by_pwrite", wrote);
    check_boolean(check, "map_shared_shows_it", shared_follows);
    check_boolean(check, "map_private_shows_it", own_follows);
    check_boolean(check, "map_private_shows_it_after_a_store_of_its_own", own_still_follows);
    return check_conclude(check, !shared_follows, false);
}

const struct claim claim_26 = {
    .number = 26,
    .mechanism = "mmap_file",
    .source = "p = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);\n"
              "pwrite(fd, \"new\", 3, 0);\n"
              "p[0];  /* 'n': the mapping is the file's page in the cache, not a copy */",
    .sabotages = {"copy"},
    .run = check_copy,
};

/* ---- 27: by pages ---- */

static int check_page_chunks(struct check *check)
{
    char *memory, bytes[16] = "";
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    int fd = mapping_make_file(check, "12345", 5);
    if (fd < 0)
        return fd;
    if (check_is_sabotaged(check, "grow") && ftruncate(fd, (off_t)(3 * page_bytes)) != 0)
        return check_skip(check, "ftruncate", errno, "refused");
    memory = mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return check_skip(check, "mmap", errno, "refused");
    int tail_byte = (unsigned char)memory[page_bytes - 1];
    int tail_store = subject_write_signal(memory + 5);
    int beyond = subject_read_signal(memory + page_bytes);
    struct stat status = {.st_size = -1};
    fstat(fd, &status);
    ssize_t got = pread(fd, bytes, sizeof bytes, 0);
    check_integer(check, "file_bytes", status.st_size);
    check_integer(check, "last_byte_of_its_page", tail_byte);
    check_signal(check, "store_behind_end_of_file_signal", tail_store);
    check_integer(check, "read_afterwards_bytes", got);
    check_signal(check, "load_behind_last_page_signal", beyond);
    return check_conclude(check, tail_byte == 0 && tail_store == 0 && got == 5 && beyond == SIGBUS, false);
}

const struct claim claim_27 = {
    .number = 27,
    .mechanism = "mmap_file",
    .source = "/* a file of 5 bytes */\n"
              "p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);\n"
              "p[4095];      /* 0: the rest of the page is filled up */\n"
              "p[5] = 'w';   /* goes through, and is not in the file */\n"
              "p[4096];      /* SIGBUS: there is no such page of the file */",
    .sabotages = {"grow"},
    .run = check_page_chunks,
};

/* ---- 32: a number in a file, doubled ---- */

enum { ROUNDS = 300, ROOM_BYTES = 16 };

/* As the course's program does it: text in the mapped file to a number, twice that back as text. No more
 * than `size` bytes belong to the file. */
static void double_number(char *text, size_t size)
{
    char copy[ROOM_BYTES + 1] = "", result[16];
    memcpy(copy, text, size < ROOM_BYTES ? size : ROOM_BYTES);
    int32_t doubled = (int32_t)(2 * (uint32_t)strtol(copy, NULL, 10)); /* as a machine's int wraps */
    snprintf(result, sizeof result, "%d", (int)doubled);
    memcpy(text, result, strlen(result) + 1 < size ? strlen(result) + 1 : size);
}

static int double_file(struct check *check, const char *text, size_t size, int times, char *result)
{
    char *memory;
    char content[ROOM_BYTES] = "";
    snprintf(content, sizeof content, "%s", text);
    int fd = mapping_make_file(check, size == 1 ? text : content, size);
    int status = fd < 0 ? fd : mapping_of(check, fd, MAP_SHARED, &memory);
    if (status < 0)
        return status;
    for (int i = 0; i < times; i++)
        double_number(memory, size);
    ssize_t got = pread(fd, result, size, 0);
    result[got < 0 ? 0 : got] = '\0';
    close(fd);
    return 0;
}

/* Two processes double one number at the same moment; how often it was not quadrupled. */
static int count_wrong(struct check *check)
{
    int wrong = 0;
    char *memory;
    int fd = mapping_make_file(check, (char[ROOM_BYTES]){""}, ROOM_BYTES);
    if (fd < 0 || mapping_of(check, fd, MAP_SHARED, &memory) < 0)
        return -1;
    struct gate *gates = subject_memory(2 * ROUNDS * sizeof *gates);
    struct subject *second = subject_new();
    if (subject_fork(second) == 0) {
        subject_pin(1);
        for (int i = 0; i < ROUNDS; i++) {
            gate_pass(&gates[2 * i], 2);
            double_number(memory, ROOM_BYTES);
            gate_pass(&gates[2 * i + 1], 2);
        }
        _exit(0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        memcpy(memory, "15", sizeof "15");
        gate_pass(&gates[2 * i], 2);
        double_number(memory, ROOM_BYTES);
        gate_pass(&gates[2 * i + 1], 2);
        wrong += strcmp(memory, "60") != 0;
    }
    subject_wait(second, SUBJECT_PATIENCE_MS);
    return wrong;
}

static int check_doubling(struct check *check)
{
    char once[ROOM_BYTES + 1], twice[ROOM_BYTES + 1], narrow[ROOM_BYTES + 1], large[ROOM_BYTES + 1];
    size_t narrow_bytes = check_is_sabotaged(check, "room") ? ROOM_BYTES : 1;
    int result = double_file(check, "15", ROOM_BYTES, 1, once);
    if (result == 0)
        result = double_file(check, "78", ROOM_BYTES, 2, twice);
    if (result == 0)
        result = double_file(check, "5", narrow_bytes, 1, narrow);
    if (result == 0)
        result = double_file(check, "1999999999", ROOM_BYTES, 1, large);
    if (result != 0)
        return result;
    check_string(check, "doubled_15", once);
    check_string(check, "doubled_78_twice", twice);
    check_integer(check, "narrow_file_bytes", (int64_t)narrow_bytes);
    check_string(check, "doubled_5_in_narrow_file", narrow);
    check_string(check, "doubled_1999999999", large);
    check_integer(check, "rounds_of_two_doublers_count", ROUNDS);
    check_integer(check, "wrong_with_two_doublers_count", count_wrong(check));
    return check_conclude(check, strcmp(once, "30") == 0 && strcmp(twice, "312") == 0,
                          strcmp(narrow, "10") != 0);
}

const struct claim claim_32 = {
    .number = 32,
    .mechanism = "mmap_file",
    .criteria = {"synchronises"},
    .source = "p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);\n"
              "sscanf(p, \"%d\", &value);\n"
              "sprintf(p, \"%d\", 2 * value); /* 15 → 30; a file of 1 byte: 5 → 1 */",
    .sabotages = {"room"},
    .run = check_doubling,
};
