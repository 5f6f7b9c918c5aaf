/*
 * Discovery by SendTargets (RFC 7143, appendix C): one discovery session to one portal that
 * yields (target, portal, portal group) records. Runs on the loop's thread.
 */
#ifndef DISCOVERY_SENDTARGETS_H
#define DISCOVERY_SENDTARGETS_H

#include "discovery/contact.h"
#include "discovery/records.h"

struct discovery;

/*
 * Called once, never from inside discovery_start; the discovery may be freed in it. The records,
 * only with STATUS_OK, live until the discovery is freed. Statuses are those of
 * contact_events.ready and of a text exchange; a peer that closes the connection instead of
 * answering gives CONNECT_FAILED.
 */
typedef void discovery_done(void *context, enum status status,
                            const struct discovery_records *records);

/* `settings->session->discovery` must be set. NULL: out of memory. */
struct discovery *discovery_start(struct link_base *base, const struct contact_settings *settings,
                                  discovery_done *done, void *context);
/* Also while it runs: `done` will not be called. */
void discovery_free(struct discovery *discovery);

#endif
