/* Logs in to the first target that a portal offers and tells how large its first disk is. */
#include <stdio.h>
#include <stdlib.h>
#include "iscsidsc.h"

static unsigned long big_endian(const UCHAR *b)
{
    return (unsigned long)b[0] << 24 | (unsigned long)b[1] << 16 | (unsigned long)b[2] << 8 | b[3];
}

int main(int argc, char **argv)
{
    ISCSI_TARGET_PORTALA portal = {.Socket = (USHORT)(argc > 2 ? atoi(argv[2]) : 3260)};
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    char targets[8192]; /* strings one behind the other */
    UCHAR scsi_status, capacity[8], sense[18];
    ULONG status, size = sizeof(targets), length = sizeof(capacity), sense_size = sizeof(sense);

    snprintf(portal.Address, sizeof(portal.Address), "%s", argc > 1 ? argv[1] : "127.0.0.1");
    if ((status = AddIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, NULL, 0, &portal)) ||
        (status = ReportIScsiTargetsA(FALSE, &size, targets)) ||
        (status = LoginIScsiTargetA(targets, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, NULL, 0, NULL,
                                    NULL, 0, NULL, FALSE, &session, &connection)))
        return printf("failed with 0x%lx\n", (unsigned long)status), 1;
    printf("%s: session %llx-%llx\n", targets, session.AdapterUnique, session.AdapterSpecific);
    status = SendScsiReadCapacity(&session, 0, &scsi_status, &length, capacity, &sense_size, sense);
    if (status == ERROR_SUCCESS)
        printf("%lu blocks of %lu bytes\n", big_endian(capacity) + 1, big_endian(capacity + 4));
    return LogoutIScsiTarget(&session) != ERROR_SUCCESS || status != ERROR_SUCCESS;
}
