#include "workers/labs/lab_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What a line discipline takes for the end of what is typed: Ctrl-D (VEOF of termios(3)). */
static const char end_key[] = "\x04";

int lab_terminal_open(struct lab_terminal *terminal)
{
    terminal->keyboard = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (terminal->keyboard < 0 || unlockpt(terminal->keyboard) != 0)
        return errno;
    /* By the descriptor: a name in /dev/pts may be another namespace's. */
    terminal->screen = ioctl(terminal->keyboard, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    return terminal->screen < 0 ? errno : 0;
}

void lab_terminal_enter(const struct lab_terminal *terminal)
{
    dup2(terminal->screen, STDIN_FILENO);
    dup2(terminal->screen, STDOUT_FILENO);
    close(terminal->screen);
    close(terminal->keyboard);
}

/* The terminal's own queue bounds what may be typed ahead; what does not fit is lost, as on a keyboard. */
static void press(const struct lab_terminal *terminal, const char *keys, size_t count)
{
    ssize_t ignored = write(terminal->keyboard, keys, count);
    (void)ignored;
}

void lab_terminal_type(struct lab_terminal *terminal, const char *text, bool is_end)
{
    press(terminal, text, strlen(text));
    if (is_end)
        press(terminal, end_key, 1);
}

/* Keeps the last lines if it gets too long. */
static void append(struct lab_terminal *terminal, const char *shown, size_t length)
{
    size_t used = strlen(terminal->text);
    for (size_t i = 0; i < length; i++) {
        bool is_text = (unsigned char)shown[i] >= ' ' || shown[i] == '\n';
        if (used == LAB_TERMINAL_TEXT_BYTES - 1) {
            used /= 2;
            memmove(terminal->text, terminal->text + used, LAB_TERMINAL_TEXT_BYTES - used);
            used = strlen(terminal->text);
        }
        if (shown[i] == '\b' && used > 0)
            terminal->text[--used] = '\0';
        else if (is_text)
            terminal->text[used++] = shown[i];
        terminal->text[used] = '\0';
    }
}

bool lab_terminal_look(struct lab_terminal *terminal, const struct lab *lab, int worker)
{
    char shown[1024], state[LAB_TERMINAL_STATE_BYTES];
    ssize_t got;
    bool is_new = false;
    while ((got = read(terminal->keyboard, shown, sizeof shown)) > 0) {
        append(terminal, shown, (size_t)got);
        is_new = true;
    }
    lab_doing(lab, worker, state, sizeof state);
    is_new |= strcmp(state, terminal->state) != 0;
    memcpy(terminal->state, state, sizeof state);
    return is_new;
}

void lab_terminal_write(const struct lab_terminal *terminal, struct json_writer *writer, const char *name)
{
    size_t length = strlen(terminal->text);
    json_begin_object(writer, name);
    json_write_string_bytes(writer, "text", terminal->text, text_utf8_valid_prefix(terminal->text, length));
    json_write_string(writer, "state", terminal->state);
    json_end_object(writer);
}
