#include "common/faults.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_known(const struct faults *faults, const struct fault *fault)
{
    for (size_t i = 0; i < faults_kept(faults); i++)
        if (strcmp(faults->items[i].pointer, fault->pointer) == 0 &&
            strcmp(faults->items[i].detail, fault->detail) == 0)
            return true;
    return false;
}

void faults_add(struct faults *faults, const char *pointer, const char *format, ...)
{
    struct fault fault;
    snprintf(fault.pointer, sizeof fault.pointer, "%s", pointer);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault.detail, sizeof fault.detail, format, arguments);
    va_end(arguments);
    if (is_known(faults, &fault))
        return;
    if (faults->count < FAULTS_MAX)
        faults->items[faults->count] = fault;
    faults->count++;
}

void faults_add_below(struct faults *faults, const char *pointer, const struct faults *part)
{
    for (size_t i = 0; i < faults_kept(part); i++) {
        char whole[FAULT_POINTER_BYTES];
        snprintf(whole, sizeof whole, "%s%.60s", pointer, part->items[i].pointer);
        faults_add(faults, whole, "%s", part->items[i].detail);
    }
}
