/* Under systemd: sd_notify(3) and sd_listen_fds(3) without its library. */
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* --- what we tell --- */

/* A leading @ stands for the NUL of the abstract name space. Returns the length, 0: no address. */
static socklen_t notify_address(struct sockaddr_un *address)
{
    const char *path = getenv("NOTIFY_SOCKET");
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') ||
        strlen(path) >= sizeof address->sun_path)
        return 0;
    strcpy(address->sun_path, path);
    if (path[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
}

static void notify(const char *text)
{
    struct sockaddr_un address;
    socklen_t length = notify_address(&address);
    int file = length > 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    if (file < 0)
        return;
    sendto(file, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)(const void *)&address,
           length);
    close(file);
}

static unsigned long long monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000000u + (unsigned long long)now.tv_nsec / 1000u;
}

void os_service_starting(uint32_t milliseconds)
{
    char text[64];
    snprintf(text, sizeof text, "EXTEND_TIMEOUT_USEC=%llu", milliseconds * 1000ull);
    notify(text);
}

void os_service_tell(enum os_service_state state)
{
    char text[64];
    switch (state) {
    case OS_SERVICE_READY:
        notify("READY=1");
        break;
    case OS_SERVICE_RELOADING:
        snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu", monotonic_us());
        notify(text);
        break;
    case OS_SERVICE_STOPPING:
        notify("STOPPING=1");
        break;
    }
}

/* --- what we are given --- */

enum { FIRST_GIVEN = 3, GIVEN_MOST = 64 };

static bool is_listening_stream(int file)
{
    struct sockaddr_un address;
    int type = 0, listening = 0;
    socklen_t length = sizeof address, size = sizeof type;
    return getsockname(file, (struct sockaddr *)(void *)&address, &length) == 0 &&
           address.sun_family == AF_UNIX &&
           getsockopt(file, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
           getsockopt(file, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

static bool take_over(int file)
{
    int flags = fcntl(file, F_GETFL);
    return is_listening_stream(file) && flags >= 0 &&
           fcntl(file, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(file, F_SETFD, FD_CLOEXEC) == 0;
}

static long number_of(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? strtol(text, NULL, 10) : 0;
}

size_t os_activation_sockets(os_socket *out, size_t room)
{
    size_t taken = 0;
    long count = number_of("LISTEN_PID") == (long)getpid() ? number_of("LISTEN_FDS") : 0;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    for (int i = 0; i < count && i < GIVEN_MOST; i++) {
        if (taken < room && take_over(FIRST_GIVEN + i))
            out[taken++] = FIRST_GIVEN + i;
        else
            close(FIRST_GIVEN + i);
    }
    return taken;
}

/* --- Windows' kind --- */

enum status os_service_run(const char *name, int (*run)(void))
{
    (void)name;
    (void)run;
    return STATUS_NOT_SUPPORTED;
}

enum status os_service_install(const char *name, const char *shown, const char *arguments)
{
    (void)name;
    (void)shown;
    (void)arguments;
    return STATUS_NOT_SUPPORTED;
}

enum status os_service_uninstall(const char *name)
{
    (void)name;
    return STATUS_NOT_SUPPORTED;
}
