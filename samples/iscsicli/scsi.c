/* SCSI commands to a device of a session. */
#include <stdio.h>

#include "arguments.h"
#include "commands.h"
#include "print.h"
#include "report.h"

struct request {
    ISCSI_UNIQUE_SESSION_ID session;
    ULONGLONG lun;
    UCHAR evpd;
    UCHAR page;
    UCHAR status; /* SCSI status and sense data of the last call */
    ULONG sense_size;
    UCHAR sense[255];
};

static ISDSC_STATUS query_inquiry(struct report *report, void *context)
{
    struct request *request = context;

    request->sense_size = sizeof(request->sense);
    return SendScsiInquiry(&request->session, request->lun, request->evpd, request->page,
                           &request->status, &report->size, report->data, &request->sense_size,
                           request->sense);
}

static ISDSC_STATUS query_capacity(struct report *report, void *context)
{
    struct request *request = context;

    request->sense_size = sizeof(request->sense);
    return SendScsiReadCapacity(&request->session, request->lun, &request->status, &report->size,
                                report->data, &request->sense_size, request->sense);
}

static ISDSC_STATUS query_luns(struct report *report, void *context)
{
    struct request *request = context;

    request->sense_size = sizeof(request->sense);
    return SendScsiReportLuns(&request->session, &request->status, &report->size, report->data,
                              &request->sense_size, request->sense);
}

static void print_sense(const struct request *request)
{
    ULONG size = request->sense_size;

    if (size > sizeof(request->sense))
        size = sizeof(request->sense);
    printf("    ScsiStatus             : 0x%x\n", request->status);
    printf("    Sense Buffer Size      : 0x%lx\n", (unsigned long)size);
    print_dump(4, request->sense, size);
}

static ISDSC_STATUS send_request(struct request *request, report_query *query)
{
    struct report response;
    ISDSC_STATUS status = report_fetch(&response, query, request, 1);

    if (status == ISDSC_SCSI_REQUEST_FAILED)
        print_sense(request);
    if (status != ERROR_SUCCESS)
        return status;
    printf("    ScsiStatus             : 0x%x\n", request->status);
    printf("    Response Buffer Size   : 0x%lx\n", (unsigned long)response.size);
    print_dump(8, response.data, response.size);
    report_free(&response);
    return status;
}

ISDSC_STATUS run_inquiry(int count, char **arguments)
{
    struct request request = {0};
    ISDSC_STATUS status = argument_session_id(arguments[0], &request.session);

    (void)count;
    if (status == ERROR_SUCCESS)
        status = argument_lun(arguments[1], &request.lun);
    if (status == ERROR_SUCCESS)
        status = argument_byte(arguments[2], &request.evpd);
    if (status == ERROR_SUCCESS)
        status = argument_byte(arguments[3], &request.page);
    return status == ERROR_SUCCESS ? send_request(&request, query_inquiry) : status;
}

ISDSC_STATUS run_read_capacity(int count, char **arguments)
{
    struct request request = {0};
    ISDSC_STATUS status = argument_session_id(arguments[0], &request.session);

    (void)count;
    if (status == ERROR_SUCCESS)
        status = argument_lun(arguments[1], &request.lun);
    return status == ERROR_SUCCESS ? send_request(&request, query_capacity) : status;
}

ISDSC_STATUS run_report_luns(int count, char **arguments)
{
    struct request request = {0};
    ISDSC_STATUS status = argument_session_id(arguments[0], &request.session);

    (void)count;
    return status == ERROR_SUCCESS ? send_request(&request, query_luns) : status;
}
