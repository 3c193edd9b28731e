#include "common/faults.h"

#include <stdarg.h>
#include <stdio.h>

void faults_add(struct faults *faults, const char *pointer, const char *format, ...)
{
    if (faults->count < FAULTS_MAX) {
        struct fault *fault = &faults->items[faults->count];
        snprintf(fault->pointer, sizeof fault->pointer, "%s", pointer);
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(fault->detail, sizeof fault->detail, format, arguments);
        va_end(arguments);
    }
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
