/* Making sessions, connections and persistent logins, and ending them. */
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "commands.h"
#include "print.h"
#include "report.h"

enum { INDENT = 4 };

struct login {
    char *target;
    BOOLEAN informational;
    BOOLEAN persistent;
    char *initiator; /* NULL for any */
    ULONG port;
    bool any_portal;
    ISCSI_TARGET_PORTALA portal;
    ISCSI_SECURITY_FLAGS security;
    ISCSI_LOGIN_OPTIONS options;
    PCHAR key;
    ULONG key_length;
};

static ISDSC_STATUS log_in(struct login *login, ISCSI_TARGET_MAPPINGA *mapping)
{
    ISCSI_UNIQUE_SESSION_ID session = {0};
    ISCSI_UNIQUE_CONNECTION_ID connection = {0};
    ISDSC_STATUS status = LoginIScsiTargetA(
        login->target, login->informational, login->initiator, login->port,
        login->any_portal ? NULL : &login->portal, login->security, mapping, &login->options,
        login->key_length, login->key, login->persistent, &session, &connection);

    if (status == ERROR_SUCCESS && !login->persistent) {
        print_session_id(&session);
        print_connection_id(&connection);
    }
    return status;
}

static void announce(const struct login *login)
{
    printf("LoginTarget to %s on %s to %s/%u\n", login->target,
           login->initiator ? login->initiator : "<no init instance>",
           login->any_portal ? "<no portal>" : login->portal.Address, login->portal.Socket);
}

/* Everything but the mapping block at the end. */
static ISDSC_STATUS read_login(char **arguments, struct login *login)
{
    ISDSC_STATUS status = ERROR_SUCCESS;

    login->target = arguments[0];
    login->informational = !argument_boolean(arguments[1], true);
    login->any_portal = argument_is_default(arguments[2]);
    login->initiator = argument_text(arguments[4]);
    login->port = argument_port(arguments[5]);
    login->security = argument_number(arguments[6]);
    argument_key(arguments[16], &login->key, &login->key_length);
    if (login->any_portal != argument_is_default(arguments[3])) {
        puts("The portal's address and socket are given together or not at all");
        return ERROR_INVALID_PARAMETER;
    }
    if (!login->any_portal)
        status = argument_portal(arguments[2], arguments[3], &login->portal);
    if (status != ERROR_SUCCESS)
        return status;
    return argument_login_options(arguments + 7, &login->options);
}

static ISDSC_STATUS login_target(char **arguments, BOOLEAN persistent)
{
    struct login login = {.persistent = persistent};
    ISCSI_TARGET_MAPPINGA *mapping;
    ISDSC_STATUS status = read_login(arguments, &login);

    if (status == ERROR_SUCCESS)
        status = argument_mapping(arguments + 17, &mapping);
    if (status != ERROR_SUCCESS)
        return status;
    announce(&login);
    status = log_in(&login, mapping);
    free(mapping);
    return status;
}

ISDSC_STATUS run_login(int count, char **arguments)
{
    (void)count;
    return login_target(arguments, false);
}

ISDSC_STATUS run_persistent_login(int count, char **arguments)
{
    (void)count;
    return login_target(arguments, true);
}

ISDSC_STATUS run_quick_login(int count, char **arguments)
{
    struct login login = {
        .target = arguments[0], .port = ISCSI_ANY_INITIATOR_PORT, .any_portal = true};
    ISDSC_STATUS status = argument_quick_options(count - 1, arguments + 1, &login.options);

    return status == ERROR_SUCCESS ? log_in(&login, NULL) : status;
}

ISDSC_STATUS run_logout(int count, char **arguments)
{
    ISCSI_UNIQUE_SESSION_ID session;
    ISDSC_STATUS status = argument_session_id(arguments[0], &session);

    (void)count;
    if (status != ERROR_SUCCESS)
        return status;
    printf("Logout Target 0x%" PRIx64 "-0x%" PRIx64 "\n", (uint64_t)session.AdapterUnique,
           (uint64_t)session.AdapterSpecific);
    return LogoutIScsiTarget(&session);
}

static ISDSC_STATUS query_persistent(struct report *report, void *context)
{
    (void)context;
    return ReportIScsiPersistentLoginsA(&report->count, report->data, &report->size);
}

static void print_persistent(const PERSISTENT_ISCSI_LOGIN_INFOA *login)
{
    const char *address = login->TargetPortal.Address;

    printf("    Target Name           : %s\n", login->TargetName);
    printf("    Address and Socket    : %s %u\n", address[0] ? address : "*",
           login->TargetPortal.Socket);
    printf("    Session Type          : %s\n",
           login->IsInformationalSession ? "Informational" : "Data");
    printf("    Initiator Name        : %s\n", login->InitiatorInstance);
    printf("    Port Number           : ");
    print_port_number(login->InitiatorPortNumber);
    print_security_flags(INDENT, login->SecurityFlags);
    print_login_options(INDENT, &login->LoginOptions);
    if (login->Mappings)
        print_mapping(INDENT, login->Mappings);
    putchar('\n');
}

ISDSC_STATUS run_list_persistent(int count, char **arguments)
{
    struct report logins;
    ISDSC_STATUS status = report_fetch(&logins, query_persistent, NULL, 1);
    const PERSISTENT_ISCSI_LOGIN_INFOA *login = logins.data;

    (void)count;
    (void)arguments;
    if (status != ERROR_SUCCESS)
        return status;
    /* Spelt as Microsoft's tool spells it: programs look for this line. */
    printf("Total of %lu peristent targets\n", (unsigned long)logins.count);
    for (ULONG i = 0; i < logins.count; i++)
        print_persistent(&login[i]);
    report_free(&logins);
    return status;
}

ISDSC_STATUS run_remove_persistent(int count, char **arguments)
{
    bool any = argument_is_default(arguments[3]);
    ISCSI_TARGET_PORTALA portal;
    ISDSC_STATUS status = ERROR_SUCCESS;

    (void)count;
    if (!any)
        status = argument_portal(arguments[3], arguments[4], &portal);
    if (status != ERROR_SUCCESS)
        return status;
    return RemoveIScsiPersistentTargetA(argument_text(arguments[0]), argument_port(arguments[2]),
                                        arguments[1], any ? NULL : &portal);
}

ISDSC_STATUS run_add_connection(int count, char **arguments)
{
    bool any = argument_is_default(arguments[3]) || argument_is_default(arguments[4]);
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISCSI_TARGET_PORTALA portal;
    ISCSI_LOGIN_OPTIONS options;
    PCHAR key;
    ULONG key_length;
    ISDSC_STATUS status = argument_session_id(arguments[0], &session);

    (void)count;
    argument_key(arguments[15], &key, &key_length);
    if (status == ERROR_SUCCESS && !any)
        status = argument_portal(arguments[3], arguments[4], &portal);
    if (status == ERROR_SUCCESS)
        status = argument_login_options(arguments + 6, &options);
    if (status != ERROR_SUCCESS)
        return status;
    return AddIScsiConnectionA(&session, argument_text(arguments[1]), argument_port(arguments[2]),
                               any ? NULL : &portal, argument_number(arguments[5]), &options,
                               key_length, key, &connection);
}

ISDSC_STATUS run_quick_add_connection(int count, char **arguments)
{
    bool any = argument_is_default(arguments[2]);
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection = {0};
    ISCSI_TARGET_PORTALA portal;
    ISCSI_LOGIN_OPTIONS options;
    ISDSC_STATUS status = argument_session_id(arguments[0], &session);

    if (status == ERROR_SUCCESS && !any)
        status = argument_quick_portal(arguments[2], &portal);
    if (status == ERROR_SUCCESS)
        status = argument_quick_options(count - 3, arguments + 3, &options);
    if (status != ERROR_SUCCESS)
        return status;
    status = AddIScsiConnectionA(&session, argument_text(arguments[1]), ISCSI_ANY_INITIATOR_PORT,
                                 any ? NULL : &portal, 0, &options, 0, NULL, &connection);
    if (status == ERROR_SUCCESS)
        print_connection_id(&connection);
    return status;
}

ISDSC_STATUS run_switch_portal(int count, char **arguments)
{
    ISCSI_UNIQUE_SESSION_ID session;
    ISDSC_STATUS status = argument_session_id(arguments[0], &session);

    (void)count;
    return status == ERROR_SUCCESS ? platform_switch_portal(&session, arguments[1]) : status;
}

ISDSC_STATUS run_remove_connection(int count, char **arguments)
{
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    ISDSC_STATUS status = argument_session_id(arguments[0], &session);

    (void)count;
    if (status == ERROR_SUCCESS)
        status = argument_connection_id(arguments[1], &connection);
    return status == ERROR_SUCCESS ? RemoveIScsiConnection(&session, &connection) : status;
}
