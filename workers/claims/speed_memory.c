/* What shared and mapped memory cost: first touch, copies, and against read(2). */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <unistd.h>

#include "common/clock.h"
#include "workers/claims/check.h"
#include "workers/claims/figures.h"
#include "workers/claims/mapping.h"
#include "workers/claims/segment.h"
#include "workers/claims/subject.h"

enum { MEMORY_BYTES = 1 << 20, TURNS = 15, TRIES = 4 };

/* ---- 5: like private memory? ---- */

struct passes {
    double first_ns, warm_ns;
    int64_t faults;
};

static double time_pass(char *memory)
{
    int64_t began_ns = clock_now_ns();
    for (size_t i = 0; i < MEMORY_BYTES; i += sizeof(uint64_t))
        *(volatile uint64_t *)(memory + i) = i;
    return (double)(clock_now_ns() - began_ns);
}

static int64_t faults_so_far(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

/* The best of several fresh pieces of memory. -errno when there is none. */
static int time_memory(struct check *check, bool shared, struct passes *best)
{
    *best = (struct passes){.first_ns = 1e12, .warm_ns = 1e12};
    for (int try = 0; try < TRIES; try++) {
        char *memory;
        int id = -1;
        if (shared) {
            id = segment_make(check, IPC_PRIVATE, MEMORY_BYTES, 0, &memory);
            if (id < 0)
                return id;
        } else {
            memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (memory == MAP_FAILED)
                return check_skip(check, "mmap", errno, "refused");
        }
        int64_t faults = faults_so_far();
        double first_ns = time_pass(memory);
        best->faults = faults_so_far() - faults;
        double warm_ns = time_pass(memory);
        best->first_ns = first_ns < best->first_ns ? first_ns : best->first_ns;
        best->warm_ns = warm_ns < best->warm_ns ? warm_ns : best->warm_ns;
        if (shared) {
            shmdt(memory);
            shmctl(id, IPC_RMID, NULL);
        } else {
            munmap(memory, MEMORY_BYTES);
        }
    }
    return 0;
}

static int check_private_speed(struct check *check)
{
    struct figures first = {.count = 0}, warm = first, first_private = first, warm_private = first;
    struct passes shared = {.faults = 0}, private = shared;
    bool shares = !check_is_sabotaged(check, "private");
    for (check->repeats = 0; check->repeats < TURNS; check->repeats++) {
        int result = time_memory(check, shares, &shared);
        if (result == 0)
            result = time_memory(check, false, &private);
        if (result != 0)
            return result;
        figures_add(&first, shared.first_ns);
        figures_add(&warm, shared.warm_ns);
        figures_add(&first_private, private.first_ns);
        figures_add(&warm_private, private.warm_ns);
    }
    struct figures firsts = figures_ratios(&first, &first_private),
                   warms = figures_ratios(&warm, &warm_private);
    check_integer(check, "memory_bytes", MEMORY_BYTES);
    check_number(check, "shared_first_pass_ns", figures_median(&first));
    check_number(check, "private_first_pass_ns", figures_median(&first_private));
    check_integer(check, "shared_page_faults_count", shared.faults);
    check_integer(check, "private_page_faults_count", private.faults);
    check_number(check, "shared_second_pass_ns", figures_median(&warm));
    check_number(check, "private_second_pass_ns", figures_median(&warm_private));
    check_number(check, "first_pass_ratio", figures_median(&firsts));
    check_number(check, "second_pass_ratio", figures_median(&warms));
    enum figures_order as_fast = figures_compare(&warms, 1.3), dearer = figures_compare(&firsts, 1.1);
    if (as_fast == FIGURES_UNCLEAR || dearer == FIGURES_UNCLEAR)
        return check_leave_open(check, "inconclusive");
    return check_conclude(check, as_fast == FIGURES_BELOW, dearer == FIGURES_ABOVE);
}

const struct claim claim_5 = {
    .number = 5,
    .mechanism = "shm_sysv",
    .is_timed = true,
    .source = "shared = shmat(shmget(IPC_PRIVATE, 1 << 20, 0600), NULL, 0);\n"
              "private = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
              "/* the first meets 256 page faults in each */\n"
              "for (pass = 0; pass < 2; pass++)\n"
              "    for (i = 0; i < (1 << 20) / 8; i++)\n"
              "        memory[i] = i;",
    .sabotages = {"private"},
    .run = check_private_speed,
};

/* ---- 7: without copying? ---- */

static void produce(uint64_t *to)
{
    for (size_t i = 0; i < MEMORY_BYTES / sizeof *to; i++)
        to[i] = i;
}

static uint64_t consume(const uint64_t *from)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < MEMORY_BYTES / sizeof *from; i++)
        sum += from[i];
    return sum;
}

/* Nanoseconds from the first byte made to the last one used. */
static double time_transfer(uint64_t *shared, bool copies, uint64_t *sum)
{
    static uint64_t made[MEMORY_BYTES / sizeof(uint64_t)], used[MEMORY_BYTES / sizeof(uint64_t)];
    double best = 1e12;
    for (int try = 0; try < TRIES; try++) {
        int64_t began_ns = clock_now_ns();
        produce(copies ? made : shared);
        if (copies) {
            memcpy(shared, made, sizeof made);
            memcpy(used, shared, sizeof used);
        }
        *sum = consume(copies ? used : shared);
        double took_ns = (double)(clock_now_ns() - began_ns);
        best = took_ns < best ? took_ns : best;
    }
    return best;
}

static int check_copying(struct check *check)
{
    char *memory;
    int id = segment_make(check, IPC_PRIVATE, MEMORY_BYTES, 0, &memory);
    if (id < 0)
        return id;
    struct figures in_place = {.count = 0}, copied = in_place;
    uint64_t sum, sum_copied;
    bool copies = !check_is_sabotaged(check, "in_place");
    for (check->repeats = 0; check->repeats < TURNS; check->repeats++) {
        figures_add(&in_place, time_transfer((uint64_t *)memory, false, &sum));
        figures_add(&copied, time_transfer((uint64_t *)memory, copies, &sum_copied));
    }
    struct subject *consumer = subject_new();
    if (subject_fork(consumer) == 0) {
        consumer->values[0] = (int64_t)consume((const uint64_t *)memory);
        _exit(0);
    }
    subject_wait(consumer, SUBJECT_PATIENCE_MS);
    bool used_in_place = (uint64_t)consumer->values[0] == sum && sum == sum_copied;
    struct figures ratios = figures_ratios(&copied, &in_place);
    check_integer(check, "memory_bytes", MEMORY_BYTES);
    check_boolean(check, "other_process_used_it_in_place", used_in_place);
    check_number(check, "in_place_ns", figures_median(&in_place));
    check_number(check, "copied_in_and_out_ns", figures_median(&copied));
    check_number(check, "copied_to_in_place_ratio", figures_median(&ratios));
    enum figures_order dearer = figures_compare(&ratios, 1.1);
    if (dearer == FIGURES_UNCLEAR)
        return check_leave_open(check, "inconclusive");
    return check_conclude(check, used_in_place, dearer == FIGURES_ABOVE);
}

const struct claim claim_7 = {
    .number = 7,
    .mechanism = "shm_sysv",
    .is_timed = true,
    .source = "produce(shared); consume(shared);  /* in place */\n"
              "\n"
              "/* as a channel: two copies, like a pipe's */\n"
              "produce(mine);\n"
              "memcpy(shared, mine, n);\n"
              "memcpy(yours, shared, n);\n"
              "consume(yours);",
    .sabotages = {"in_place"},
    .run = check_copying,
};

/* ---- 28: fast file access ---- */

enum { FILE_BYTES = 16 << 20, ACCESSES = 2000, ACCESS_BYTES = 64 };

/* Nanoseconds for each of many accesses at random places of a file that is in memory. */
static double time_accesses(int fd, const char *memory)
{
    char bytes[ACCESS_BYTES];
    uint64_t dice = 88172645463325252u, sum = 0;
    int64_t began_ns = clock_now_ns();
    for (int i = 0; i < ACCESSES; i++) {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        size_t place = dice % (FILE_BYTES / ACCESS_BYTES) * ACCESS_BYTES;
        if (memory != NULL)
            memcpy(bytes, memory + place, ACCESS_BYTES);
        else if (pread(fd, bytes, ACCESS_BYTES, (off_t)place) != ACCESS_BYTES)
            return -1;
        __asm__ volatile("" : : "r"(bytes) : "memory"); /* the bytes are used, as far as gcc knows */
        sum += (unsigned char)bytes[0];
    }
    double each_ns = (double)(clock_now_ns() - began_ns) / ACCESSES;
    return sum == 0 ? each_ns : -1;
}

static int check_file_access(struct check *check)
{
    int fd = mapping_make_file(check, "", 1);
    if (fd < 0)
        return fd;
    if (ftruncate(fd, FILE_BYTES) != 0)
        return check_skip(check, "ftruncate", errno, "refused");
    char *memory = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (memory == MAP_FAILED)
        return check_skip(check, "mmap", errno, "refused");
    memset(memory, 0, FILE_BYTES); /* all of it in the page cache, and mapped */
    struct figures mapped = {.count = 0}, reading = mapped;
    bool maps = !check_is_sabotaged(check, "pread");
    for (check->repeats = 0; check->repeats < TURNS; check->repeats++) {
        figures_add(&mapped, time_accesses(fd, maps ? memory : NULL));
        figures_add(&reading, time_accesses(fd, NULL));
    }
    struct figures ratios = figures_ratios(&reading, &mapped);
    check_integer(check, "file_bytes", FILE_BYTES);
    check_integer(check, "access_bytes", ACCESS_BYTES);
    check_number(check, "mapped_access_ns", figures_median(&mapped));
    check_number(check, "pread_access_ns", figures_median(&reading));
    check_number(check, "pread_to_mapped_ratio", figures_median(&ratios));
    enum figures_order faster = figures_compare(&ratios, 2);
    if (faster == FIGURES_UNCLEAR)
        return check_leave_open(check, "inconclusive");
    return check_conclude(check, faster == FIGURES_ABOVE, false);
}

const struct claim claim_28 = {
    .number = 28,
    .mechanism = "mmap_file",
    .is_timed = true,
    .source = "pread(fd, record, 64, place);     /* a system call and a copy */\n"
              "memcpy(record, map + place, 64);  /* loads and stores */",
    .sabotages = {"pread"},
    .run = check_file_access,
};
