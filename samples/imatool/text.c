#include "imatool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- wide text --- */

static unsigned long code_point(const IMA_WCHAR *text, size_t left, size_t *taken)
{
    unsigned long unit = (unsigned long)text[0];
    *taken = 1;
    if (unit < 0xD800 || unit > 0xDBFF || left < 2)
        return unit;
    *taken = 2; /* UTF-16: two halves */
    return 0x10000 + ((unit - 0xD800) << 10) + ((unsigned long)text[1] & 0x3FF);
}

static size_t encode(unsigned long code, char out[4])
{
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(marks[length] | code);
    return length;
}

void to_utf8(const IMA_WCHAR *text, size_t most, char *out, size_t room)
{
    size_t length = 0, taken;
    for (size_t i = 0; i < most && text[i] != 0; i += taken) {
        char bytes[4];
        size_t put = encode(code_point(text + i, most - i, &taken), bytes);
        if (length + put >= room)
            break;
        memcpy(out + length, bytes, put);
        length += put;
    }
    out[length] = '\0';
}

static size_t decode(const char *utf8, unsigned long *code)
{
    unsigned char first = (unsigned char)utf8[0];
    size_t length = first < 0x80    ? 1
                    : first >= 0xF0 ? 4
                    : first >= 0xE0 ? 3
                    : first >= 0xC2 ? 2
                                    : 0;
    *code = first & (0xFFu >> (length > 1 ? length + 1 : 1));
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)utf8[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | ((unsigned char)utf8[i] & 0x3F);
    }
    return length;
}

bool to_wide(const char *utf8, IMA_WCHAR *out, size_t room)
{
    size_t length = 0, taken;
    memset(out, 0, room * sizeof *out);
    for (; *utf8 != '\0'; utf8 += taken) {
        unsigned long code;
        taken = decode(utf8, &code);
        bool halves = sizeof(IMA_WCHAR) == 2 && code >= 0x10000;
        if (taken == 0 || length + (halves ? 2 : 1) >= room)
            return false;
        if (halves)
            out[length++] = (IMA_WCHAR)(0xD800 + ((code - 0x10000) >> 10));
        out[length++] = (IMA_WCHAR)(halves ? 0xDC00 + (code & 0x3FF) : code);
    }
    return true;
}

/* --- addresses --- */

void address_text(const IMA_IP_ADDRESS *address, char *out, size_t room)
{
    const IMA_BYTE *b = address->ipAddress;
    if (address->ipv4Address) {
        snprintf(out, room, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
        return;
    }
    size_t length = 0;
    for (size_t i = 0; i < 16 && length < room; i += 2)
        length += (size_t)snprintf(out + length, room - length, i > 0 ? ":%x" : "%x",
                                   (unsigned)(b[i] << 8 | b[i + 1]));
}

void host_text(const IMA_HOST_ID *host, char *out, size_t room)
{
    if (host->hostnameInUse)
        to_utf8(host->id.hostname, IMA_HOST_NAME_LEN, out, room);
    else
        address_text(&host->id.ipAddress, out, room);
}

static bool parse_ipv4(const char *text, IMA_BYTE out[4])
{
    for (int i = 0; i < 4; i++) {
        char *end;
        unsigned long part = strtoul(text, &end, 10);
        if (end == text || part > 255 || *text < '0' || *text > '9' || *end != (i < 3 ? '.' : '\0'))
            return false;
        out[i] = (IMA_BYTE)part;
        text = end + 1;
    }
    return true;
}

/* Groups up to "::" or the end. */
static const char *parse_groups(const char *text, IMA_BYTE *out, size_t *count)
{
    for (*count = 0; *text != '\0' && *count < 8;) {
        char *end;
        unsigned long group = strtoul(text, &end, 16);
        if (end == text || end - text > 4)
            return NULL;
        out[2 * *count] = (IMA_BYTE)(group >> 8);
        out[2 * (*count)++ + 1] = (IMA_BYTE)group;
        if (*end == '\0' || strncmp(end, "::", 2) == 0)
            return end;
        text = *end == ':' ? end + 1 : "x";
    }
    return *text == '\0' ? text : NULL;
}

static bool parse_ipv6(const char *text, IMA_BYTE out[16])
{
    IMA_BYTE tail[16];
    size_t head = 0, rest = 0;
    memset(out, 0, 16);
    if (strncmp(text, "::", 2) != 0)
        text = parse_groups(text, out, &head);
    if (text == NULL || (*text == '\0' && head != 8))
        return false;
    if (*text == '\0')
        return true;
    const char *end = text[2] == '\0' ? text + 2 : parse_groups(text + 2, tail, &rest);
    if (end == NULL || *end != '\0' || head + rest > 7)
        return false;
    memcpy(out + 16 - 2 * rest, tail, 2 * rest);
    return true;
}

bool parse_address(const char *text, IMA_IP_ADDRESS *out)
{
    memset(out, 0, sizeof *out);
    out->ipv4Address = strchr(text, ':') == NULL;
    return out->ipv4Address ? parse_ipv4(text, out->ipAddress) : parse_ipv6(text, out->ipAddress);
}

/* "[host]:port", "host:port", "host"; a bare IPv6 address has several colons. */
static bool split_host(const char *text, char *host, size_t room, unsigned long *port)
{
    const char *start = text, *end, *colon;
    if (*text == '[') {
        start = text + 1;
        end = strchr(start, ']');
        colon = end != NULL ? end + 1 : NULL;
    } else {
        colon = strchr(text, ':');
        colon = colon != NULL && strchr(colon + 1, ':') == NULL ? colon : text + strlen(text);
        end = colon;
    }
    if (colon == NULL || end == start || (size_t)(end - start) >= room)
        return false;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    *port = 3260;
    return *colon == '\0' || (*colon == ':' && parse_number(colon + 1, 65535, port) && *port != 0);
}

bool parse_target_address(const char *text, IMA_TARGET_ADDRESS *out)
{
    char host[256];
    unsigned long port;
    memset(out, 0, sizeof *out);
    if (!split_host(text, host, sizeof host, &port))
        return false;
    out->portNumber = (IMA_UINT16)port;
    if (parse_address(host, &out->hostnameIpAddress.id.ipAddress))
        return true;
    memset(&out->hostnameIpAddress, 0, sizeof out->hostnameIpAddress);
    out->hostnameIpAddress.hostnameInUse = IMA_TRUE;
    return strchr(host, ':') == NULL &&
           to_wide(host, out->hostnameIpAddress.id.hostname, IMA_HOST_NAME_LEN);
}

bool parse_number(const char *text, unsigned long most, unsigned long *out)
{
    char *end;
    *out = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && *out <= most;
}

bool parse_flag(const char *text, IMA_BOOL *out)
{
    static const char *const words[] = {"off", "on", "no", "yes", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i % 2;
            return true;
        }
    }
    return false;
}

/* --- statuses --- */

#define NAME(STATUS)                                                                               \
    {                                                                                              \
        STATUS, #STATUS                                                                            \
    }
static const struct {
    IMA_STATUS status;
    const char *name;
} names[] = {
    NAME(IMA_STATUS_SUCCESS),
    NAME(IMA_STATUS_REBOOT_NECESSARY),
    NAME(IMA_STATUS_INCONSISTENT_NODE_PROPERTIES),
    NAME(IMA_STATUS_SCSI_STATUS_CONDITION_MET),
    NAME(IMA_ERROR_NOT_SUPPORTED),
    NAME(IMA_ERROR_INSUFFICIENT_MEMORY),
    NAME(IMA_ERROR_LAST_PRIMARY_DISCOVERY_METHOD),
    NAME(IMA_ERROR_UNEXPECTED_OS_ERROR),
    NAME(IMA_ERROR_SYNC_TIMEOUT),
    NAME(IMA_ERROR_LU_EXPOSED),
    NAME(IMA_ERROR_LU_NOT_EXPOSED),
    NAME(IMA_ERROR_LU_IN_USE),
    NAME(IMA_ERROR_TARGET_TIMEOUT),
    NAME(IMA_ERROR_LOGIN_REJECTED),
    NAME(IMA_ERROR_STATS_COLLECTION_NOT_ENABLED),
    NAME(IMA_ERROR_SCSI_STATUS_CHECK_CONDITION),
    NAME(IMA_ERROR_SCSI_STATUS_BUSY),
    NAME(IMA_ERROR_SCSI_STATUS_RESERVATION_CONFLICT),
    NAME(IMA_ERROR_SCSI_STATUS_TASK_SET_FULL),
    NAME(IMA_ERROR_SCSI_STATUS_ACA_ACTIVE),
    NAME(IMA_ERROR_SCSI_STATUS_TASK_ABORTED),
    NAME(IMA_ERROR_PLUGINS_NOT_SUPPORTED),
    NAME(IMA_ERROR_UNKNOWN_ERROR),
    NAME(IMA_ERROR_INVALID_PARAMETER),
    NAME(IMA_ERROR_INVALID_OBJECT_TYPE),
    NAME(IMA_ERROR_INCORRECT_OBJECT_TYPE),
    NAME(IMA_ERROR_OBJECT_NOT_FOUND),
    NAME(IMA_ERROR_NAME_TOO_LONG),
};

const char *status_name(IMA_STATUS status)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].status == status)
            return names[i].name;
    }
    return "an unknown status";
}

int finish(const char *what, IMA_STATUS status)
{
    if (status != IMA_STATUS_SUCCESS)
        fprintf(stderr, "imatool: %s: %s (0x%08X)\n", what, status_name(status), (unsigned)status);
    return IMA_SUCCESS(status) ? EXIT_GOOD : EXIT_FAILED;
}

/* --- lines --- */

void line(const char *name, const char *format, ...)
{
    va_list arguments;
    printf("  %-28s ", name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void line_wide(const char *name, const IMA_WCHAR *text, size_t most)
{
    char utf8[1024];
    to_utf8(text, most, utf8, sizeof utf8);
    line(name, "%s", utf8[0] != '\0' ? utf8 : "-");
}

void line_flag(const char *name, IMA_XBOOL value)
{
    line(name, "%s", value == IMA_TRUE ? "yes" : value == IMA_FALSE ? "no" : "unknown");
}

void line_time(const char *name, const IMA_DATETIME *time)
{
    line(name, "%04d-%02d-%02d %02d:%02d:%02d", time->tm_year + 1900, time->tm_mon + 1,
         time->tm_mday, time->tm_hour, time->tm_min, time->tm_sec);
}

void hex_dump(const unsigned char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        printf("%s%02x%s", i % 16 == 0 ? "  " : " ", data[i],
               i % 16 == 15 || i + 1 == length ? "\n" : "");
}
