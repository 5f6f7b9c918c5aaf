/* The list of targets, and the static ones among them. */
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "commands.h"
#include "print.h"
#include "report.h"

/* Everything of AddTarget but its portal, which comes as a group or not at all. */
static ISDSC_STATUS add_target(char **arguments, ISCSI_TARGET_PORTAL_GROUPA *group)
{
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_TARGET_MAPPINGA *mapping;
    ISDSC_STATUS status = argument_login_options(arguments + 6, &options);

    if (status == ERROR_SUCCESS)
        status = argument_mapping(arguments + 15, &mapping);
    if (status != ERROR_SUCCESS)
        return status;
    status = AddIScsiStaticTargetA(arguments[0], argument_text(arguments[1]),
                                   argument_number(arguments[4]),
                                   argument_boolean(arguments[5], true), mapping, &options, group);
    free(mapping);
    return status;
}

ISDSC_STATUS run_add_target(int count, char **arguments)
{
    ISCSI_TARGET_PORTAL_GROUPA group = {.Count = 1};
    ISDSC_STATUS status;

    (void)count;
    if (argument_is_default(arguments[2]) || argument_is_default(arguments[3]))
        return add_target(arguments, NULL);
    status = argument_portal(arguments[2], arguments[3], &group.Portals[0]);
    return status == ERROR_SUCCESS ? add_target(arguments, &group) : status;
}

ISDSC_STATUS run_quick_add_target(int count, char **arguments)
{
    ISCSI_TARGET_PORTAL_GROUPA group = {0};
    ISDSC_STATUS status = ERROR_SUCCESS;

    (void)count;
    if (!argument_is_default(arguments[1])) {
        group.Count = 1;
        status = argument_quick_portal(arguments[1], &group.Portals[0]);
    }
    if (status != ERROR_SUCCESS)
        return status;
    return AddIScsiStaticTargetA(arguments[0], NULL, 0, true, NULL, NULL, &group);
}

ISDSC_STATUS run_remove_target(int count, char **arguments)
{
    (void)count;
    return RemoveIScsiStaticTargetA(arguments[0]);
}

static ISDSC_STATUS query_targets(struct report *report, void *context)
{
    const BOOLEAN *force = context;

    return ReportIScsiTargetsA(*force, &report->size, report->data);
}

ISDSC_STATUS run_list_targets(int count, char **arguments)
{
    BOOLEAN force = count > 0 && argument_boolean(arguments[0], false);
    struct report targets;
    ISDSC_STATUS status = report_fetch(&targets, query_targets, &force, sizeof(CHAR));

    if (!report_delivered(status))
        return status;
    puts("Targets List:");
    print_list(targets.data, targets.size, "    ", "");
    report_free(&targets);
    return status;
}
