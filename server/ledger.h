/* ledger: what another server found about the claims, as its GET claims/checks told it, so that two machines
 * can be set side by side in one archive. */
#ifndef IPCLAB_SERVER_LEDGER_H
#define IPCLAB_SERVER_LEDGER_H

#include "common/faults.h"
#include "common/json.h"
#include "db/store_activities.h"

struct ledger {
    struct store_machine machine;
    size_t count;
    struct store_check *checks;
};

/* Takes the checks that are done and adds a fault for everything that is not as a server tells it. -ENOMEM.
 */
int ledger_read(const struct json_node *document, struct ledger *ledger, struct faults *faults,
                struct err *err);
void ledger_fini(struct ledger *ledger);

#endif
