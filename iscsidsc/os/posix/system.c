#include "os/system.h"
#include "os/runtime.h"
#include "os/memory.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool os_host_name(char *out, size_t room)
{
    char name[256];
    if (gethostname(name, sizeof name) != 0)
        return false;
    name[sizeof name - 1] = '\0'; /* a name that was cut off need not be terminated */
    size_t length = strlen(name);
    if (length == 0 || length >= room)
        return false;
    for (size_t i = 0; i <= length; i++)
        out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + ('a' - 'A') : name[i]);
    return true;
}

bool os_configured_initiator_name(char *out, size_t room)
{
    char *text;
    size_t length;
    if (os_read_file("/etc/iscsi/initiatorname.iscsi", &text, &length) != STATUS_OK || text == NULL)
        return false;
    bool found = os_initiator_name_in(text, out, room);
    os_free(text);
    return found;
}

bool os_environment(const char *name, char *out, size_t room)
{
    /* Not in set-user-ID programs: who calls them must not tell them what to trust. */
    const char *value = secure_getenv(name);
    return value != NULL && os_ansi_to_utf8(value, out, room) >= 0;
}

static bool join(char *out, size_t room, const char *directory, const char *rest)
{
    int length = snprintf(out, room, "%s%s", directory, rest);
    return length > 0 && (size_t)length < room;
}

/* What was told and cannot be used is an error, and not as if nothing had been told. */
static bool told_directory(const char *told, char *out, size_t room)
{
    char path[OS_PATH_ROOM];
    size_t length;
    return os_utf8_valid(told, &length) && os_absolute_path(told, path) &&
           join(out, room, path, "");
}

/* Where there is no HOME (a service, su): the user's entry. */
static bool home_directory(char *out, size_t room)
{
    char texts[4096];
    struct passwd user, *found;
    if (os_environment("HOME", out, room) && out[0] == '/')
        return true;
    if (getpwuid_r(geteuid(), &user, texts, sizeof texts, &found) != 0 || found == NULL)
        return false;
    return user.pw_dir[0] == '/' && os_ansi_to_utf8(user.pw_dir, out, room) > 0;
}

bool os_state_directory(char *out, size_t room)
{
    char base[4096];
    /* Not in set-user-ID programs: who calls them must not tell them what to trust. */
    const char *told = secure_getenv("ISCSIDSC_STATE");
    if (told != NULL && told[0] != '\0')
        return told_directory(told, out, room);
    if (geteuid() == 0)
        return join(out, room, "/var/lib/iscsidsc", "");
    /* The XDG base directory specification has relative paths ignored. */
    if (os_environment("XDG_STATE_HOME", base, sizeof base) && base[0] == '/')
        return join(out, room, base, "/iscsidsc");
    if (home_directory(base, sizeof base))
        return join(out, room, base, "/.local/state/iscsidsc");
    return false;
}

static long copy_valid(const char *text, char *out, size_t room)
{
    size_t length;
    if (!os_utf8_valid(text, &length) || length >= room) {
        if (room > 0)
            out[0] = '\0';
        return -1;
    }
    memmove(out, text, length + 1);
    return (long)length;
}

long os_ansi_to_utf8(const char *ansi, char *out, size_t room)
{
    return copy_valid(ansi, out, room);
}

long os_utf8_to_ansi(const char *utf8, char *out, size_t room)
{
    return copy_valid(utf8, out, room);
}

static bool take_address(const struct ifaddrs *interface, struct os_address *out)
{
    if (interface->ifa_addr == NULL || (interface->ifa_flags & IFF_UP) == 0)
        return false;
    int family = interface->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6)
        return false;
    memset(out, 0, sizeof *out);
    out->length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    memcpy(out->bytes, interface->ifa_addr, out->length);
    return true;
}

size_t os_local_addresses(struct os_address *out, size_t room)
{
    struct ifaddrs *interfaces;
    size_t count = 0;
    if (getifaddrs(&interfaces) != 0)
        return 0;
    for (struct ifaddrs *each = interfaces; each != NULL && count < room; each = each->ifa_next) {
        if (take_address(each, &out[count]))
            count++;
    }
    freeifaddrs(interfaces);
    return count;
}

/* Windows 10 2004: callers that look at the version find every function they expect. */
void os_version(uint32_t *major, uint32_t *minor, uint32_t *build)
{
    *major = 10;
    *minor = 0;
    *build = 19041;
}

bool os_has_device_files(void)
{
    return true;
}

uint32_t os_process_id(void)
{
    return (uint32_t)getpid();
}

void os_local_time(uint64_t time, struct tm *out)
{
    const time_t seconds = (time_t)(time / 1000);
    if (localtime_r(&seconds, out) == NULL)
        memset(out, 0, sizeof *out);
}
