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
