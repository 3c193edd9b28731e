/* What mmap asks for and what it grants: offset, length, address, protection: mmap(2), munmap(2). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "workers/claims/check.h"
#include "workers/claims/mapping.h"
#include "workers/claims/subject.h"

static int map_errno(int fd, size_t length, off_t offset)
{
    void *memory = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, offset);
    int error = memory == MAP_FAILED ? errno : 0;
    if (memory != MAP_FAILED)
        munmap(memory, length);
    return error;
}

/* ---- 29: offset and length ---- */

static int check_offsets(struct check *check)
{
    off_t page_bytes = sysconf(_SC_PAGESIZE);
    int fd = mapping_make_file(check, "content", 7);
    if (fd < 0)
        return fd;
    if (ftruncate(fd, 3 * page_bytes) != 0)
        return check_skip(check, "ftruncate", errno, "refused");
    bool aligned_alone = check_is_sabotaged(check, "aligned");
    int at_page = map_errno(fd, 100, page_bytes);
    int at_one = map_errno(fd, 100, aligned_alone ? 2 * page_bytes : 1);
    int nothing = map_errno(fd, aligned_alone ? 1 : 0, 0);
    int behind_end = map_errno(fd, 100, 100 * page_bytes);
    check_errno(check, "offset_of_a_page_length_100_errno", at_page);
    check_errno(check, "offset_1_errno", at_one);
    check_errno(check, "length_0_errno", nothing);
    check_errno(check, "offset_behind_end_errno", behind_end);
    return check_conclude(check, at_page == 0, at_one != 0 || nothing != 0);
}

const struct claim claim_29 = {
    .number = 29,
    .mechanism = "mmap_file",
    .source = "/* any multiple of a page */\n"
              "mmap(NULL, 100, PROT_READ, MAP_SHARED, fd, 4096);\n"
              "mmap(NULL, 100, PROT_READ, MAP_SHARED, fd, 1);      /* EINVAL */\n"
              "mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0);        /* EINVAL */\n"
              "/* behind the end: granted */\n"
              "mmap(NULL, 100, PROT_READ, MAP_SHARED, fd, 409600);",
    .sabotages = {"aligned"},
    .run = check_offsets,
};

/* ---- 30: protection ---- */

static int check_protection(struct check *check)
{
    char path[ENCLOSURE_PATH_BYTES + 8];
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    int fd = mapping_make_file(check, "content", 7);
    if (fd < 0)
        return fd;
    mapping_path(check, path, sizeof path);
    int read_only_fd = open(path, O_RDONLY | O_CLOEXEC);
    int granted = check_is_sabotaged(check, "writable") ? PROT_READ | PROT_WRITE : PROT_READ;
    char *readable = mmap(NULL, page_bytes, granted, MAP_SHARED, fd, 0);
    char *writable = mmap(NULL, page_bytes, PROT_WRITE, MAP_SHARED, fd, 0);
    if (readable == MAP_FAILED || writable == MAP_FAILED)
        return check_skip(check, "mmap", errno, "refused");
    char *refused = mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, read_only_fd, 0);
    int refused_errno = refused == MAP_FAILED ? errno : 0;
    int store = subject_write_signal(readable), load = subject_read_signal(writable);
    check_signal(check, "store_to_prot_read_signal", store);
    check_signal(check, "load_from_prot_write_alone_signal", load);
    check_errno(check, "prot_write_of_a_file_opened_read_only_errno", refused_errno);
    return check_conclude(check, store == SIGSEGV && refused_errno == EACCES, load == 0);
}

const struct claim claim_30 = {
    .number = 30,
    .mechanism = "mmap_file",
    .source = "p = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);\n"
              "*p = 'w';  /* SIGSEGV */\n"
              "p = mmap(NULL, n, PROT_WRITE, MAP_SHARED, fd, 0);\n"
              "/* works here: this CPU has no pages that can be written and not read */\n"
              "c = *p;",
    .sabotages = {"writable"},
    .run = check_protection,
};

/* ---- 31: letting go ---- */

static int check_release(struct check *check)
{
    char *memory;
    int fd = mapping_make_file(check, "content", 7);
    int result = fd < 0 ? fd : mapping_of(check, fd, MAP_SHARED, &memory);
    if (result != 0)
        return result;
    close(fd);
    int after_close = subject_read_signal(memory);
    if (!check_is_sabotaged(check, "no_munmap") && munmap(memory, (size_t)sysconf(_SC_PAGESIZE)) != 0)
        return check_skip(check, "munmap", errno, "refused");
    int after_munmap = subject_read_signal(memory);
    check_signal(check, "load_after_close_signal", after_close);
    check_signal(check, "load_after_munmap_signal", after_munmap);
    return check_conclude(check, after_close == 0 && after_munmap == SIGSEGV, false);
}

const struct claim claim_31 = {
    .number = 31,
    .mechanism = "mmap_file",
    .criteria = {"persists"},
    .source = "close(fd);\n"
              "c = *p;        /* works: the mapping holds the file by itself */\n"
              "munmap(p, n);\n"
              "c = *p;        /* SIGSEGV */",
    .sabotages = {"no_munmap"},
    .run = check_release,
};

/* ---- 74: the address ---- */

static int check_address_choice(struct check *check)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *taken;
    int fd = mapping_make_file(check, "content", 7);
    int result = fd < 0 ? fd : mapping_of(check, fd, MAP_SHARED, &taken);
    if (result != 0)
        return result;
    int flags = MAP_SHARED | (check_is_sabotaged(check, "fixed") ? MAP_FIXED : 0);
    char *chosen = mmap(NULL, page_bytes, PROT_READ, MAP_SHARED, fd, 0);
    char *hinted = mmap(taken, page_bytes, PROT_READ, flags, fd, 0);
    char *insisted = mmap(taken, page_bytes, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
    int insisted_errno = insisted == MAP_FAILED ? errno : 0;
    if (chosen == MAP_FAILED || hinted == MAP_FAILED)
        return check_skip(check, "mmap", errno, "refused");
    bool aligned = (uintptr_t)chosen % page_bytes == 0;
    check_address(check, "chosen_address", chosen);
    check_address(check, "taken_address", taken);
    check_address(check, "hint_of_taken_gave_address", hinted);
    check_errno(check, "map_fixed_noreplace_errno", insisted_errno);
    return check_conclude(check, aligned && chosen != taken && hinted != taken && insisted_errno == EEXIST,
                          false);
}

const struct claim claim_74 = {
    .number = 74,
    .mechanism = "mmap_file",
    .source = "p = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);\n"
              "q = mmap(p, n, PROT_READ, MAP_SHARED, fd, 0);  /* q != p: a hint */\n"
              "mmap(p, n, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0); /* EEXIST */",
    .sabotages = {"fixed"},
    .run = check_address_choice,
};
