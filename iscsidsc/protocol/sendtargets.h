/* The answer to SendTargets (RFC 7143, appendix C), read piece by piece: it may be megabytes. */
#ifndef PROTOCOL_SENDTARGETS_H
#define PROTOCOL_SENDTARGETS_H

#include "protocol/name.h"
#include "protocol/text.h"

/* Called for each target, then for each of its addresses. `address` is NULL for the name itself.
 * A target without any address is reachable where it was asked. False stops with STATUS_CANCELLED.
 */
typedef bool sendtargets_found(void *context, const char *target,
                               const struct portal_address *address);

/* What people call the target of the record under way. */
typedef bool sendtargets_alias(void *context, const char *alias);

struct sendtargets {
    sendtargets_found *found;
    sendtargets_alias *alias; /* NULL at first: aliases are skipped. False stops as above */
    void *context;
    char target[ISCSI_NAME_MAX + 1]; /* of the record under way; empty when it is skipped or none */
    char carry[TEXT_KEY_MAX + 1 + TEXT_VALUE_MAX + 1]; /* an unfinished pair */
    size_t carry_length;
    size_t targets;
    size_t skipped; /* records and addresses with an invalid name or address: not fatal */
};

void sendtargets_start(struct sendtargets *reader, sendtargets_found *found, void *context);

/* Feeds the data segment of one text response; text may split anywhere. Unknown keys, aliases
 * that are not valid and blank strings are skipped. STATUS_INVALID_SENDTARGETS: an address before
 * any target, a pair without '=', a pair longer than can be. STATUS_REJECTED: the target refuses
 * SendTargets itself
 * ("SendTargets=NotUnderstood"). After any failure nothing more may be fed. */
enum status sendtargets_feed(struct sendtargets *reader, const char *text, size_t length);

/* After the last piece: STATUS_INVALID_SENDTARGETS when it ends within a pair. */
enum status sendtargets_end(struct sendtargets *reader);

#endif
