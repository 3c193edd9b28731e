/* commands: what `ipclab` does besides serving. main.c lists them.
 *
 * Each takes the arguments behind its name and answers the exit status. What it finds goes to standard
 * output, what went wrong to standard error. Those that need runs ask a running server over HTTP; backup and
 * verify read the archive's file, whether a server runs or not; restore needs it to be stopped. */
#ifndef IPCLAB_SERVER_COMMANDS_COMMANDS_H
#define IPCLAB_SERVER_COMMANDS_COMMANDS_H

/* sysexits.h has the two large ones; those of compare are a contract with whoever automates. */
enum {
    COMMAND_OK = 0,
    COMMAND_FAILED = 1, /* of compare: a regression; of verify: damage */
    COMMAND_USAGE = 2,
    COMMAND_INCONCLUSIVE = 3,
    COMMAND_NOTHING_MEASURED = 4,
    COMMAND_NOT_COMPARABLE = 5,
    COMMAND_UNAVAILABLE = 69, /* no server answers */
    COMMAND_NO_ARCHIVE = 78,  /* or none that can be used as it is */
};

int command_run(int count, char *const *arguments);
int command_backup(int count, char *const *arguments);
int command_verify(int count, char *const *arguments);
int command_restore(int count, char *const *arguments);
int command_export(int count, char *const *arguments);
int command_import(int count, char *const *arguments);
int command_compare(int count, char *const *arguments);

#endif
