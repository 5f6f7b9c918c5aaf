/* Inside target*.c: what a target's handle leads to. */
#ifndef LIBISCSI_TARGET_STATE_H
#define LIBISCSI_TARGET_STATE_H

#include "iscsi.h"
#include "libiscsi/variables.h"
#include "os/loop.h"
#include "target/target.h"

struct iscsi_target_state {
    struct variables variables;
    struct os_mutex *mutex;      /* guards the three below */
    struct os_condition *change; /* of them */
    bool started;
    bool listening;
    bool stopping;
    struct os_loop *loop;
    struct target_entity *entity;
    struct target_server *server;
    struct os_job stop;
};

/* The value of a variable, which nobody changes: the target was started. NULL: none. */
const char *target_value(const struct iscsi_target_state *state, const char *name);

/* The targets of the file, with their storage, in the entity. 0, or an errno and "error" set. */
int target_build(struct iscsi_target_state *state);

#endif
