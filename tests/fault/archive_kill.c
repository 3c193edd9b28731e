/* archive_kill: a server is killed while it archives, over and over, and nothing it acknowledged is lost.
 *
 * A child opens the archive, recovers, and inserts runs and trials; after every commit it sends what it
 * committed through a pipe. The parent kills it with SIGKILL after a random number of acknowledgements and a
 * random moment more, reads the pipe to its end, opens the archive, compares and verifies it, and begins
 * again with the same archive. At the end everything that was ever acknowledged is compared once more.
 *
 * IPCLAB_KILLS = how many (default 30), IPCLAB_SEED = another course of events (default 1). Closing line on
 * standard output, exit 0 when all is well. */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/ulid.h"
#include "db/store.h"
#include "tests/support/archive.h"
#include "tests/support/random.h"
#include "tests/support/scratch.h"

enum { KILLS = 30, ACKNOWLEDGEMENTS_MAX = 40, SPIN_NS_MAX = 2000000, TRIALS_A_RUN = 4, SAMPLES = 800 };

/* One commit; a frame smaller than PIPE_BUF, so it arrives whole or not at all. */
struct acknowledgement {
    int64_t run_id;
    int64_t sequence;  /* of a trial, -1 for the run itself */
    uint32_t checksum; /* of the trial's histogram */
    bool ends_run;
};

/* ---- the child ---- */

__attribute__((noreturn)) static void die(const char *what, const struct err *err)
{
    fprintf(stderr, "archive_kill: %s: %s\n", what, err->text);
    _exit(EXIT_FAILURE);
}

static void acknowledge(int pipe_fd, const struct acknowledgement *acknowledgement)
{
    if (write(pipe_fd, acknowledgement, sizeof *acknowledgement) != (ssize_t)sizeof *acknowledgement)
        _exit(EXIT_FAILURE);
}

static uint32_t checksum_of(const struct store_trial *trial)
{
    return bytes_crc32(trial->histogram.bytes, trial->histogram.length);
}

static void archive_one_run(struct store *store, int pipe_fd)
{
    struct err err = {0};
    struct store_run run = archive_run("killed");
    ulid_make(clock_wall_ms(), run.uid); /* the archive outlives this process */
    if (store_run_insert(store, &run, archive_cases, ARCHIVE_CASES, NULL, &err) < 0)
        die("insert a run", &err);
    acknowledge(pipe_fd, &(struct acknowledgement){.run_id = run.id, .sequence = -1});
    struct store_run_change start = {.state = RUN_RUNNING}, end = {.state = RUN_DONE};
    if (store_run_change(store, run.id, &start, &err) < 0)
        die("start a run", &err);
    for (int64_t i = 0; i < TRIALS_A_RUN; i++) {
        AUTO(store_trial_fini) struct store_trial trial = archive_trial(run.id, i, SAMPLES);
        bool is_last = i == TRIALS_A_RUN - 1;
        if (store_trial_insert(store, &trial, true, is_last ? &end : NULL, &err) < 0)
            die("insert a trial", &err);
        acknowledge(pipe_fd, &(struct acknowledgement){.run_id = run.id,
                                                       .sequence = i,
                                                       .checksum = checksum_of(&trial),
                                                       .ends_run = is_last});
    }
}

__attribute__((noreturn)) static void serve(const char *directory, int pipe_fd)
{
    struct store *store = NULL;
    struct err err = {0};
    int64_t recovered = 0;
    if (store_open(directory, &store, &err) < 0 || store_run_recover(store, &recovered, &err) < 0)
        die("open the archive", &err);
    for (;;)
        archive_one_run(store, pipe_fd);
}

/* ---- the parent ---- */

struct ledger {
    struct acknowledgement *items;
    size_t count, capacity;
};

static void note(struct ledger *ledger, const struct acknowledgement *acknowledgement)
{
    if (ledger->count == ledger->capacity) {
        ledger->capacity = ledger->capacity > 0 ? 2 * ledger->capacity : 1024;
        ledger->items = realloc(ledger->items, ledger->capacity * sizeof ledger->items[0]);
        if (ledger->items == NULL)
            errx(EXIT_FAILURE, "archive_kill: no memory");
    }
    ledger->items[ledger->count++] = *acknowledgement;
}

/* False at the end of the pipe. */
static bool read_one(int pipe_fd, struct ledger *ledger)
{
    struct acknowledgement acknowledgement;
    ssize_t got = read(pipe_fd, &acknowledgement, sizeof acknowledgement);
    if (got == 0)
        return false;
    if (got != (ssize_t)sizeof acknowledgement)
        errx(EXIT_FAILURE, "archive_kill: half an acknowledgement");
    note(ledger, &acknowledgement);
    return true;
}

/* Any moment of the next commit, not the one right after an acknowledgement. */
static void spin(int64_t duration_ns)
{
    int64_t end_ns = clock_now_ns() + duration_ns;
    while (clock_now_ns() < end_ns)
        ;
}

static void run_and_kill(const char *directory, uint64_t *random, struct ledger *ledger)
{
    int ends[2];
    if (pipe(ends) < 0)
        err(EXIT_FAILURE, "archive_kill: pipe");
    pid_t child = fork();
    if (child < 0)
        err(EXIT_FAILURE, "archive_kill: fork");
    if (child == 0) {
        close(ends[0]);
        serve(directory, ends[1]);
    }
    close(ends[1]);
    bool is_open = true;
    for (uint64_t wanted = random_below(random, ACKNOWLEDGEMENTS_MAX); wanted > 0 && is_open; wanted--)
        is_open = read_one(ends[0], ledger);
    spin((int64_t)random_below(random, SPIN_NS_MAX));
    kill(child, SIGKILL);
    while (is_open)
        is_open = read_one(ends[0], ledger);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        errx(EXIT_FAILURE, "archive_kill: the child ended by itself (status %d)", status);
}

struct search {
    int64_t sequence;
    uint32_t checksum;
    bool found;
};

static int look_at(void *context, const struct store_trial *trial)
{
    struct search *search = context;
    search->found =
        search->found || (trial->sequence == search->sequence && checksum_of(trial) == search->checksum);
    return 0;
}

static bool is_kept(struct store *store, const struct acknowledgement *acknowledgement)
{
    struct err err = {0};
    struct store_run run;
    if (store_run_get(store, acknowledgement->run_id, &run, &err) < 0)
        return false;
    bool is_run_kept = strcmp(run.name, "killed") == 0 && run.trials_done > acknowledgement->sequence &&
                       (!acknowledgement->ends_run || run.state == RUN_DONE);
    store_run_fini(&run);
    if (acknowledgement->sequence < 0 || !is_run_kept)
        return is_run_kept;
    struct search search = {.sequence = acknowledgement->sequence, .checksum = acknowledgement->checksum};
    return store_trial_each(store, acknowledgement->run_id, 0, 0, STORE_TRIAL_HISTOGRAM, look_at, &search,
                            &err) == 0 &&
           search.found;
}

/* How many of the acknowledgements from this one on are lost. */
static size_t count_lost(const char *directory, const struct ledger *ledger, size_t from)
{
    struct store *store = NULL;
    struct err err = {0};
    if (store_open(directory, &store, &err) < 0)
        errx(EXIT_FAILURE, "archive_kill: the archive does not open: %s", err.text);
    archive_must_be_whole(store);
    size_t lost = 0;
    for (size_t i = from; i < ledger->count; i++)
        lost += is_kept(store, &ledger->items[i]) ? 0 : 1;
    store_close(store);
    return lost;
}

static uint64_t environment_or(const char *name, uint64_t fallback)
{
    const char *value = getenv(name);
    return value != NULL ? strtoull(value, NULL, 10) : fallback;
}

int main(void)
{
    AUTO(scratch_fini) struct scratch scratch;
    struct ledger ledger = {.count = 0};
    uint64_t kills = environment_or("IPCLAB_KILLS", KILLS);
    uint64_t random = random_seeded();
    size_t lost = 0;
    scratch_init(&scratch);
    for (uint64_t i = 0; i < kills && lost == 0; i++) {
        size_t before = ledger.count;
        run_and_kill(scratch.path, &random, &ledger);
        lost = count_lost(scratch.path, &ledger, before);
    }
    lost += count_lost(scratch.path, &ledger, 0);
    printf("archive_kill: %llu kills, %zu commits acknowledged, %zu lost, the archive is whole\n",
           (unsigned long long)kills, ledger.count, lost);
    free(ledger.items);
    return lost == 0 && ledger.count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
