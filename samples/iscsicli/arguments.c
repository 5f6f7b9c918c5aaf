#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"

bool argument_is_default(const char *text)
{
    return text[0] == '*';
}

char *argument_text(char *text)
{
    return argument_is_default(text) ? NULL : text;
}

BOOLEAN argument_boolean(const char *text, bool otherwise)
{
    if (argument_is_default(text))
        return otherwise;
    return text[0] == 't' || text[0] == 'T';
}

static bool is_hexadecimal(const char *text)
{
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

ULONG argument_number(const char *text)
{
    bool negative = text[0] == '-';
    const char *digits = negative ? text + 1 : text;
    unsigned long long value;

    if (!isdigit((unsigned char)digits[0]))
        return 0;
    value = strtoull(digits, NULL, is_hexadecimal(digits) ? 16 : 10);
    if (value > UINT32_MAX)
        value = UINT32_MAX;
    return (ULONG)(negative ? UINT32_MAX & (0 - value) : value);
}

ULONG argument_port(const char *text)
{
    return argument_is_default(text) ? ISCSI_ALL_INITIATOR_PORTS : argument_number(text);
}

ISDSC_STATUS argument_byte(const char *text, UCHAR *value)
{
    ULONG number = argument_number(text);

    if (number > UINT8_MAX)
        return ERROR_INVALID_PARAMETER;
    *value = (UCHAR)number;
    return ERROR_SUCCESS;
}

static ISDSC_STATUS set_portal(const char *address, ULONG socket, ISCSI_TARGET_PORTALA *portal)
{
    memset(portal, 0, sizeof(*portal));
    if (strlen(address) >= sizeof(portal->Address) || socket > UINT16_MAX)
        return ERROR_INVALID_PARAMETER;
    strcpy(portal->Address, address);
    portal->Socket = (USHORT)socket;
    return ERROR_SUCCESS;
}

ISDSC_STATUS argument_portal(const char *address, const char *socket, ISCSI_TARGET_PORTALA *portal)
{
    return set_portal(address, argument_number(socket), portal);
}

ISDSC_STATUS argument_quick_portal(const char *address, ISCSI_TARGET_PORTALA *portal)
{
    return set_portal(address, ISCSI_SOCKET, portal);
}

/* 1 to 16 hexadecimal digits up to `end`. */
static bool parse_hex(const char *text, const char *end, ULONGLONG *value)
{
    if (end <= text || end - text > 16)
        return false;
    for (const char *c = text; c < end; c++)
        if (!isxdigit((unsigned char)*c))
            return false;
    *value = strtoull(text, NULL, 16);
    return true;
}

/* <hex>-<hex>, 0x allowed before each half. */
static bool parse_id(const char *text, ULONGLONG *unique, ULONGLONG *specific)
{
    const char *dash = strchr(text, '-');
    const char *second;

    if (!dash)
        return false;
    second = dash + 1;
    text += is_hexadecimal(text) ? 2 : 0;
    second += is_hexadecimal(second) ? 2 : 0;
    return parse_hex(text, dash, unique) && parse_hex(second, second + strlen(second), specific);
}

ISDSC_STATUS argument_session_id(const char *text, ISCSI_UNIQUE_SESSION_ID *id)
{
    if (parse_id(text, &id->AdapterUnique, &id->AdapterSpecific))
        return ERROR_SUCCESS;
    printf("Invalid sessionid: %s\n", text);
    return ERROR_INVALID_PARAMETER;
}

ISDSC_STATUS argument_connection_id(const char *text, ISCSI_UNIQUE_CONNECTION_ID *id)
{
    if (parse_id(text, &id->AdapterUnique, &id->AdapterSpecific))
        return ERROR_SUCCESS;
    printf("Invalid connectionid: %s\n", text);
    return ERROR_INVALID_PARAMETER;
}

ISDSC_STATUS argument_lun(const char *text, ULONGLONG *lun)
{
    if (parse_hex(text, text + strlen(text), lun))
        return ERROR_SUCCESS;
    printf("Invalid LUN: %s\n", text);
    return ERROR_INVALID_PARAMETER;
}

static unsigned hex_digit(char c)
{
    if (isdigit((unsigned char)c))
        return (unsigned)(c - '0');
    return (unsigned)(tolower((unsigned char)c) - 'a') + 10;
}

ISDSC_STATUS argument_secret(char *text, PUCHAR *bytes, ULONG *length)
{
    size_t digits;

    *bytes = argument_is_default(text) ? NULL : (PUCHAR)text;
    *length = *bytes ? (ULONG)strlen(text) : 0;
    if (!*bytes || !is_hexadecimal(text))
        return ERROR_SUCCESS;

    text += 2;
    digits = strlen(text);
    if (digits == 0 || digits % 2 != 0)
        return ERROR_INVALID_PARAMETER;
    for (size_t i = 0; i < digits; i++)
        if (!isxdigit((unsigned char)text[i]))
            return ERROR_INVALID_PARAMETER;
    for (size_t i = 0; i < digits / 2; i++)
        (*bytes)[i] = (UCHAR)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    *length = (ULONG)(digits / 2);
    return ERROR_SUCCESS;
}

void argument_key(char *text, PCHAR *key, ULONG *length)
{
    *key = argument_text(text);
    *length = *key ? (ULONG)strlen(text) + 1 : 0;
}

/* Whether the option is given; marks it if so. */
static bool specified(ISCSI_LOGIN_OPTIONS *options, const char *text, ULONG bit)
{
    if (argument_is_default(text))
        return false;
    options->InformationSpecified |= bit;
    return true;
}

static ISDSC_STATUS login_credentials(char *user, char *password, ISCSI_LOGIN_OPTIONS *options)
{
    /* "-" is a credential that is given and empty. */
    if (specified(options, user, ISCSI_LOGIN_OPTIONS_USERNAME) && strcmp(user, "-") != 0) {
        options->Username = (PUCHAR)user;
        options->UsernameLength = (ULONG)strlen(user);
    }
    if (specified(options, password, ISCSI_LOGIN_OPTIONS_PASSWORD) && strcmp(password, "-") != 0)
        return argument_secret(password, &options->Password, &options->PasswordLength);
    return ERROR_SUCCESS;
}

ISDSC_STATUS argument_login_options(char **arguments, ISCSI_LOGIN_OPTIONS *options)
{
    memset(options, 0, sizeof(*options));
    options->Version = ISCSI_LOGIN_OPTIONS_VERSION;
    options->LoginFlags = argument_number(arguments[0]);
    if (specified(options, arguments[1], ISCSI_LOGIN_OPTIONS_HEADER_DIGEST))
        options->HeaderDigest = (ISCSI_DIGEST_TYPES)argument_number(arguments[1]);
    if (specified(options, arguments[2], ISCSI_LOGIN_OPTIONS_DATA_DIGEST))
        options->DataDigest = (ISCSI_DIGEST_TYPES)argument_number(arguments[2]);
    if (specified(options, arguments[3], ISCSI_LOGIN_OPTIONS_MAXIMUM_CONNECTIONS))
        options->MaximumConnections = argument_number(arguments[3]);
    if (specified(options, arguments[4], ISCSI_LOGIN_OPTIONS_DEFAULT_TIME_2_WAIT))
        options->DefaultTime2Wait = argument_number(arguments[4]);
    if (specified(options, arguments[5], ISCSI_LOGIN_OPTIONS_DEFAULT_TIME_2_RETAIN))
        options->DefaultTime2Retain = argument_number(arguments[5]);
    if (specified(options, arguments[8], ISCSI_LOGIN_OPTIONS_AUTH_TYPE))
        options->AuthType = (ISCSI_AUTH_TYPES)argument_number(arguments[8]);
    return login_credentials(arguments[6], arguments[7], options);
}

ISDSC_STATUS argument_quick_options(int count, char **arguments, ISCSI_LOGIN_OPTIONS *options)
{
    memset(options, 0, sizeof(*options));
    options->Version = ISCSI_LOGIN_OPTIONS_VERSION;
    if (count < 2)
        return ERROR_SUCCESS;
    options->InformationSpecified =
        ISCSI_LOGIN_OPTIONS_USERNAME | ISCSI_LOGIN_OPTIONS_PASSWORD | ISCSI_LOGIN_OPTIONS_AUTH_TYPE;
    options->AuthType = ISCSI_CHAP_AUTH_TYPE;
    /* Unlike in the long commands, "*" is given and empty here, just as "-" is. */
    return login_credentials(arguments[0], arguments[1], options);
}

unsigned long long argument_mapping_length(const char *count)
{
    return 1 + (unsigned long long)argument_number(count) * MAPPING_ARGUMENTS;
}

/* 0x and 16 digits, no more and no fewer. */
static bool parse_target_lun(const char *text, ULONGLONG *lun)
{
    return strlen(text) == 18 && is_hexadecimal(text) && parse_hex(text + 2, text + 18, lun);
}

static ISDSC_STATUS refuse_mapping(const char *reason)
{
    puts(reason);
    return ERROR_INVALID_PARAMETER;
}

static ISDSC_STATUS fill_mapping(char **lun, ISCSI_TARGET_MAPPINGA *mapping)
{
    mapping->OSBusNumber = argument_number(lun[1]);
    mapping->OSTargetNumber = argument_number(lun[2]);
    for (ULONG i = 0; i < mapping->LUNCount; i++, lun += MAPPING_ARGUMENTS) {
        if (!parse_target_lun(lun[0], &mapping->LUNList[i].TargetLUN))
            return refuse_mapping("Target LUN must be in 0x0123456789abcdef format");
        if (argument_number(lun[1]) != mapping->OSBusNumber)
            return refuse_mapping("OSBus number must be the same for all LUNs");
        if (argument_number(lun[2]) != mapping->OSTargetNumber)
            return refuse_mapping("OSTarget number must be the same for all LUNs");
        mapping->LUNList[i].OSLUN = argument_number(lun[3]);
    }
    return ERROR_SUCCESS;
}

ISDSC_STATUS argument_mapping(char **arguments, ISCSI_TARGET_MAPPINGA **mapping)
{
    ULONG luns = argument_number(arguments[0]);
    ISDSC_STATUS status;

    *mapping = NULL;
    if (luns == 0)
        return ERROR_SUCCESS;
    *mapping = calloc(1, sizeof(**mapping) + (size_t)luns * sizeof(SCSI_LUN_LIST));
    if (!*mapping)
        return ERROR_NOT_ENOUGH_MEMORY;
    (*mapping)->LUNCount = luns;
    (*mapping)->LUNList = (PSCSI_LUN_LIST)(void *)(*mapping + 1);
    status = fill_mapping(arguments + 1, *mapping);
    if (status != ERROR_SUCCESS) {
        free(*mapping);
        *mapping = NULL;
    }
    return status;
}
