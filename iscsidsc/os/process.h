/* What a program that runs as a service needs of the platform. */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include "os/socket.h"

#include <stdint.h>

void os_sleep(uint64_t milliseconds);

/*
 * A few words of this process, zero at first. A program may load several libraries that this code
 * is linked into: each has its own globals, but these are the same for all of them.
 */
enum os_common { OS_COMMON_ENGINE, OS_COMMON_OWNER, OS_COMMON_BUILDER, OS_COMMON_REVISION };
enum { OS_COMMON_WORDS = 16 };
struct os_commons {
    _Atomic(uintptr_t) words[OS_COMMON_WORDS];
};
_Atomic(uintptr_t) *os_common(enum os_common which);
/* As os_environment reads it; for this process and those it starts. NULL removes it. False: out of
 * memory, or not valid. */
bool os_set_environment(const char *name, const char *value);

/* --- what the program is told to do --- */

enum os_notice {
    OS_NOTICE_STOP,   /* SIGTERM, SIGINT; Ctrl+C, a stop or shutdown control */
    OS_NOTICE_RELOAD, /* SIGHUP; a parameter-change control */
    OS_NOTICE_IDLE,   /* posted by the program itself */
    OS_NOTICE_READY,  /* the same */
};

/* Before the program starts a thread: from here on signals no longer end it. */
bool os_notices_begin(void);
/* Waits for the next one. On the thread that called os_notices_begin. */
enum os_notice os_notice_wait(void);
/* From any thread. */
void os_notice_post(enum os_notice notice);

/* --- in the background --- */

/*
 * Goes on in a process of its own: no terminal, in the root directory, with no descriptors but the
 * standard ones. The process that was started waits until os_background_ready tells its exit code;
 * it is 1 when there never is one. Before the program starts a thread. False: it could not be done.
 * On Windows, where programs are started so, nothing happens.
 */
bool os_background_begin(void);
/* From here on the standard descriptors lead nowhere, and who started the program goes on. */
void os_background_ready(int code);

/* Lets the program have as many descriptors as the administrator allows at most. */
void os_raise_limits(void);
/*
 * Before the threads start that answer for a disk with file systems of this machine on it: when
 * memory is short, its pages stay, and it does not wait for what is to be written to that disk. As
 * far as the system lets it.
 */
void os_serve_own_storage(void);

/* --- under a service manager (systemd's protocol, Windows' service control manager) --- */

enum os_service_state { OS_SERVICE_READY, OS_SERVICE_RELOADING, OS_SERVICE_STOPPING };
/* Nothing when there is no service manager. */
void os_service_starting(uint32_t milliseconds); /* that the start may take from now on */
void os_service_tell(enum os_service_state state);
/* Listening Unix sockets that the service manager handed over (LISTEN_FDS), once. Others of its
 * descriptors are closed. */
size_t os_activation_sockets(os_socket *out, size_t room);

/*
 * Runs `run` as the process of the Windows service `name`; NOT_SUPPORTED where there are none or
 * when the process was not started as one.
 */
enum status os_service_run(const char *name, int (*run)(void));
/* Registers the running program with these arguments as the Windows service `name`, to start with
 * the system; removes it. ACCESS_DENIED, BUSY (there is one of that name; another's, at the
 * removal), SERVICE_NOT_RUNNING (none to remove), NOT_SUPPORTED, INTERNAL. */
enum status os_service_install(const char *name, const char *shown, const char *arguments);
enum status os_service_uninstall(const char *name);

/* --- logging --- */

enum os_log_level { OS_LOG_ERROR, OS_LOG_WARNING, OS_LOG_INFO };
/* One line to syslog or Windows' event log, under the program's name. */
void os_system_log(const char *name, enum os_log_level level, const char *line);
/* Wall-clock time as 2024-02-29T23:59:59Z. */
#define OS_TIME_ROOM 32u
void os_time_text(char out[OS_TIME_ROOM]);

#endif
