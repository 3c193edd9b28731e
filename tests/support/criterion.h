/* criterion: the test framework, for files that hold tests.
 *
 * Criterion 2.4.1's macros store an int in a one-bit field wherever they
 * are used, so that -Wconversion would speak about every assertion of the file. */
#ifndef IPCLAB_TESTS_SUPPORT_CRITERION_H
#define IPCLAB_TESTS_SUPPORT_CRITERION_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#pragma GCC diagnostic ignored "-Wconversion"

#endif
