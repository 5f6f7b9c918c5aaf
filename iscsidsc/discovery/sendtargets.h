/*
 * Discovery by SendTargets (RFC 7143, appendix C): a discovery session to one portal that
 * yields (target, portal, portal group) records, once or for as long as the session stays. Runs on
 * the loop's thread.
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

/* How a session stays after the answer. Times are milliseconds. */
struct discovery_stay {
    /* The target tells that it has other targets or units now. */
    void (*changed)(void *context);
    /*
     * After so long without a question the target is asked for a sign of life, 0: never, which must
     * come within `patience`. It is asked about one of its targets: a discovery session has
     * no other requests than SendTargets and the logout (RFC 7143, 4.3), and tgtd for one drops the
     * connection on a NOP.
     */
    uint32_t idle;
    uint32_t patience;
};

/* `done` is called for each answer, with records that live until it returns; once with a failure,
 * and nothing comes any more. `stay` NULL: the same as discovery_start. */
struct discovery *discovery_follow(struct link_base *base, const struct contact_settings *settings,
                                   discovery_done *done, const struct discovery_stay *stay,
                                   void *context);
/* Asks once more when it is not being asked already. For one that stays. */
void discovery_ask(struct discovery *discovery);
/* Logs out: `done` is called once more, with whatever status. False: there is nobody to tell, and
 * `done` is not called. */
bool discovery_leave(struct discovery *discovery);

/* Also while it runs: `done` will not be called. */
void discovery_free(struct discovery *discovery);

#endif
