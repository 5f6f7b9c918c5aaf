#include "contender.h"

#include <iscsidsc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ISCSI_UNIQUE_SESSION_ID session;

static int failed(const char *what, ISDSC_STATUS status)
{
    fprintf(stderr, "iscsidsc: %s: %s\n", what, GetIScsiStatusText(status));
    return -1;
}

static ISCSI_TARGET_PORTALA portal_of(const char *text)
{
    ISCSI_TARGET_PORTALA portal = {0};
    const char *colon = strrchr(text, ':');

    memcpy(portal.Address, text, (size_t)(colon - text));
    portal.Socket = (USHORT)atoi(colon + 1);
    return portal;
}

static ISDSC_STATUS try_log_in(ISCSI_TARGET_PORTALA *portal, const char *target)
{
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISCSI_LOGIN_OPTIONS options = {0};
    char name[256];

    options.LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED;
    snprintf(name, sizeof name, "%s", target);
    return LoginIScsiTargetA(name, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, portal, 0, NULL, &options,
                             0, NULL, FALSE, &session, &connection);
}

static int log_in(const char *portal_text, const char *target)
{
    ISCSI_TARGET_PORTALA portal = portal_of(portal_text);
    ISDSC_STATUS status = try_log_in(&portal, target);

    if (status == ISDSC_TARGET_NOT_FOUND) { /* the first time: it must have been discovered */
        status = RefreshIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal);
        if (status == ERROR_SUCCESS)
            status = try_log_in(&portal, target);
    }
    return status == ERROR_SUCCESS ? 0 : failed("login", status);
}

static int log_out(void)
{
    ISDSC_STATUS status = LogoutIScsiTarget(&session);

    return status == ERROR_SUCCESS ? 0 : failed("logout", status);
}

static int login_logout(const char *portal, const char *target)
{
    return log_in(portal, target) == 0 ? log_out() : -1;
}

static int discover(const char *portal_text)
{
    ISCSI_TARGET_PORTALA portal = portal_of(portal_text);
    ISDSC_STATUS status = RefreshIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &portal);
    static char names[1 << 20];
    ULONG size = sizeof names;
    int count = 0;

    if (status != ERROR_SUCCESS)
        return failed("discovery", status);
    status = ReportIScsiTargetsA(FALSE, &size, names);
    if (status != ERROR_SUCCESS)
        return failed("target list", status);
    for (const char *name = names; *name; name += strlen(name) + 1)
        count++;
    return count;
}

static int inquiry(void)
{
    UCHAR data[255], sense[18], scsi_status;
    ULONG size = sizeof data, sense_size = sizeof sense;
    ISDSC_STATUS status =
        SendScsiInquiry(&session, 0, 0, 0, &scsi_status, &size, data, &sense_size, sense);

    return status == ERROR_SUCCESS ? 0 : failed("inquiry", status);
}

const struct contender contender_api = {
    "iscsidsc", login_logout, discover, log_in, inquiry, log_out,
};
