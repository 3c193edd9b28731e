#include "server/machine.h"

#include <errno.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/cgroup.h"
#include "common/cleanup.h"
#include "common/cpus.h"

enum { FACT_BYTES = 512 };

/* One reader a fact: fills value, or leaves "" when this machine does not say. argument is a path or a key.
 */
struct fact {
    const char *name;
    bool comparable; /* two machines that differ in it are not compared */
    void (*read)(char value[FACT_BYTES], const char *argument);
    const char *argument;
};

static void read_first_line(char value[FACT_BYTES], const char *path)
{
    if (text_read_line(path, value, FACT_BYTES) < 0)
        value[0] = '\0';
}

/* "key : value" of the first processor in /proc/cpuinfo, or a line "key: value kB" of /proc/meminfo. */
static void read_keyed(char value[FACT_BYTES], const char *path, const char *key)
{
    AUTO_FCLOSE FILE *file = fopen(path, "re");
    char line[4096];
    size_t key_length = strlen(key);
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (colon == NULL || strncmp(line, key, key_length) != 0 || strchr(" \t:", line[key_length]) == NULL)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        snprintf(value, FACT_BYTES, "%.*s", (int)strcspn(colon, "\n"), colon);
        return;
    }
}

static void read_cpuinfo(char value[FACT_BYTES], const char *key)
{
    read_keyed(value, "/proc/cpuinfo", key);
}

static void read_meminfo(char value[FACT_BYTES], const char *key)
{
    read_keyed(value, "/proc/meminfo", key);
}

static void read_kernel(char value[FACT_BYTES], const char *argument)
{
    (void)argument;
    struct utsname name;
    if (uname(&name) == 0)
        snprintf(value, FACT_BYTES, "%s %s", name.sysname, name.release);
}

static void read_kernel_build(char value[FACT_BYTES], const char *argument)
{
    (void)argument;
    struct utsname name;
    if (uname(&name) == 0)
        snprintf(value, FACT_BYTES, "%s", name.version);
}

static void read_architecture(char value[FACT_BYTES], const char *argument)
{
    (void)argument;
    struct utsname name;
    if (uname(&name) == 0)
        snprintf(value, FACT_BYTES, "%s", name.machine);
}

static int usable_cpus(void)
{
    struct cpus cpus;
    return cpus_read(&cpus) == 0 ? cpus_count(&cpus) : 1;
}

static void read_cpus_online(char value[FACT_BYTES], const char *argument)
{
    (void)argument;
    snprintf(value, FACT_BYTES, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
}

static void read_cpus_usable(char value[FACT_BYTES], const char *argument)
{
    (void)argument;
    snprintf(value, FACT_BYTES, "%d", usable_cpus());
}

/* "L1d 32K, L2 1024K, L3 32768K" of CPU 0, with how many CPUs share each. */
static void read_caches(char value[FACT_BYTES], const char *argument)
{
    (void)argument;
    size_t used = 0;
    for (int index = 0; index < 8; index++) {
        char path[128], level[16], type[32], size[32], shared[64];
        const char *const base = "/sys/devices/system/cpu/cpu0/cache/index%d/%s";
        snprintf(path, sizeof path, base, index, "level");
        if (text_read_line(path, level, sizeof level) < 0)
            return;
        snprintf(path, sizeof path, base, index, "type");
        if (text_read_line(path, type, sizeof type) < 0 || strcmp(type, "Instruction") == 0)
            continue;
        snprintf(path, sizeof path, base, index, "size");
        if (text_read_line(path, size, sizeof size) < 0)
            continue;
        snprintf(path, sizeof path, base, index, "shared_cpu_list");
        if (text_read_line(path, shared, sizeof shared) < 0)
            shared[0] = '\0';
        used +=
            (size_t)snprintf(value + used, FACT_BYTES - used, "%sL%s%s %s (CPUs %s)", used > 0 ? ", " : "",
                             level, strcmp(type, "Data") == 0 ? "d" : "", size, shared);
        if (used >= FACT_BYTES)
            return;
    }
}

/* Every entry of /sys/…/vulnerabilities that says more than "Not affected". */
static void read_mitigations(char value[FACT_BYTES], const char *argument)
{
    static const char *const names[] = {
        "gather_data_sampling",
        "itlb_multihit",
        "l1tf",
        "mds",
        "meltdown",
        "mmio_stale_data",
        "retbleed",
        "spec_rstack_overflow",
        "spec_store_bypass",
        "spectre_v1",
        "spectre_v2",
        "srbds",
        "tsa",
        "tsx_async_abort",
        "vmscape",
    };
    size_t used = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && used < FACT_BYTES; i++) {
        char path[128], line[FACT_BYTES];
        snprintf(path, sizeof path, "%s/%s", argument, names[i]);
        if (text_read_line(path, line, sizeof line) < 0 || strcmp(line, "Not affected") == 0)
            continue;
        used += (size_t)snprintf(value + used, FACT_BYTES - used, "%s%s: %s", used > 0 ? "; " : "", names[i],
                                 line);
    }
}

/* From the CPU's hypervisor flag and the firmware's name of the product: no privilege needed for either. */
static void read_virtualisation(char value[FACT_BYTES], const char *argument)
{
    (void)argument;
    char flags[4096];
    AUTO_FCLOSE FILE *file = fopen("/proc/cpuinfo", "re");
    bool hypervisor = false;
    while (file != NULL && fgets(flags, sizeof flags, file) != NULL)
        hypervisor |= strncmp(flags, "flags", 5) == 0 && strstr(flags, " hypervisor") != NULL;
    char product[128] = "";
    if (text_read_line("/sys/class/dmi/id/product_name", product, sizeof product) < 0)
        product[0] = '\0';
    snprintf(value, FACT_BYTES, "%s%s%s", hypervisor ? "virtual machine" : "none seen",
             product[0] != '\0' ? ", " : "", product);
}

/* Of the server's control groups, in which the workers are too: "QUOTA PERIOD" in microseconds, as cpu.max
 * has it. A machine without a quota is the same machine whether it has control groups or not. */
static void read_cpu_quota(char value[FACT_BYTES], const char *argument)
{
    (void)argument;
    struct cgroup cgroup;
    struct cgroup_quota quota = {.quota_us = 0};
    if (cgroup_find(&cgroup))
        quota = cgroup_read_quota(cgroup);
    if (quota.quota_us > 0)
        snprintf(value, FACT_BYTES, "%" PRId64 " %" PRId64, quota.quota_us, quota.period_us);
}

static void read_libc(char value[FACT_BYTES], const char *argument)
{
    (void)argument;
    snprintf(value, FACT_BYTES, "glibc %s", gnu_get_libc_version());
}

static void read_compiler(char value[FACT_BYTES], const char *argument)
{
    (void)argument;
#ifdef __clang__
    snprintf(value, FACT_BYTES, "clang %s", __clang_version__);
#else
    snprintf(value, FACT_BYTES, "gcc %s", __VERSION__);
#endif
#ifndef __OPTIMIZE__
    text_copy(value + strlen(value), FACT_BYTES - strlen(value), ", not optimised");
#endif
#ifdef IPCLAB_SANITIZE
    text_copy(value + strlen(value), FACT_BYTES - strlen(value), ", with sanitizers");
#endif
}

static void read_page_bytes(char value[FACT_BYTES], const char *argument)
{
    (void)argument;
    snprintf(value, FACT_BYTES, "%ld", sysconf(_SC_PAGESIZE));
}

#define CPU0 "/sys/devices/system/cpu/cpu0/"
static const struct fact facts[] = {
    {"kernel", true, read_kernel, NULL},
    {"kernel_build", false, read_kernel_build, NULL},
    {"kernel_command_line", false, read_first_line, "/proc/cmdline"},
    {"architecture", true, read_architecture, NULL},
    {"cpu_model", true, read_cpuinfo, "model name"},
    {"cpu_microcode", false, read_cpuinfo, "microcode"},
    {"cpus_online", true, read_cpus_online, NULL},
    {"cpu_list", true, read_first_line, "/sys/devices/system/cpu/online"},
    {"cpus_usable", true, read_cpus_usable, NULL},
    {"smt", true, read_first_line, "/sys/devices/system/cpu/smt/control"},
    {"caches", true, read_caches, NULL},
    {"governor", true, read_first_line, CPU0 "cpufreq/scaling_governor"},
    {"idle_driver", true, read_first_line, "/sys/devices/system/cpu/cpuidle/current_driver"},
    {"clock_source", true, read_first_line,
     "/sys/devices/system/clocksource/clocksource0/current_clocksource"},
    {"mitigations", true, read_mitigations, "/sys/devices/system/cpu/vulnerabilities"},
    {"virtualisation", true, read_virtualisation, NULL},
    {"cgroup_cpu_max", true, read_cpu_quota, NULL},
    {"huge_pages", false, read_first_line, "/sys/kernel/mm/transparent_hugepage/enabled"},
    {"memory", false, read_meminfo, "MemTotal"},
    {"page_bytes", true, read_page_bytes, NULL},
    {"libc", true, read_libc, NULL},
    {"compiler", true, read_compiler, NULL},
    {"pipe_bytes_max", false, read_first_line, "/proc/sys/fs/pipe-max-size"},
    {"socket_send_bytes_max", false, read_first_line, "/proc/sys/net/core/wmem_max"},
    {"socket_receive_bytes_max", false, read_first_line, "/proc/sys/net/core/rmem_max"},
};

int machine_read(struct machine *machine, const char *isolation, struct err *err)
{
    *machine = (struct machine){.cpus = usable_cpus(), .overhead = "null"};
    AUTO(text_fini) struct text comparable = TEXT_EMPTY;
    struct json_writer all = json_writer_on(&machine->facts);
    json_begin_object(&all, NULL);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        char value[FACT_BYTES] = "";
        facts[i].read(value, facts[i].argument);
        value[text_utf8_valid_prefix(value, strlen(value))] = '\0';
        if (value[0] == '\0')
            continue;
        json_write_string(&all, facts[i].name, value);
        if (facts[i].comparable)
            text_printf(&comparable, "%s=%s\n", facts[i].name, value);
    }
    json_end_object(&all);
    text_printf(&comparable, "isolation=%s\n", isolation);
    if (!text_ok(&comparable) || !text_ok(&machine->facts))
        return err_set(err, ENOMEM, "out of memory while reading the machine's facts");
    bytes_hash_hex(comparable.bytes, comparable.length, machine->comparable);
    bytes_hash_hex(machine->facts.bytes, machine->facts.length, machine->full);
    text_copy(machine->isolation, sizeof machine->isolation, isolation);
    if (gethostname(machine->host, sizeof machine->host - 1) < 0)
        machine->host[0] = '\0';
    return 0;
}

void machine_set_overhead(struct machine *machine, const char *output)
{
    static const char *const names[] = {"clock_ns", "histogram_ns", "verify_header_ns",
                                        "verify_full_ns_per_kib", "loop_ns"};
    AUTO(json_cleanup) struct json_node *document = json_parse(output, strlen(output), NULL);
    AUTO(text_fini) struct text text = TEXT_EMPTY;
    struct json_writer writer = json_writer_on(&text);
    json_begin_object(&writer, NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        double value = json_number_or(json_member(document, names[i]), -1);
        if (value < 0)
            return;
        json_write_number(&writer, names[i], value);
    }
    json_end_object(&writer);
    if (text_ok(&text) && text.length < sizeof machine->overhead)
        text_copy(machine->overhead, sizeof machine->overhead, text_string(&text));
}

double machine_load(void)
{
    double load = 0;
    return getloadavg(&load, 1) == 1 ? load : NAN;
}

void machine_fini(struct machine *machine)
{
    text_fini(&machine->facts);
}

void machine_write(struct json_writer *writer, const struct machine *machine)
{
    double load[3] = {0, 0, 0};
    int known = getloadavg(load, 3);
    json_begin_object(writer, NULL);
    json_write_string(writer, "comparable", machine->comparable);
    json_write_string(writer, "full", machine->full);
    json_write_string(writer, "host", machine->host);
    json_write_integer(writer, "cpus", machine->cpus);
    json_write_raw(writer, "facts", text_string(&machine->facts));
    json_write_raw(writer, "isolation", machine->isolation);
    json_begin_array(writer, "load");
    for (int i = 0; i < known; i++)
        json_write_number(writer, NULL, load[i]);
    json_end_array(writer);
    json_write_raw(writer, "overhead", machine->overhead);
    json_end_object(writer);
}

int machine_archive(const struct machine *machine, struct store *store, int64_t *id, struct err *err)
{
    struct store_machine row = {.facts = machine->facts.bytes};
    text_copy(row.comparable, sizeof row.comparable, machine->comparable);
    text_copy(row.full, sizeof row.full, machine->full);
    return store_machine_put(store, &row, id, err);
}
