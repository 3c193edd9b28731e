/* pause: what a spinning wait does between two looks.
 *
 * On x86 `pause` lets a sibling thread of the core have the pipeline and avoids the mis-speculation when the
 * awaited line changes; it takes about 25-50 ns on current cores. */
#ifndef IPCLAB_WORKERS_PAUSE_H
#define IPCLAB_WORKERS_PAUSE_H

static inline void cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

#endif
