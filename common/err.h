/* err: what went wrong, in words.
 *
 * Owns: nothing; the caller keeps a struct err on its stack and passes it last.
 * A function that can fail returns 0 (or a count) on success and -errno on failure; on failure it has
 * filled *err with what was tried, on what, and why. err may be NULL where the caller wants only the number.
 * Context is added once, where it is known: see err_prefix. */
#ifndef IPCLAB_COMMON_ERR_H
#define IPCLAB_COMMON_ERR_H

enum { ERR_TEXT_BYTES = 512 };

struct err {
    int code; /* errno value, positive; 0 = no error */
    char text[ERR_TEXT_BYTES];
};

/* Fills *err with the text alone and returns -code. */
__attribute__((format(printf, 3, 4))) int err_set(struct err *err, int code, const char *format, ...);

/* As err_set, and appends ": strerror(code)": for a failed system call, err_errno(err, errno, "open %s",
 * path). */
__attribute__((format(printf, 3, 4))) int err_errno(struct err *err, int code, const char *format, ...);

/* Puts "context: " in front of the text that is there. Returns -err->code. */
__attribute__((format(printf, 2, 3))) int err_prefix(struct err *err, const char *format, ...);

#endif
