#include "contender.h"

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <stdio.h>

static const char initiator[] = "iqn.2026-11.org.example:bench";
static struct iscsi_context *session;

static int failed(struct iscsi_context *iscsi, const char *what)
{
    fprintf(stderr, "libiscsi: %s: %s\n", what, iscsi_get_error(iscsi));
    return -1;
}

static struct iscsi_context *logged_in(const char *portal, const char *target)
{
    struct iscsi_context *iscsi = iscsi_create_context(initiator);

    iscsi_set_targetname(iscsi, target);
    iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
    iscsi_set_header_digest(iscsi, ISCSI_HEADER_DIGEST_NONE_CRC32C);
    /* Not iscsi_full_connect_sync: that also sends TEST UNIT READY. */
    if (iscsi_connect_sync(iscsi, portal) != 0 || iscsi_login_sync(iscsi) != 0) {
        failed(iscsi, "login");
        iscsi_destroy_context(iscsi);
        return NULL;
    }
    return iscsi;
}

static int log_out(struct iscsi_context *iscsi)
{
    int result = iscsi_logout_sync(iscsi) != 0 ? failed(iscsi, "logout") : 0;

    iscsi_destroy_context(iscsi);
    return result;
}

static int login_logout(const char *portal, const char *target)
{
    struct iscsi_context *iscsi = logged_in(portal, target);

    return iscsi ? log_out(iscsi) : -1;
}

static int discover(const char *portal)
{
    struct iscsi_context *iscsi = iscsi_create_context(initiator);
    struct iscsi_discovery_address *found, *each;
    int count = 0;

    iscsi_set_session_type(iscsi, ISCSI_SESSION_DISCOVERY);
    if (iscsi_connect_sync(iscsi, portal) != 0 || iscsi_login_sync(iscsi) != 0 ||
        !(found = iscsi_discovery_sync(iscsi))) {
        failed(iscsi, "discovery");
        iscsi_destroy_context(iscsi);
        return -1;
    }
    for (each = found; each; each = each->next)
        count++;
    iscsi_free_discovery_data(iscsi, found);
    return log_out(iscsi) == 0 ? count : -1;
}

static int open_session(const char *portal, const char *target)
{
    session = logged_in(portal, target);
    return session ? 0 : -1;
}

static int inquiry(void)
{
    struct scsi_task *task = iscsi_inquiry_sync(session, 0, 0, 0, 255);
    int result;

    if (!task)
        return failed(session, "inquiry");
    result = task->status == SCSI_STATUS_GOOD ? 0 : failed(session, "inquiry");
    scsi_free_scsi_task(task);
    return result;
}

static int close_session(void)
{
    return log_out(session);
}

const struct contender contender_libiscsi = {
    "libiscsi", login_logout, discover, open_session, inquiry, close_session,
};
