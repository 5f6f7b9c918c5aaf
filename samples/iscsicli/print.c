#include <stdio.h>
#include <string.h>

#include "print.h"

struct flag {
    ULONG bit;
    const char *text;
};

void print_status(ISDSC_STATUS status)
{
    char text[1024];

    platform_status_text(status, text, sizeof(text));
    if (text[0])
        printf("%s\n", text);
    else
        printf("Status: 0x%lx\n", (unsigned long)status);
}

void print_status_inline(const char *label, ISDSC_STATUS status)
{
    printf("%s", label);
    print_status(status);
}

void print_session_id(const ISCSI_UNIQUE_SESSION_ID *id)
{
    printf("Session Id is 0x%" PRIx64 "-0x%" PRIx64 "\n", (uint64_t)id->AdapterUnique,
           (uint64_t)id->AdapterSpecific);
}

void print_connection_id(const ISCSI_UNIQUE_CONNECTION_ID *id)
{
    printf("Connection Id is 0x%" PRIx64 "-0x%" PRIx64 "\n", (uint64_t)id->AdapterUnique,
           (uint64_t)id->AdapterSpecific);
}

static void print_flags(int indent, ULONG flags, const struct flag *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (flags & names[i].bit)
            printf("%*s%s\n", indent, "", names[i].text);
}

void print_security_flags(int indent, ISCSI_SECURITY_FLAGS flags)
{
    static const struct flag names[] = {
        {ISCSI_SECURITY_FLAG_TUNNEL_MODE_PREFERRED, "Tunnel Mode Preferred"},
        {ISCSI_SECURITY_FLAG_TRANSPORT_MODE_PREFERRED, "Transport Mode Preferred"},
        {ISCSI_SECURITY_FLAG_PFS_ENABLED, "PFS Enabled"},
        {ISCSI_SECURITY_FLAG_AGGRESSIVE_MODE_ENABLED, "Aggressive Mode Enabled"},
        {ISCSI_SECURITY_FLAG_IKE_IPSEC_ENABLED, "IPSEC Enabled"},
        {ISCSI_SECURITY_FLAG_VALID, "Security Flags are Valid"},
    };

    printf("%*sSecurity Flags        : 0x%" PRIx64 "\n", indent, "", (uint64_t)flags);
    print_flags(indent + 4, (ULONG)flags, names, sizeof(names) / sizeof(names[0]));
}

static const char *digest_name(ISCSI_DIGEST_TYPES digest)
{
    return digest == ISCSI_DIGEST_TYPE_CRC32C ? "CRC-32C" : "None";
}

static void print_auth_type(int indent, ISCSI_AUTH_TYPES type)
{
    static const char *const names[] = {"None", "CHAP", "Mutual CHAP"};

    printf("%*sAuthentication Type  : ", indent, "");
    if ((unsigned)type < sizeof(names) / sizeof(names[0]))
        puts(names[type]);
    else
        printf("Unknown - %u\n", (unsigned)type);
}

static void print_option_number(int indent, const char *label, ULONG value)
{
    printf("%*s%-21s: %lu\n", indent, "", label, (unsigned long)value);
}

static void print_session_options(int indent, const ISCSI_LOGIN_OPTIONS *options)
{
    ULONG given = options->InformationSpecified;

    if (given & ISCSI_LOGIN_OPTIONS_HEADER_DIGEST)
        printf("%*sHeader Digest        : %s\n", indent, "", digest_name(options->HeaderDigest));
    if (given & ISCSI_LOGIN_OPTIONS_DATA_DIGEST)
        printf("%*sData Digest          : %s\n", indent, "", digest_name(options->DataDigest));
    if (given & ISCSI_LOGIN_OPTIONS_MAXIMUM_CONNECTIONS)
        print_option_number(indent, "Maximum Connections", options->MaximumConnections);
    if (given & ISCSI_LOGIN_OPTIONS_DEFAULT_TIME_2_WAIT)
        print_option_number(indent, "Default Time 2 Wait", options->DefaultTime2Wait);
    if (given & ISCSI_LOGIN_OPTIONS_DEFAULT_TIME_2_RETAIN)
        print_option_number(indent, "Default Time 2 Retain", options->DefaultTime2Retain);
}

static void print_dump_line(const UCHAR *bytes, ULONG count)
{
    for (ULONG i = 0; i < 16; i++) {
        if (i < count)
            printf("%02x ", bytes[i]);
        else
            printf("   ");
    }
    printf("    ");
    for (ULONG i = 0; i < count; i++)
        putchar(bytes[i] >= 0x21 && bytes[i] <= 0x7e ? bytes[i] : '.');
    putchar('\n');
}

/* The first line stands behind its label, the others below it. */
static void print_user_name(int indent, const UCHAR *bytes, ULONG count)
{
    printf("%*sUsername             : ", indent, "");
    print_dump_line(bytes, count < 16 ? count : 16);
    if (count > 16)
        print_dump(indent + 23, bytes + 16, count - 16);
}

static void print_credentials(int indent, const ISCSI_LOGIN_OPTIONS *options)
{
    ULONG given = options->InformationSpecified;

    if (given & ISCSI_LOGIN_OPTIONS_AUTH_TYPE)
        print_auth_type(indent, options->AuthType);
    if (given & ISCSI_LOGIN_OPTIONS_USERNAME)
        print_user_name(indent, options->Username, options->Username ? options->UsernameLength : 0);
    if (given & ISCSI_LOGIN_OPTIONS_PASSWORD)
        printf("%*sPassword             : <is established>\n", indent, "");
}

void print_login_options(int indent, const ISCSI_LOGIN_OPTIONS *options)
{
    static const struct flag names[] = {
        {ISCSI_LOGIN_FLAG_REQUIRE_IPSEC, "Require IPsec"},
        {ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED, "Multipath Enabled"},
    };

    print_option_number(indent, "Version", options->Version);
    printf("%*sInformation Specified: 0x%lx\n", indent, "",
           (unsigned long)options->InformationSpecified);
    print_session_options(indent, options);
    printf("%*sLogin Flags          : 0x%lx\n", indent, "", (unsigned long)options->LoginFlags);
    print_flags(indent + 23, options->LoginFlags, names, sizeof(names) / sizeof(names[0]));
    print_credentials(indent, options);
}

void print_mapping(int indent, const ISCSI_TARGET_MAPPINGA *mapping)
{
    printf("%*s%-23s: %" PRIx64 "-%" PRIx64 "\n", indent, "", "Session Id",
           (uint64_t)mapping->SessionId.AdapterUnique,
           (uint64_t)mapping->SessionId.AdapterSpecific);
    printf("%*s%-23s: %s\n", indent, "", "Target Name", mapping->TargetName);
    printf("%*s%-23s: %s\n", indent, "", "Initiator", mapping->InitiatorName);
    printf("%*s%-23s: %s\n", indent, "", "Initiator Scsi Device", mapping->OSDeviceName);
    printf("%*s%-23s: %lu\n", indent, "", "Initiator Bus", (unsigned long)mapping->OSBusNumber);
    printf("%*s%-23s: %lu\n", indent, "", "Initiator Target Id",
           (unsigned long)mapping->OSTargetNumber);
    for (ULONG i = 0; i < mapping->LUNCount; i++)
        printf("        Target LUN: 0x%" PRIx64 " <--> OS Lun: 0x%lx\n",
               (uint64_t)mapping->LUNList[i].TargetLUN, (unsigned long)mapping->LUNList[i].OSLUN);
    putchar('\n');
}

void print_port_number(ULONG port)
{
    if (port == ISCSI_ANY_INITIATOR_PORT)
        puts("<Any Port>");
    else
        printf("%lu\n", (unsigned long)port);
}

void print_dump(int indent, const UCHAR *bytes, ULONG count)
{
    for (ULONG i = 0; i < count; i += 16) {
        printf("%*s", indent, "");
        print_dump_line(bytes + i, count - i < 16 ? count - i : 16);
    }
}

void print_bytes(const UCHAR *bytes, int count)
{
    for (int i = 0; i < count; i++)
        printf(i == 0 ? "%02x" : " %02x", bytes[i]);
    putchar('\n');
}

void print_list(const char *list, ULONG size, const char *before, const char *after)
{
    const char *end = list + size;

    while (list < end && *list) {
        printf("%s%s%s\n", before, list, after);
        list += strlen(list) + 1;
    }
}

const char *print_text(const char *text)
{
    return text ? text : "(null)";
}
