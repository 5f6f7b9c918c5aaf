#include "libiscsi/trace.h"

#include "protocol/pdu.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say_pdu(const struct target_connection *connection, const char *way,
                    const struct pdu *pdu, uint32_t length)
{
    fprintf(stderr, "iscsi: %p %s %s, task %08x, %u bytes\n", (const void *)connection, way,
            pdu_opcode_name(pdu->opcode), (unsigned)pdu->itt, (unsigned)length);
}

static void say_cdb(const struct target_connection *connection, const struct pdu *pdu)
{
    char bytes[3 * PDU_CDB_LENGTH + 1];

    for (unsigned i = 0; i < PDU_CDB_LENGTH; i++)
        snprintf(bytes + 3 * i, sizeof bytes - 3 * i, " %02x", pdu->scsi_command.cdb[i]);
    fprintf(stderr, "scsi: %p task %08x, CDB%s\n", (const void *)connection, (unsigned)pdu->itt,
            bytes);
}

static void connected(void *context, struct target_connection *connection)
{
    (void)context;
    fprintf(stderr, "net: %p connected\n", (const void *)connection);
}

static void full_feature(void *context, struct target_connection *connection)
{
    (void)context;
    fprintf(stderr, "iscsi: %p logged in\n", (const void *)connection);
}

static void incoming(void *context, struct target_connection *connection,
                     struct target_fault_in *in)
{
    (void)context;
    say_pdu(connection, "got", in->pdu, in->length);
}

static void incoming_scsi(void *context, struct target_connection *connection,
                          struct target_fault_in *in)
{
    (void)context;
    if (in->pdu->opcode == PDU_SCSI_COMMAND)
        say_cdb(connection, in->pdu);
}

static void incoming_all(void *context, struct target_connection *connection,
                         struct target_fault_in *in)
{
    incoming(context, connection, in);
    incoming_scsi(context, connection, in);
}

static void outgoing(void *context, struct target_connection *connection,
                     struct target_fault_out *out)
{
    (void)context;
    say_pdu(connection, "sends", out->pdu, out->length);
}

static void outgoing_scsi(void *context, struct target_connection *connection,
                          struct target_fault_out *out)
{
    (void)context;
    if (out->pdu->opcode == PDU_SCSI_RESPONSE)
        fprintf(stderr, "scsi: %p task %08x, status %02x\n", (const void *)connection,
                (unsigned)out->pdu->itt, out->pdu->scsi_response.status);
}

static void outgoing_all(void *context, struct target_connection *connection,
                         struct target_fault_out *out)
{
    outgoing(context, connection, out);
    outgoing_scsi(context, connection, out);
}

const struct target_fault *trace_of(const char *debug)
{
    static const struct target_fault net = {.connected = connected};
    static const struct target_fault iscsi = {
        .full_feature = full_feature, .incoming = incoming, .outgoing = outgoing};
    static const struct target_fault scsi = {.incoming = incoming_scsi, .outgoing = outgoing_scsi};
    static const struct target_fault all = {.connected = connected,
                                            .full_feature = full_feature,
                                            .incoming = incoming_all,
                                            .outgoing = outgoing_all};

    if (debug == NULL)
        return NULL;
    if (strcmp(debug, "all") == 0)
        return &all;
    if (strcmp(debug, "scsi") == 0)
        return &scsi;
    return strcmp(debug, "iscsi") == 0 ? &iscsi : &net;
}

void trace_say(const char *debug, const char *format, ...)
{
    va_list arguments;

    if (debug == NULL)
        return;
    va_start(arguments, format);
    fputs("iscsi: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}
