/* As the Linux driver's iscsi-ls printed it: a block for each session. */
#include "engine/session_status.h"
#include "ls/ls.h"
#include "os/system.h"
#include "protocol/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static void print_line(void)
{
    puts("*******************************************************************************");
}

/* The begin of a line. */
static void print_label(const char *label)
{
    printf("%-24s: ", label);
}

static void print_value(const char *label, const char *value)
{
    print_label(label);
    puts(value);
}

static void print_number(const char *label, unsigned long value)
{
    print_label(label);
    printf("%lu\n", value);
}

/* Targets choose it: nobody's terminal obeys them. */
static void print_foreign(const char *label, const char *text)
{
    print_label(label);
    for (; text != NULL && *text != '\0'; text++)
        putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
    putchar('\n');
}

static void print_portal(const char *label, const struct portal *portal)
{
    struct portal_address address = {.port = portal != NULL ? portal->socket : 0};
    char text[PORTAL_HOST_MAX + 16] = "?:?";
    if (portal != NULL) {
        snprintf(address.host, sizeof address.host, "%s", portal->address);
        portal_format(&address, text, sizeof text);
    }
    print_value(label, text);
}

static void print_portals(const struct portal_list *portals)
{
    char label[32];
    print_number("NO. OF PORTALS", portals->count);
    for (uint32_t i = 0; i < portals->count; i++) {
        snprintf(label, sizeof label, "PORTAL ADDRESS %lu", (unsigned long)i + 1);
        print_portal(label, &portals->items[i]);
    }
}

static void print_state(const struct session_status *session)
{
    static const char *const names[] = {"?", "ESTABLISHED", "DROPPED", "LOGGING OUT"};
    char when[64] = "?";
    struct tm local;
    print_label("SESSION STATUS");
    os_local_time(session->since, &local);
    strftime(when, sizeof when, "%a %b %d %H:%M:%S %Y", &local);
    printf("%s", names[session->state <= SESSION_LEAVING ? session->state : 0]);
    if (session->state != SESSION_LEAVING)
        printf(" AT %s", when);
    putchar('\n');
}

static void print_session_id(const struct session_status *session)
{
    print_label("SESSION ID");
    printf("ISID ");
    for (uint32_t i = 0; i < session->isid.length; i++)
        printf("%02x", session->isid.data[i]);
    printf(" TSIH %02x\n", (unsigned)session->tsih);
}

static void print_luns(const struct unit_status_list *units)
{
    print_label("LUN NO");
    for (uint32_t i = 0; i < units->count; i++)
        printf("%s%lu", i > 0 ? " " : "", (unsigned long)units->items[i].os_lun);
    puts(units->count == 0 ? "?" : "");
}

/* --- devices --- */

static const char *type_name(uint8_t type)
{
    static const char *const names[] = {
        "Direct-Access", "Sequential-Access", "Printer",        "Processor",     "WORM",
        "CD-ROM",        "Scanner",           "Optical Device", "Medium Changer"};
    return type < sizeof names / sizeof *names ? names[type] : "Unknown";
}

static void print_capacity(const struct unit_status *unit)
{
    double bytes = (double)unit->blocks * unit->block_length;
    if (unit->block_length == 0)
        puts("  Capacity: ?");
    else
        printf("  Capacity: %" PRIu64 " blocks of %lu bytes [%.1f GB]%s\n", unit->blocks,
               (unsigned long)unit->block_length, bytes / 1e9,
               unit->write_protected ? " read-only" : "");
}

static void print_unit(const struct unit_status *unit)
{
    printf("LUN ID : %lu\n", (unsigned long)unit->os_lun);
    printf("  Vendor: %-8s Model: %-16s Rev: %s\n", unit->vendor, unit->product, unit->revision);
    printf("  Type:   %-17s          ANSI SCSI revision: %02x\n", type_name(unit->type),
           (unsigned)unit->version);
    printf("  Serial: %s\n", unit->serial[0] != '\0' ? unit->serial : "?");
    print_capacity(unit);
    printf("  Device: %s\n", unit->path != NULL ? unit->path : unit->exposed ? "?" : "hidden");
}

static void print_units(const struct unit_status_list *units)
{
    puts("\nDEVICE DETAILS:\n---------------");
    for (uint32_t i = 0; i < units->count; i++)
        print_unit(&units->items[i]);
    if (units->count == 0)
        puts("LUN ID : ?");
}

/* --- parameters --- */

static void print_parameter(const char *file, const struct effective_parameter *parameter)
{
    printf("  %s = %s", parameter->name, parameter->value != NULL ? parameter->value : "");
    if (parameter->line > 0)
        printf(" (%s:%lu, %s)\n", file != NULL ? file : "?", (unsigned long)parameter->line,
               parameter->scope != NULL ? parameter->scope : "?");
    else
        printf(" (%s)\n", ls_source_name(parameter));
}

static void print_service(const struct ls_effective *effective)
{
    const struct reply_effective_parameters *service = &effective->service;
    printf("PARAMETERS OF THE SERVICE:\n");
    for (uint32_t i = 0; i < service->parameters.count; i++)
        print_parameter(service->file, &service->parameters.items[i]);
    print_line();
}

static void print_others(const struct ls_effective *effective,
                         const struct reply_effective_parameters *session)
{
    puts("\nPARAMETERS OF ITS OWN:\n----------------------");
    for (uint32_t i = 0; i < session->parameters.count; i++) {
        if (!ls_effective_same(effective, &session->parameters.items[i]))
            print_parameter(session->file, &session->parameters.items[i]);
    }
}

/* --- sessions --- */

static void print_session(const struct session_status *session)
{
    print_value("TARGET NAME", session->target);
    print_foreign("TARGET ALIAS", session->alias);
    print_number("HOST NO", LS_HOST);
    print_number("BUS NO", session->os_bus);
    print_number("TARGET NO", session->os_target);
    print_luns(&session->units);
    print_portal("TARGET ADDRESS", session->portal);
    print_state(session);
    print_portals(&session->portals);
    print_portal("DISC ADDRESS", session->discovery);
    print_session_id(session);
}

void ls_print(const struct reply_get_status *status, const struct ls_effective *effective,
              bool details)
{
    print_line();
    printf("iSCSI driver version: %s\n", status->driver);
    print_line();
    if (effective != NULL)
        print_service(effective);
    for (uint32_t i = 0; i < status->sessions.count; i++) {
        print_session(&status->sessions.items[i]);
        if (details)
            print_units(&status->sessions.items[i].units);
        if (effective != NULL)
            print_others(effective, &effective->sessions[i]);
        print_line();
    }
}
