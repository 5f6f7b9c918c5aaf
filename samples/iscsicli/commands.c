#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "commands.h"
#include "print.h"

#define EXACTLY(n)       (1ul << (n))
#define AT_LEAST(n)      (0xfffffffful & ~(EXACTLY(n) - 1))
#define BETWEEN(low, up) (AT_LEAST(low) & ((EXACTLY(up) << 1) - 1))

#define LOGIN_OPTIONS "<Login Options>"
#define CHAP          "[<CHAP Username> <CHAP Password>]"
#define MAPPINGS      "<Mapping Count> <Mappings>"

static const struct command commands[] = {
    {"AddTarget", AT_LEAST(16), 15, run_add_target,
     "<Target Name> <Alias> <Portal Address> <Portal Socket> <Target Flags> "
     "<Persist> " LOGIN_OPTIONS " " MAPPINGS,
     "Add a target by hand. Target flags: 2 hides it until it is discovered,\n"
     "4 merges with what is known of it. Persist: T (default) or F."},
    {"RemoveTarget", EXACTLY(1), 0, run_remove_target, "<Target Name>",
     "Remove a target that was added by hand."},
    {"AddTargetPortal", EXACTLY(2) | AT_LEAST(14), 0, run_add_portal,
     "<Portal Address> <Portal Socket> [<Initiator> <Port> <Security Flags> " LOGIN_OPTIONS "]",
     "Add a portal and ask it for its targets."},
    {"RemoveTargetPortal", BETWEEN(2, 4), 0, run_remove_portal,
     "<Portal Address> <Portal Socket> [<Initiator>] [<Port>]", "Remove a portal."},
    {"RefreshTargetPortal", BETWEEN(2, 4), 0, run_refresh_portal,
     "<Portal Address> <Portal Socket> [<Initiator>] [<Port>]",
     "Ask a portal for its targets again."},
    {"ListTargets", BETWEEN(0, 1), 0, run_list_targets, "[<Force Update>]",
     "List the known targets. T discovers them again first."},
    {"ListTargetPortals", EXACTLY(0), 0, run_list_portals, "", "List the portals."},
    {"TargetInfo", BETWEEN(1, 2), 0, run_target_info, "<Target Name> [<Discovery Mechanism>]",
     "Show what is known of a target. A mechanism is written as it is shown without one,\n"
     "in double quotes."},
    {"AddiSNSServer", EXACTLY(1), 0, run_add_isns, "<Address>", "Add an iSNS server."},
    {"RemoveiSNSServer", EXACTLY(1), 0, run_remove_isns, "<Address>", "Remove an iSNS server."},
    {"RefreshiSNSServer", EXACTLY(1), 0, run_refresh_isns, "<Address>",
     "Ask an iSNS server for its targets again."},
    {"ListiSNSServers", EXACTLY(0), 0, run_list_isns, "", "List the iSNS servers."},

    {"LoginTarget", AT_LEAST(18), 17, run_login,
     "<Target Name> <Report To PNP> <Portal Address> <Portal Socket> <Initiator> <Port> "
     "<Security Flags> " LOGIN_OPTIONS " <Key> " MAPPINGS,
     "Log in to a target. Report To PNP: T (default), or F for a session without devices."},
    {"PersistentLoginTarget", AT_LEAST(18), 17, run_persistent_login,
     "<Target Name> <Report To PNP> <Portal Address> <Portal Socket> <Initiator> <Port> "
     "<Security Flags> " LOGIN_OPTIONS " <Key> " MAPPINGS,
     "Log in to a target whenever the service starts."},
    {"LogoutTarget", EXACTLY(1), 0, run_logout, "<Session Id>", "End a session."},
    {"ListPersistentTargets", EXACTLY(0), 0, run_list_persistent, "",
     "List the logins made at service start."},
    {"RemovePersistentTarget", EXACTLY(5), 0, run_remove_persistent,
     "<Initiator> <Target Name> <Port> <Portal Address> <Portal Socket>",
     "Remove a login from that list."},
    {"AddConnection", EXACTLY(16), 0, run_add_connection,
     "<Session Id> <Initiator> <Port> <Portal Address> <Portal Socket> <Security "
     "Flags> " LOGIN_OPTIONS " <Key>",
     "Add a connection to a session."},
    {"RemoveConnection", EXACTLY(2), 0, run_remove_connection, "<Session Id> <Connection Id>",
     "Remove a connection from a session."},
    {"SwitchPortal", EXACTLY(2), 0, run_switch_portal, "<Session Id> <Portal Address>[:<Socket>]",
     "Send a session to another portal of its target."},
    {"SessionList", BETWEEN(0, 1), 0, run_session_list, "[<Show Device Info>]",
     "List the sessions. F leaves out their devices."},
    {"ReportTargetMappings", EXACTLY(0), 0, run_mappings, "",
     "List which target LUN is which LUN of this computer."},
    {"EffectiveParameters", BETWEEN(0, 1) | EXACTLY(3) | EXACTLY(5), 0, run_effective_parameters,
     "[<Target Name>] [<Portal Address> <Portal Socket>] [<Discovery Address> <Discovery Socket>]",
     "Show the parameters of iscsi.conf: their values for everything or for a target at a\n"
     "portal, and where each is from. Microsoft's tool has no such command."},
    {"ScsiInquiry", EXACTLY(4), 0, run_inquiry, "<Session Id> <LUN> <EVPD CMDDT> <Page Code>",
     "Send INQUIRY. EVPD CMDDT: bit 0 is EVPD, bit 1 is CMDDT."},
    {"ReadCapacity", EXACTLY(2), 0, run_read_capacity, "<Session Id> <LUN>",
     "Send READ CAPACITY (10)."},
    {"ReportLUNs", EXACTLY(1), 0, run_report_luns, "<Session Id>", "Send REPORT LUNS."},

    {"ListInitiators", EXACTLY(0), 0, run_list_initiators, "", "List the initiators."},
    {"NodeName", EXACTLY(1), 0, run_node_name, "<Node Name>",
     "Set the initiator's name; * sets the default one."},
    {"CHAPSecret", EXACTLY(1), 0, run_chap_secret, "<Secret>",
     "Set the secret that a target proves itself with in mutual CHAP; * clears it."},
    {"TunnelAddr", EXACTLY(5), 0, run_tunnel_address,
     "<Initiator> <Port> <Destination Address> <Tunnel Address> <Persist>",
     "Set the outer address for IPsec tunnel mode."},
    {"GroupKey", EXACTLY(2), 0, run_group_key, "<Key> <Persist>",
     "Set the IPsec key used where there is no other; * clears it."},
    {"PSKey", EXACTLY(7), 0, run_set_key,
     "<Initiator> <Port> <Security Flags> <Id Type> <Id> <Key> <Persist>",
     "Set the IPsec key for an identity; * clears it.\n"
     "Id type: 1 IPv4 address, 2 FQDN, 5 IPv6 address."},
    {"GetPSKey", EXACTLY(4), 0, run_get_key, "<Initiator> <Port> <Id Type> <Id>",
     "Show the security flags for an identity."},
    {"BindPersistentVolumes", EXACTLY(0), 0, run_bind_devices, "",
     "Have the service wait at start for the volumes that there are now."},
    {"BindPersistentDevices", EXACTLY(0), 0, run_bind_devices, "",
     "Have the service wait at start for the devices that there are now."},
    {"ReportPersistentDevices", EXACTLY(0), 0, run_report_devices, "",
     "List what the service waits for."},
    {"AddPersistentDevice", EXACTLY(1), 0, run_add_device, "<Volume or Device Path>",
     "Add to that list."},
    {"RemovePersistentDevice", EXACTLY(1), 0, run_remove_device, "<Volume or Device Path>",
     "Remove from that list."},
    {"ClearPersistentDevices", EXACTLY(0), 0, run_clear_devices, "", "Empty that list."},

    {"Monitor", BETWEEN(0, 1), 0, run_monitor, "[<Seconds>]",
     "Tell what comes and goes, for so long or until ^C. Microsoft's tool has no such command."},

    {"QLoginTarget", EXACTLY(1) | EXACTLY(3), 0, run_quick_login, "<Target Name> " CHAP,
     "Log in to a target."},
    {"QAddTarget", EXACTLY(2), 0, run_quick_add_target, "<Target Name> <Portal Address>",
     "Add a target by hand."},
    {"QAddTargetPortal", EXACTLY(1) | EXACTLY(3), 0, run_quick_add_portal, "<Portal Address> " CHAP,
     "Add a portal, port 3260, and ask it for its targets."},
    {"QAddConnection", EXACTLY(3) | EXACTLY(5), 0, run_quick_add_connection,
     "<Session Id> <Initiator> <Portal Address> " CHAP,
     "Add a connection, to port 3260, to a session."},
};

static void print_usage(const struct command *command)
{
    printf("iscsicli %s%s%s\n", command->name, command->arguments[0] ? " " : "",
           command->arguments);
    for (const char *line = command->help; line;) {
        size_t length = strcspn(line, "\n");

        printf("    %.*s\n", (int)length, line);
        line = line[length] ? line + length + 1 : NULL;
    }
    putchar('\n');
}

static void print_full_usage(void)
{
    puts(
        "iscsicli <Command> <Arguments>\n"
        "iscsicli without arguments reads one command per line.\n"
        "\n"
        "* stands for the default of an argument. Put arguments with spaces in double quotes.\n"
        "A number is decimal, or hexadecimal after 0x; a secret is text, or hexadecimal after 0x.\n"
        "A session or connection id is written as SessionList shows it.\n"
        "\n" LOGIN_OPTIONS " are nine arguments:\n"
        "    <Login Flags> <Header Digest> <Data Digest> <Max Connections> <DefaultTime2Wait>\n"
        "    <DefaultTime2Retain> <Username> <Password> <AuthType>\n"
        "    Login flags: 1 requires IPsec, 2 allows several sessions. Digests: 0 none, 1 CRC32C.\n"
        "    AuthType: 0 none, 1 CHAP, 2 mutual CHAP. A username or password of - is empty.\n"
        "<Mappings> are four arguments for each of <Mapping Count> LUNs:\n"
        "    <Target LUN> <OS Bus> <OS Target> <OS LUN>\n"
        "    A target LUN has all its 16 digits: 0x0123456789abcdef\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        print_usage(&commands[i]);
}

static bool same_name(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b))
        a++, b++;
    return tolower((unsigned char)*a) == tolower((unsigned char)*b);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (same_name(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static bool count_is_right(const struct command *command, int count, char **arguments)
{
    if (!(command->counts & EXACTLY(count < 31 ? count : 31)))
        return false;
    return command->mapping == 0 || argument_mapping_length(arguments[command->mapping]) ==
                                        (unsigned long long)(count - command->mapping);
}

ISDSC_STATUS command_dispatch(int count, char **words)
{
    const struct command *command = count > 0 ? find(words[0]) : NULL;
    ISDSC_STATUS status = ERROR_SUCCESS;

    if (!command)
        print_full_usage();
    else if (!count_is_right(command, count - 1, words + 1))
        print_usage(command);
    else
        status = command->run(count - 1, words + 1);
    print_status(status);
    fflush(stdout);
    return status;
}
