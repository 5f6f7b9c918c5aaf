/* Inside initiator*.c: what an initiator's handle leads to. */
#ifndef LIBISCSI_INITIATOR_STATE_H
#define LIBISCSI_INITIATOR_STATE_H

#include "door/door.h"
#include "iscsi.h"
#include "libiscsi/auths.h"
#include "libiscsi/variables.h"
#include "protocol/name.h"

/* A target that a discovery found. It keeps its number as long as the handle. */
struct found_target {
    char *name;
    char *address; /* "192.0.2.1:3260,1" */
    struct portal_address portal;
    struct unique_id session;
    bool logged_in;
};

struct iscsi_initiator_state {
    struct variables variables;
    struct os_mutex *turn;  /* one discovery at a time */
    struct os_mutex *mutex; /* guards what is below */
    struct found_target **targets;
    size_t target_count;
    bool started;
    struct auths auths; /* since the start */
};

/* NULL, and EINVAL: it is not set up. */
struct iscsi_initiator_state *initiator_state_of(iscsi_initiator_t *initiator);

void found_target_free(struct found_target *target);

/* As variables_get gives it, for the library's own thread alone. */
const char *initiator_value(const struct iscsi_initiator_state *state, const char *name);
/* Says what failed where. Returns the errno. */
int initiator_fail(struct iscsi_initiator_state *state, const char *where, enum status status);

/* How to log in, by the variables. What it points to is the state's. */
struct login_options initiator_options(const struct iscsi_initiator_state *state);

/* Finds the targets of a host. 0 or an errno. */
int initiator_find(struct iscsi_initiator_state *state, const char *host);
/* Logs in, unless that was done, and asks for the unit. */
int initiator_visit(struct iscsi_initiator_state *state, struct found_target *target, int lun);
/* Everything is as it was before. */
void initiator_leave(struct iscsi_initiator_state *state);

#endif
