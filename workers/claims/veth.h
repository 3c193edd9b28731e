/* veth: a cable between two network namespaces, for an experiment that needs another machine: veth(4),
 * rtnetlink(7). */
#ifndef IPCLAB_WORKERS_CLAIMS_VETH_H
#define IPCLAB_WORKERS_CLAIMS_VETH_H

#include <stdint.h>
#include <sys/types.h>

/* 10.58.0.1 and 10.58.0.2, and a port there: the namespaces are the experiment's alone. */
enum { VETH_HERE = 0x0a3a0001, VETH_THERE = 0x0a3a0002, VETH_PORT = 5858 };

/* Two ends, the second in the network namespace of that process. 0 or -errno. */
int veth_make(const char *here, const char *there, pid_t pid);
/* Gives an end its address, of a network of 24 bits, and brings it up. */
int veth_raise(const char *name, uint32_t address);

#endif
