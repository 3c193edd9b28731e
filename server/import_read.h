/* import_read: the parts of a bundle (export_bundle.h), from JSON to the archive's structs. Pure.
 *
 * Strict: every member is there and no other, every value is within the archive's bounds, blobs decode, and
 * what was read gives, written again, the checksum that stands beside it. Faults have pointers into the part.
 * What is read is owned by the caller even after faults: store_…_fini. */
#ifndef IPCLAB_SERVER_IMPORT_READ_H
#define IPCLAB_SERVER_IMPORT_READ_H

#include "server/export_bundle.h"

void import_read_machine(const struct json_node *part, struct store_machine *machine,
                         char checksum[BUNDLE_CHECKSUM_BYTES], struct faults *faults);
void import_read_run(const struct json_node *part, struct store_run *run,
                     char checksum[BUNDLE_CHECKSUM_BYTES], struct faults *faults);
/* number: which of the cases it has to be. */
void import_read_case(const struct json_node *part, int64_t number, struct store_case *one,
                      char checksum[BUNDLE_CHECKSUM_BYTES], struct faults *faults);
/* The trial refers to one of case_count cases and one of slot_count slots. */
void import_read_trial(const struct json_node *part, size_t case_count, int64_t slot_count,
                       struct store_trial *trial, char checksum[BUNDLE_CHECKSUM_BYTES],
                       struct faults *faults);

#endif
