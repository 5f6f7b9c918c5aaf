/* What has a value that can be set. */
#include "imatool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- login parameters --- */

static const struct {
    const char *name;
    IMA_STATUS (*get)(IMA_OID oid, IMA_MIN_MAX_VALUE *out);
    IMA_STATUS (*set)(IMA_OID oid, IMA_UINT value);
} numbers[] = {
    {"time2retain", IMA_GetDefaultTime2RetainProperties, IMA_SetDefaultTime2Retain},
    {"time2wait", IMA_GetDefaultTime2WaitProperties, IMA_SetDefaultTime2Wait},
    {"error-recovery-level", IMA_GetErrorRecoveryLevelProperties, IMA_SetErrorRecoveryLevel},
    {"first-burst", IMA_GetFirstBurstLengthProperties, IMA_SetFirstBurstLength},
    {"max-burst", IMA_GetMaxBurstLengthProperties, IMA_SetMaxBurstLength},
    {"max-connections", IMA_GetMaxConnectionsProperties, IMA_SetMaxConnections},
    {"max-r2t", IMA_GetMaxOutstandingR2TProperties, IMA_SetMaxOutstandingR2T},
    {"max-receive-segment", IMA_GetMaxRecvDataSegmentLengthProperties,
     IMA_SetMaxRecvDataSegmentLength},
};

static const struct {
    const char *name;
    IMA_STATUS (*get)(IMA_OID oid, IMA_BOOL_VALUE *out); /* NULL: show tells it */
    IMA_STATUS (*set)(IMA_OID oid, IMA_BOOL value);
} flags[] = {
    {"data-pdu-in-order", IMA_GetDataPduInOrderProperties, IMA_SetDataPduInOrder},
    {"data-sequence-in-order", IMA_GetDataSequenceInOrderProperties, IMA_SetDataSequenceInOrder},
    {"immediate-data", IMA_GetImmediateDataProperties, IMA_SetImmediateData},
    {"initial-r2t", IMA_GetInitialR2TProperties, IMA_SetInitialR2T},
    {"slp", NULL, IMA_SetSlpDiscovery},
    {"static", NULL, IMA_SetStaticDiscovery},
    {"sendtargets", NULL, IMA_SetSendTargetsDiscovery},
    {"statistics", NULL, IMA_SetStatisticsCollection},
    {"dhcp", NULL, IMA_SetIpConfigMethod},
};

enum { NUMBERS = sizeof numbers / sizeof *numbers, FLAGS = sizeof flags / sizeof *flags };

static IMA_STATUS show_number(IMA_OID oid, size_t i)
{
    IMA_MIN_MAX_VALUE v;
    IMA_STATUS status = numbers[i].get(oid, &v);
    if (IMA_ERROR(status))
        return status;
    if (v.settable)
        line(numbers[i].name, "%u (%u to %u in steps of %u, else %u)", (unsigned)v.currentValue,
             (unsigned)v.minimumValue, (unsigned)v.maximumValue, (unsigned)v.incrementValue,
             (unsigned)v.defaultValue);
    else if (v.currentValueValid)
        line(numbers[i].name, "%u", (unsigned)v.currentValue);
    else
        line(numbers[i].name, "-");
    return status;
}

static IMA_STATUS show_flag(IMA_OID oid, size_t i)
{
    IMA_BOOL_VALUE v;
    IMA_STATUS status = flags[i].get != NULL ? flags[i].get(oid, &v) : IMA_ERROR_NOT_SUPPORTED;
    if (IMA_ERROR(status))
        return status;
    if (v.settable)
        line(flags[i].name, "%s (else %s)", v.currentValue ? "on" : "off",
             v.defaultValue ? "on" : "off");
    else
        line(flags[i].name, "%s", !v.currentValueValid ? "-" : v.currentValue ? "on" : "off");
    return status;
}

void show_parameters(IMA_OID oid)
{
    for (size_t i = 0; i < FLAGS; i++)
        show_flag(oid, i);
    for (size_t i = 0; i < NUMBERS; i++)
        show_number(oid, i);
}

/* --- authentication --- */

static const char *const methods[] = {"none", "chap", "srp", "krb5", "spkm1", "spkm2"};
enum { METHODS = sizeof methods / sizeof *methods };

static void line_methods(const char *name, IMA_STATUS status, IMA_UINT count,
                         const IMA_AUTHMETHOD *list)
{
    char text[64] = "";
    for (IMA_UINT i = 0; IMA_SUCCESS(status) && i < count && i < METHODS; i++) {
        strcat(text, i > 0 ? " " : "");
        strcat(text, (unsigned)list[i] < METHODS ? methods[list[i]] : "?");
    }
    if (IMA_SUCCESS(status))
        line(name, "%s", text);
}

void show_authentication(IMA_OID lhba)
{
    IMA_AUTHMETHOD list[METHODS];
    IMA_INITIATOR_AUTHPARMS parameters;
    IMA_UINT count = METHODS;
    IMA_STATUS status = IMA_GetInUseInitiatorAuthMethods(lhba, &count, list);
    line_methods("methods in use", status, count, list);
    count = METHODS;
    status = IMA_GetSupportedAuthMethods(lhba, IMA_TRUE, &count, list);
    line_methods("methods that can be used", status, count, list);
    count = METHODS;
    status = IMA_GetSupportedAuthMethods(lhba, IMA_FALSE, &count, list);
    line_methods("methods supported", status, count, list);
    if (IMA_SUCCESS(IMA_GetInitiatorAuthParms(lhba, IMA_AUTHMETHOD_CHAP, &parameters)))
        line("CHAP name", "%.*s", (int)parameters.chapParms.nameLength,
             (const char *)parameters.chapParms.name);
}

static IMA_STATUS set_methods(IMA_OID oid, int count, char **values)
{
    IMA_AUTHMETHOD list[METHODS];
    if (count > METHODS)
        return IMA_ERROR_INVALID_PARAMETER;
    for (int i = 0; i < count; i++) {
        size_t method = 0;
        while (method < METHODS && strcmp(values[i], methods[method]) != 0)
            method++;
        list[i] = (IMA_AUTHMETHOD)method; /* one that there is not is refused */
    }
    return IMA_SetInitiatorAuthMethods(oid, (IMA_UINT)count, list);
}

/* Without a secret: the one that is stored stays. "-" has it read from the standard input, where
 * nobody else sees it. */
static IMA_STATUS set_chap(IMA_OID oid, int count, char **values)
{
    static IMA_INITIATOR_AUTHPARMS parameters;
    IMA_CHAP_INITIATOR_AUTHPARMS *chap = &parameters.chapParms;
    char typed[sizeof chap->challengeSecret + 2] = "";
    const char *secret = count > 1 ? values[1] : "";
    if (strcmp(secret, "-") == 0) {
        if (fgets(typed, sizeof typed, stdin) == NULL)
            return IMA_ERROR_INVALID_PARAMETER;
        typed[strcspn(typed, "\r\n")] = '\0';
        secret = typed;
    }
    size_t name_length = strlen(values[0]), length = strlen(secret);
    if (name_length > sizeof chap->name || length > sizeof chap->challengeSecret)
        return IMA_ERROR_INVALID_PARAMETER;
    memcpy(chap->name, values[0], name_length);
    chap->nameLength = (IMA_UINT)name_length;
    memcpy(chap->challengeSecret, secret, length);
    chap->challengeSecretLength = (IMA_UINT)length;
    return IMA_SetInitiatorAuthParms(oid, IMA_AUTHMETHOD_CHAP, &parameters);
}

static IMA_STATUS set_srp(IMA_OID oid, int count, char **values)
{
    static IMA_INITIATOR_AUTHPARMS parameters;
    size_t length = strlen(values[0]);
    (void)count;
    if (length > sizeof parameters.srpParms.userName)
        return IMA_ERROR_INVALID_PARAMETER;
    memcpy(parameters.srpParms.userName, values[0], length);
    parameters.srpParms.userNameLength = (IMA_UINT)length;
    return IMA_SetInitiatorAuthParms(oid, IMA_AUTHMETHOD_SRP, &parameters);
}

/* --- others --- */

static IMA_STATUS set_isns(IMA_OID oid, int count, char **values)
{
    IMA_TARGET_ADDRESS address;
    IMA_ISNS_DISCOVERY_METHOD method = IMA_ISNS_DISCOVERY_METHOD_STATIC;
    (void)count;
    memset(&address, 0, sizeof address);
    if (strcmp(values[0], "off") == 0)
        return IMA_SetIsnsDiscovery(oid, IMA_FALSE, method, NULL);
    if (strcmp(values[0], "dhcp") == 0)
        method = IMA_ISNS_DISCOVERY_METHOD_DHCP;
    else if (strcmp(values[0], "slp") == 0)
        method = IMA_ISNS_DISCOVERY_METHOD_SLP;
    else if (!parse_target_address(values[0], &address))
        return IMA_ERROR_INVALID_PARAMETER;
    return IMA_SetIsnsDiscovery(oid, IMA_TRUE, method, &address.hostnameIpAddress);
}

/* The library says when it is too long. */
static IMA_STATUS set_name(IMA_OID oid, int count, char **values)
{
    static IMA_WCHAR name[1024];
    (void)count;
    return to_wide(values[0], name, 1024) ? IMA_SetNodeName(oid, name)
                                          : IMA_ERROR_INVALID_PARAMETER;
}

static IMA_STATUS set_alias(IMA_OID oid, int count, char **values)
{
    static IMA_WCHAR alias[1024];
    if (count == 0)
        return IMA_SetNodeAlias(oid, NULL);
    return to_wide(values[0], alias, 1024) ? IMA_SetNodeAlias(oid, alias)
                                           : IMA_ERROR_INVALID_PARAMETER;
}

static IMA_STATUS set_address(IMA_OID oid, int count, char **values)
{
    IMA_IP_ADDRESS address;
    (void)count;
    return parse_address(values[0], &address) ? IMA_SetNetworkPortalIpAddress(oid, address)
                                              : IMA_ERROR_INVALID_PARAMETER;
}

static IMA_STATUS set_mask(IMA_OID oid, int count, char **values)
{
    IMA_IP_ADDRESS address;
    (void)count;
    return parse_address(values[0], &address) ? IMA_SetSubnetMask(oid, address)
                                              : IMA_ERROR_INVALID_PARAMETER;
}

static IMA_STATUS set_gateway(IMA_OID oid, int count, char **values)
{
    IMA_IP_ADDRESS address;
    (void)count;
    return parse_address(values[0], &address) ? IMA_SetDefaultGateway(oid, address)
                                              : IMA_ERROR_INVALID_PARAMETER;
}

static IMA_STATUS set_dns(IMA_OID oid, int count, char **values)
{
    IMA_IP_ADDRESS addresses[2];
    for (int i = 0; i < count; i++) {
        if (!parse_address(values[i], &addresses[i]))
            return IMA_ERROR_INVALID_PARAMETER;
    }
    return IMA_SetDnsServerAddress(oid, count > 0 ? &addresses[0] : NULL,
                                   count > 1 ? &addresses[1] : NULL);
}

static const struct {
    const char *name;
    IMA_STATUS (*set)(IMA_OID oid, int count, char **values);
    int least, most;
} others[] = {
    {"methods", set_methods, 1, METHODS},
    {"chap", set_chap, 1, 2},
    {"srp", set_srp, 1, 1},
    {"isns", set_isns, 1, 1},
    {"name", set_name, 1, 1},
    {"alias", set_alias, 0, 1},
    {"address", set_address, 1, 1},
    {"mask", set_mask, 1, 1},
    {"gateway", set_gateway, 1, 1},
    {"dns", set_dns, 0, 2},
};

/* --- commands --- */

int get(int count, char **arguments)
{
    IMA_OID oid;
    (void)count;
    if (!find_object(arguments[0], &oid))
        return EXIT_FAILED;
    for (size_t i = 0; i < NUMBERS; i++) {
        if (strcmp(arguments[1], numbers[i].name) == 0)
            return finish(arguments[1], show_number(oid, i));
    }
    for (size_t i = 0; i < FLAGS; i++) {
        if (strcmp(arguments[1], flags[i].name) == 0 && flags[i].get != NULL)
            return finish(arguments[1], show_flag(oid, i));
    }
    fprintf(stderr, "imatool: %s is no login parameter; show tells the others\n", arguments[1]);
    return EXIT_USAGE;
}

static bool set_number(IMA_OID oid, const char *name, const char *text, IMA_STATUS *status)
{
    unsigned long value;
    for (size_t i = 0; i < NUMBERS; i++) {
        if (strcmp(name, numbers[i].name) != 0)
            continue;
        *status = parse_number(text, 0xFFFFFFFF, &value) ? numbers[i].set(oid, (IMA_UINT)value)
                                                         : IMA_ERROR_INVALID_PARAMETER;
        return true;
    }
    return false;
}

static bool set_flag(IMA_OID oid, const char *name, const char *text, IMA_STATUS *status)
{
    IMA_BOOL value;
    for (size_t i = 0; i < FLAGS; i++) {
        if (strcmp(name, flags[i].name) != 0)
            continue;
        *status = parse_flag(text, &value) ? flags[i].set(oid, value) : IMA_ERROR_INVALID_PARAMETER;
        return true;
    }
    return false;
}

static bool set_other(IMA_OID oid, const char *name, int count, char **values, IMA_STATUS *status)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(name, others[i].name) != 0)
            continue;
        *status = count >= others[i].least && count <= others[i].most
                      ? others[i].set(oid, count, values)
                      : IMA_ERROR_INVALID_PARAMETER;
        return true;
    }
    return false;
}

int set(int count, char **arguments)
{
    IMA_OID oid;
    IMA_STATUS status;
    if (!find_object(arguments[0], &oid))
        return EXIT_FAILED;
    if ((count == 3 && (set_number(oid, arguments[1], arguments[2], &status) ||
                        set_flag(oid, arguments[1], arguments[2], &status))) ||
        set_other(oid, arguments[1], count - 2, arguments + 2, &status))
        return finish(arguments[1], status);
    fprintf(stderr, "imatool: %s cannot be set like this\n", arguments[1]);
    return EXIT_USAGE;
}
