/* cpus: the CPUs a lab's processes may use, and sitting on one of them. */
#ifndef IPCLAB_WORKERS_LABS_CPUS_H
#define IPCLAB_WORKERS_LABS_CPUS_H

int cpus_usable(void);
/* The calling process stays on the number-th of them from now on, in the order of placement.h. */
void cpus_pin(int number);

#endif
