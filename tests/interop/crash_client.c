/*
 * A client for test_service_crash.py, which kills the service under it. For each line "go SEED" it
 * changes what is stored, over and over, until the service is gone: a line before each call and one
 * after it. For "report" it tells what it finds stored. Every field of a thing that is stored
 * follows from its version, so that half of one shows.
 *
 * Usage: crash_client NUMBER PORT; nobody may listen on PORT.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iscsidsc.h"

#define SLOTS     12u /* portals, logins and static targets of each client */
#define LUNS_MOST 256u
#define KEY_MOST  1500u /* parts: many, so that a login covers several pages of the database */
#define KEY_PART  12
#define TEXT_ROOM 64
#define GROUP     3u /* most portals of a static target */

static unsigned client;
static USHORT port;
static uint64_t random_state;
static bool may_be_stored[SLOTS]; /* logins */

/* One line in one piece: all clients write to the same pipe, and the order of the lines tells what
 * came before what. */
static void tell(const char *format, ...)
{
    char line[2048];
    va_list arguments;
    int length = snprintf(line, sizeof line, "%u ", client);
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    va_end(arguments);
    line[length++] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        exit(1);
}

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % limit;
}

/* --- what is stored --- */

struct thing {
    char target[TEXT_ROOM];
    char user[TEXT_ROOM];
    char secret[TEXT_ROOM];
    SCSI_LUN_LIST luns[LUNS_MOST];
    char key[KEY_MOST * KEY_PART + 1];
    ULONG key_length;
    ISCSI_TARGET_PORTALA portal;
    ISCSI_LOGIN_OPTIONS options;
    ISCSI_TARGET_MAPPINGA mapping;
};

static void fill_options(struct thing *thing, unsigned version)
{
    ISCSI_LOGIN_OPTIONS *options = &thing->options;
    int user = snprintf(thing->user, TEXT_ROOM, "user-%u", version);
    int secret = snprintf(thing->secret, TEXT_ROOM, "secret-%08u", version);
    options->InformationSpecified = 0xFF;
    options->LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED;
    options->AuthType = ISCSI_CHAP_AUTH_TYPE;
    options->HeaderDigest = version & 1 ? ISCSI_DIGEST_TYPE_CRC32C : ISCSI_DIGEST_TYPE_NONE;
    options->DataDigest = version & 2 ? ISCSI_DIGEST_TYPE_CRC32C : ISCSI_DIGEST_TYPE_NONE;
    options->MaximumConnections = 1 + version % 8;
    options->DefaultTime2Wait = version % 60;
    options->DefaultTime2Retain = version % 120;
    options->UsernameLength = (ULONG)user;
    options->PasswordLength = (ULONG)secret;
    options->Username = (PUCHAR)thing->user;
    options->Password = (PUCHAR)thing->secret;
}

static void fill_mapping(struct thing *thing, unsigned version)
{
    ISCSI_TARGET_MAPPINGA *mapping = &thing->mapping;
    snprintf(mapping->OSDeviceName, sizeof mapping->OSDeviceName, "device-%u", version);
    mapping->OSBusNumber = version & 0xff;
    mapping->OSTargetNumber = (version + 1) & 0xff;
    mapping->LUNCount = 1 + version % LUNS_MOST;
    mapping->LUNList = thing->luns;
    for (ULONG i = 0; i < mapping->LUNCount; i++)
        thing->luns[i] = (SCSI_LUN_LIST){i, (ULONGLONG)version << 32 | i};
}

static void fill_key(struct thing *thing, unsigned version)
{
    thing->key_length = (1 + version % KEY_MOST) * KEY_PART;
    for (ULONG at = 0; at < thing->key_length; at += KEY_PART)
        snprintf(thing->key + at, KEY_PART + 1, "key-%08u", version);
}

/* Each slot's portal has an address of its own, for portals are told apart by that. */
static void fill(struct thing *thing, unsigned slot, unsigned version)
{
    ISCSI_TARGET_PORTALA *portal = &thing->portal;
    memset(thing, 0, sizeof *thing);
    snprintf(thing->target, TEXT_ROOM, "iqn.2026-11.org.example:crash-%u-%u", client, slot);
    snprintf(portal->Address, sizeof portal->Address, "127.1.%u.%u", client, slot + 1);
    snprintf(portal->SymbolicName, sizeof portal->SymbolicName, "version %u", version);
    portal->Socket = port;
    fill_options(thing, version);
    fill_mapping(thing, version);
    fill_key(thing, version);
}

/* --- the changes --- */

/* A portal that was stored and did not answer is stored. */
static ISDSC_STATUS add_portal(unsigned slot, unsigned version)
{
    struct thing thing;
    fill(&thing, slot, version);
    tell("begin portal-%u %u", slot, version);
    ISDSC_STATUS status = AddIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &thing.options,
                                                    0, &thing.portal);
    return status == ISDSC_CONNECTION_FAILED ? ERROR_SUCCESS : status;
}

static ISDSC_STATUS remove_portal(unsigned slot)
{
    struct thing thing;
    fill(&thing, slot, 0);
    tell("begin portal-%u 0", slot);
    ISDSC_STATUS status =
        RemoveIScsiSendTargetPortalA(NULL, ISCSI_ALL_INITIATOR_PORTS, &thing.portal);
    return status == ISDSC_PORTAL_NOT_FOUND ? ERROR_SUCCESS : status;
}

static ISDSC_STATUS add_login(unsigned slot, unsigned version)
{
    ISCSI_UNIQUE_SESSION_ID session;
    ISCSI_UNIQUE_CONNECTION_ID connection;
    struct thing thing;
    fill(&thing, slot, version);
    may_be_stored[slot] = true;
    tell("begin login-%u %u", slot, version);
    return LoginIScsiTargetA(thing.target, FALSE, NULL, ISCSI_ANY_INITIATOR_PORT, &thing.portal, 0,
                             &thing.mapping, &thing.options, thing.key_length, thing.key, TRUE,
                             &session, &connection);
}

static ISDSC_STATUS remove_login(unsigned slot)
{
    struct thing thing;
    fill(&thing, slot, 0);
    tell("begin login-%u 0", slot);
    ISDSC_STATUS status =
        RemoveIScsiPersistentTargetA(NULL, ISCSI_ALL_INITIATOR_PORTS, thing.target, &thing.portal);
    bool gone = status == ERROR_SUCCESS || status == ISDSC_TARGET_NOT_FOUND;
    may_be_stored[slot] = !gone;
    return gone ? ERROR_SUCCESS : status;
}

static void fill_static_name(char name[TEXT_ROOM], unsigned slot)
{
    snprintf(name, TEXT_ROOM, "iqn.2026-11.org.example:static-%u-%u", client, slot);
}

static ISDSC_STATUS add_static(unsigned slot, unsigned version)
{
    union {
        ISCSI_TARGET_PORTAL_GROUPA group;
        char room[sizeof(ISCSI_TARGET_PORTAL_GROUPA) + GROUP * sizeof(ISCSI_TARGET_PORTALA)];
    } some;
    ISCSI_TARGET_PORTALA *portals = some.group.Portals;
    struct thing thing;
    fill(&thing, slot, version);
    fill_static_name(thing.target, slot);
    some.group.Count = 1 + version % GROUP;
    for (ULONG i = 0; i < some.group.Count; i++) {
        portals[i] = thing.portal;
        portals[i].Socket = (USHORT)(3260 + i);
    }
    tell("begin static-%u %u", slot, version);
    return AddIScsiStaticTargetA(thing.target, thing.portal.SymbolicName, 0, TRUE, &thing.mapping,
                                 &thing.options, &some.group);
}

static ISDSC_STATUS remove_static(unsigned slot)
{
    char name[TEXT_ROOM];
    fill_static_name(name, slot);
    tell("begin static-%u 0", slot);
    ISDSC_STATUS status = RemoveIScsiStaticTargetA(name);
    return status == ISDSC_TARGET_NOT_FOUND ? ERROR_SUCCESS : status;
}

static ISDSC_STATUS set_secret(unsigned version)
{
    char secret[TEXT_ROOM];
    int length = snprintf(secret, sizeof secret, "secret-%08u", version);
    tell("begin secret %u", version);
    return SetIScsiInitiatorCHAPSharedSecret((ULONG)length, (PUCHAR)secret);
}

static ISDSC_STATUS set_name(unsigned version)
{
    char name[TEXT_ROOM];
    snprintf(name, sizeof name, "iqn.2026-11.org.example:version-%u", version);
    tell("begin name %u", version);
    return SetIScsiInitiatorNodeNameA(name);
}

static ISDSC_STATUS change(unsigned version)
{
    unsigned slot = random_below(SLOTS);
    switch (random_below(12)) {
    case 0:
        return set_secret(version);
    case 1:
        return set_name(version);
    case 2:
        return remove_portal(slot);
    case 3:
    case 4:
        return add_portal(slot, version);
    case 5:
        return remove_static(slot);
    case 6:
    case 7:
    case 8:
        return add_static(slot, version);
    default:
        return may_be_stored[slot] ? remove_login(slot) : add_login(slot, version);
    }
}

/* Versions are unlike for all clients and rounds. */
static void go(void)
{
    static unsigned version;
    ISDSC_STATUS status;
    do {
        version++;
        status = change(version * 10 + client);
        if (status != ISDSC_SERVICE_NOT_RUNNING)
            tell("end 0x%lx", (unsigned long)status);
    } while (status == ERROR_SUCCESS);
    tell("over");
}

/* --- the report --- */

static union {
    ULONGLONG align;
    char bytes[1 << 20];
} room;

static void tell_options(char *text, size_t size, const ISCSI_LOGIN_OPTIONS *options)
{
    snprintf(text, size, "%lx %lx %d %d %d %lu %lu %lu %.*s",
             (unsigned long)options->InformationSpecified, (unsigned long)options->LoginFlags,
             (int)options->AuthType, (int)options->HeaderDigest, (int)options->DataDigest,
             (unsigned long)options->MaximumConnections, (unsigned long)options->DefaultTime2Wait,
             (unsigned long)options->DefaultTime2Retain, (int)options->UsernameLength,
             (const char *)options->Username);
}

static ISDSC_STATUS report_portals(void)
{
    PISCSI_TARGET_PORTAL_INFO_EXA portals = (PISCSI_TARGET_PORTAL_INFO_EXA)(void *)&room;
    ULONG count, size = sizeof room;
    char options[512];
    ISDSC_STATUS status = ReportIScsiSendTargetPortalsExA(&count, &size, portals);
    for (ULONG i = 0; status == ERROR_SUCCESS && i < count; i++) {
        tell_options(options, sizeof options, &portals[i].LoginOptions);
        tell("portal %s %u %s %s", portals[i].Address, portals[i].Socket, portals[i].SymbolicName,
             options);
    }
    return status;
}

static bool luns_follow(const ISCSI_TARGET_MAPPINGA *mapping)
{
    const SCSI_LUN_LIST *luns = mapping->LUNList;
    for (ULONG i = 0; i < mapping->LUNCount; i++) {
        if (luns[i].OSLUN != i || luns[i].TargetLUN != luns[0].TargetLUN + i)
            return false;
    }
    return mapping->LUNCount > 0;
}

static void tell_mapping(char *text, size_t size, const ISCSI_TARGET_MAPPINGA *mapping)
{
    bool good = luns_follow(mapping);
    snprintf(text, size, "%s %lu %lu %lu %llx", mapping->OSDeviceName,
             (unsigned long)mapping->OSBusNumber, (unsigned long)mapping->OSTargetNumber,
             good ? (unsigned long)mapping->LUNCount : 0,
             good ? (unsigned long long)mapping->LUNList[0].TargetLUN : 0);
}

static ISDSC_STATUS report_logins(void)
{
    PPERSISTENT_ISCSI_LOGIN_INFOA logins = (PPERSISTENT_ISCSI_LOGIN_INFOA)(void *)&room;
    ULONG count, size = sizeof room;
    char options[512], mapping[512];
    ISDSC_STATUS status = ReportIScsiPersistentLoginsA(&count, logins, &size);
    for (ULONG i = 0; status == ERROR_SUCCESS && i < count; i++) {
        tell_options(options, sizeof options, &logins[i].LoginOptions);
        tell_mapping(mapping, sizeof mapping, logins[i].Mappings);
        tell("login %s %s %u %s %s %s", logins[i].TargetName, logins[i].TargetPortal.Address,
             logins[i].TargetPortal.Socket, logins[i].TargetPortal.SymbolicName, options, mapping);
    }
    return status;
}

/* One class of what is known of a static target, in `room`. */
static const void *know(char *target, TARGET_INFORMATION_CLASS info_class, ISDSC_STATUS *status)
{
    ULONG size = sizeof room;
    if (*status == ERROR_SUCCESS)
        *status = GetIScsiTargetInformationA(target, NULL, info_class, &size, &room);
    return &room;
}

static void tell_group(char *text, size_t size, const void *groups)
{
    const ULONG *count = groups;
    const ISCSI_TARGET_PORTALA *portals =
        (const void *)((const char *)groups + sizeof(ULONG) +
                       offsetof(ISCSI_TARGET_PORTAL_GROUPA, Portals));
    text[0] = '\0';
    for (ULONG i = 0; count[0] == 1 && i < count[1]; i++) {
        size_t length = strlen(text);
        snprintf(text + length, size - length, " %s %u %s", portals[i].Address, portals[i].Socket,
                 portals[i].SymbolicName);
    }
}

static ISDSC_STATUS report_static(char *target)
{
    char alias[TEXT_ROOM], options[512], mapping[512], group[1024];
    ISDSC_STATUS status = ERROR_SUCCESS;
    snprintf(alias, sizeof alias, "%s", (const char *)know(target, TargetAlias, &status));
    tell_options(options, sizeof options, know(target, LoginOptions, &status));
    tell_mapping(mapping, sizeof mapping, know(target, PersistentTargetMappings, &status));
    tell_group(group, sizeof group, know(target, PortalGroups, &status));
    tell("static %s %s %s %s%s", target, alias, options, mapping, group);
    return status;
}

static ISDSC_STATUS report_statics(void)
{
    static char names[1 << 16];
    ULONG size = sizeof names;
    ISDSC_STATUS status = ReportIScsiTargetsA(FALSE, &size, names);
    for (char *name = names; status == ERROR_SUCCESS && *name != '\0'; name += strlen(name) + 1)
        status = report_static(name);
    return status;
}

static void report(void)
{
    char name[MAX_ISCSI_NAME_LEN + 1];
    ISDSC_STATUS status = report_portals();
    if (status == ERROR_SUCCESS)
        status = report_logins();
    if (status == ERROR_SUCCESS)
        status = report_statics();
    if (status == ERROR_SUCCESS)
        status = GetIScsiInitiatorNodeNameA(name);
    if (status == ERROR_SUCCESS)
        tell("name %s", name);
    tell("reported 0x%lx", (unsigned long)status);
}

int main(int argc, char **argv)
{
    char line[64];
    if (argc != 3)
        return 2;
    client = (unsigned)atoi(argv[1]);
    port = (USHORT)atoi(argv[2]);
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strncmp(line, "go ", 3) == 0) {
            random_state = strtoull(line + 3, NULL, 10);
            go();
        } else {
            report();
        }
    }
    return 0;
}
