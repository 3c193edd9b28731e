#include "workers/ticker.h"

#include <errno.h>
#include <stddef.h>
#include <sys/time.h>

#include "workers/mechanisms/mechanism.h"

volatile sig_atomic_t ticker_ticks;

/* Of the process, like its timer. */
static struct {
    int users;
    struct sigaction before;
} ticker;

static void tick(int signal_number)
{
    (void)signal_number;
    ticker_ticks = (sig_atomic_t)((unsigned)ticker_ticks + 1);
}

int ticker_start(struct err *err)
{
    if (ticker.users > 0) {
        ticker.users++;
        return 0;
    }
    /* Without SA_RESTART: the point is that calls are not restarted. */
    struct sigaction action = {.sa_handler = tick};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGALRM, &action, &ticker.before) != 0)
        return err_errno(err, errno, "handle SIGALRM");
    const struct timeval period = {.tv_usec = MECHANISM_PEER_CHECK_NS / 2 / 1000};
    if (setitimer(ITIMER_REAL, &(struct itimerval){.it_interval = period, .it_value = period}, NULL) != 0)
        return err_errno(err, errno, "setitimer");
    ticker.users = 1;
    return 0;
}

void ticker_stop(void)
{
    if (ticker.users == 0 || --ticker.users > 0)
        return;
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_sec = 0}}, NULL);
    sigaction(SIGALRM, &ticker.before, NULL);
}
