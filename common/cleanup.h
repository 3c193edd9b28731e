/* cleanup: what a scope owns is given back when the scope ends.
 *
 *     AUTO_CLOSE int fd = open(...);
 *     ...
 *     return take_fd(&fd);          the caller owns it now
 *
 * The teardown order is the reverse of declaration; where another order matters the code uses goto out. */
#ifndef IPCLAB_COMMON_CLEANUP_H
#define IPCLAB_COMMON_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_pointer(void *pointer)
{
    free(*(void **)pointer);
}

static inline void cleanup_close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_close_file(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

#define AUTO(function) __attribute__((cleanup(function)))
#define AUTO_FREE AUTO(cleanup_free_pointer)
#define AUTO_CLOSE AUTO(cleanup_close_fd)
#define AUTO_FCLOSE AUTO(cleanup_close_file)

static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

static inline void *take_pointer_impl(void *pointer_to_pointer)
{
    void **slot = pointer_to_pointer;
    void *taken = *slot;
    *slot = NULL;
    return taken;
}
/* The type of the variable is kept. */
#define take_pointer(variable) ((__typeof__(variable))take_pointer_impl(&(variable)))

#endif
