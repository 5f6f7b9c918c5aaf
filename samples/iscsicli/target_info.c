/* TargetInfo: what is known about a target, class by class. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "commands.h"
#include "print.h"
#include "report.h"

enum { INDENT = 4 };

struct information {
    char *target;
    char *mechanism; /* NULL for the list of mechanisms */
    TARGET_INFORMATION_CLASS class;
};

static ISDSC_STATUS query_information(struct report *report, void *context)
{
    const struct information *wanted = context;

    return GetIScsiTargetInformationA(wanted->target, wanted->mechanism, wanted->class,
                                      &report->size, report->data);
}

static void print_protocol(const struct report *report)
{
    TARGETPROTOCOLTYPE protocol;

    if (report->size < sizeof(protocol))
        return;
    memcpy(&protocol, report->data, sizeof(protocol));
    printf("    Protocol Type        : %s\n",
           protocol == ISCSI_TCP_PROTOCOL_TYPE ? "iSCSI TCP Protocol" : "Unknown");
}

static void print_alias(const struct report *report)
{
    printf("    Target Alias         : %s\n", report->size > 0 ? (const char *)report->data : "");
}

static void print_portal(const ISCSI_TARGET_PORTALA *portal)
{
    printf("%12sAddress and Socket    : %.*s %u\n", "", (int)sizeof(portal->Address),
           portal->Address, portal->Socket);
    printf("%12sSymbolic Name         : %.*s\n", "", (int)sizeof(portal->SymbolicName),
           portal->SymbolicName);
}

/*
 * A group of no portals is only its count; any other is as long as its struct and the portals that
 * are not in it, rounded up to a multiple of four.
 */
static size_t group_length(ULONG portals)
{
    if (portals == 0)
        return sizeof(ULONG);
    return (sizeof(ISCSI_TARGET_PORTAL_GROUPA) +
            (size_t)(portals - 1) * sizeof(ISCSI_TARGET_PORTALA) + 3) /
           4 * 4;
}

static void print_groups(const struct report *report)
{
    const UCHAR *data = report->data;
    size_t offset = sizeof(ULONG);
    ULONG groups = 0;

    if (report->size >= sizeof(groups))
        memcpy(&groups, data, sizeof(groups));
    printf("    PortalGroups         : %lu portal groups\n", (unsigned long)groups);
    for (ULONG i = 0; i < groups && offset + sizeof(ULONG) <= report->size; i++) {
        const ISCSI_TARGET_PORTAL_GROUPA *group = (const void *)(data + offset);

        printf("        Group %lu has %lu portals\n", (unsigned long)i,
               (unsigned long)group->Count);
        if (group_length(group->Count) > report->size - offset)
            return;
        for (ULONG portal = 0; portal < group->Count; portal++)
            print_portal(&group->Portals[portal]);
        offset += group_length(group->Count);
    }
}

static void print_initiator(const struct report *report)
{
    printf("    Initiator Name       : %s\n",
           report->size > 0 ? (const char *)report->data : "<Empty>");
}

static void print_target_flags(const struct report *report)
{
    ULONG flags;

    if (report->size != sizeof(flags))
        return;
    memcpy(&flags, report->data, sizeof(flags));
    printf("    Target Flags         : 0x%lx\n", (unsigned long)flags);
    if (flags & ISCSI_TARGET_FLAG_HIDE_STATIC_TARGET)
        printf("%27sTarget is hidden until dynamically discovered\n", "");
}

static void print_options(const struct report *report)
{
    if (report->size >= sizeof(ISCSI_LOGIN_OPTIONS))
        print_login_options(INDENT, report->data);
}

static void print_target_mapping(const struct report *report)
{
    if (report->size >= sizeof(ISCSI_TARGET_MAPPINGA))
        print_mapping(INDENT, report->data);
}

static const struct {
    TARGET_INFORMATION_CLASS class;
    void (*print)(const struct report *report);
    const char *failed;
} classes[] = {
    {ProtocolType, print_protocol, "    Protocol Type Failed : "},
    {TargetAlias, print_alias, "    Target Alias Failed  : "},
    {PortalGroups, print_groups, "    Portal Groups Failed : "},
    {InitiatorName, print_initiator, "    Initiator List Failed: "},
    {TargetFlags, print_target_flags, "    Target Flags Failed  : "},
    {LoginOptions, print_options, "    Login Options Failed : "},
    {PersistentTargetMappings, print_target_mapping, "    Target Mappings Failed : "},
};

static void print_classes(struct information *wanted)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        struct report report;
        ISDSC_STATUS status;

        wanted->class = classes[i].class;
        status = report_fetch(&report, query_information, wanted, 1);
        if (status == ERROR_SUCCESS)
            classes[i].print(&report);
        else
            print_status_inline(classes[i].failed, status);
        report_free(&report);
    }
}

ISDSC_STATUS run_target_info(int count, char **arguments)
{
    char *mechanism = count > 1 ? argument_text(arguments[1]) : NULL;
    struct information wanted = {arguments[0], NULL, DiscoveryMechanisms};
    struct report mechanisms;
    ISDSC_STATUS status = report_fetch(&mechanisms, query_information, &wanted, 1);

    if (status != ERROR_SUCCESS)
        return status;
    printf("Get Target information for %s discovered by %s\n", arguments[0],
           mechanism ? mechanism : "<all mechanisms>");
    puts("    Discovery Mechanisms :");
    print_list(mechanisms.data, mechanisms.size, "         \"", "\"");
    report_free(&mechanisms);
    if (mechanism) {
        wanted.mechanism = mechanism;
        print_classes(&wanted);
    }
    putchar('\n');
    return ERROR_SUCCESS;
}
