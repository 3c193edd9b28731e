/* describe: the catalogue of this program on this machine, for the server and for scripts. */
#ifndef IPCLAB_WORKERS_DESCRIBE_H
#define IPCLAB_WORKERS_DESCRIBE_H

/* The subcommand: prints it as JSON. The argument "caged", for whoever starts it in the namespaces of a cage,
 * has it look from inside one. */
int describe_main(int argument_count, char **arguments);

#endif
