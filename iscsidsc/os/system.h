/* The machine: names, places, text encodings, files, interfaces. Paths and names are UTF-8. */
#ifndef OS_SYSTEM_H
#define OS_SYSTEM_H

#include "os/socket.h"

/* Lower-case host name; on Windows the computer name, with the DNS domain when it has one. */
bool os_host_name(char *out, size_t room);

/* InitiatorName= of /etc/iscsi/initiatorname.iscsi, if there is such a file (never on Windows). */
bool os_configured_initiator_name(char *out, size_t room);
/* The value of the first InitiatorName= line in the text of such a file. */
bool os_initiator_name_in(const char *text, char *out, size_t room);

/*
 * The directory for what must last: ISCSIDSC_STATE; else /var/lib/iscsidsc for root,
 * $XDG_STATE_HOME/iscsidsc or ~/.local/state/iscsidsc; %ProgramData%\iscsidsc on Windows.
 * UTF-8, absolute. Not created here. False: what ISCSIDSC_STATE says cannot be used, or there is no
 * such place. Under Wine ISCSIDSC_STATE may be a path of the system below.
 */
bool os_state_directory(char *out, size_t room);
/*
 * Creates the directory and the parents it lacks, readable by the owner alone; one that is there
 * already is made so. ACCESS_DENIED (also when it belongs to somebody else), STORE_READ_ONLY,
 * STORE_FULL, STORE_FAILED, NO_MEMORY.
 */
enum status os_make_private_directory(const char *path);
/* Makes an existing file readable and writable by the owner alone. Errors as above. */
enum status os_make_private_file(const char *path);
/* May everybody on the machine read the file? Never on Windows, whose rights are of another kind.
 */
bool os_file_exposed(const char *path);
/* Is there a file that this user, who is not root, may not read? Never on Windows. */
bool os_file_withheld(const char *path);
/*
 * What changes whenever the file's content does. False: it cannot be told, because the file is not
 * there, was changed so recently that a further change could look the same, or the platform is late
 * with the time of the last change (Windows, while files are open).
 */
bool os_file_stamp(const char *path, uint64_t *stamp);
/*
 * Whole file, a NUL added; the caller frees with os_free. A missing file gives STATUS_OK and *out
 * NULL. ACCESS_DENIED, NO_MEMORY, STORE_FAILED (cannot be read, no regular file, or above 16 MiB).
 */
enum status os_read_file(const char *path, char **out, size_t *length);

/*
 * Puts the text `after` in place of `before` in a file that people edit: whole or not at all, and
 * on the medium. Links to it stay, and its owner and permissions; `before` NULL: the file is not
 * there yet, and is made for all to read. BUSY: it holds something else by now, which stays.
 * ACCESS_DENIED, STORE_READ_ONLY, STORE_FULL, STORE_FAILED, NO_MEMORY.
 */
struct os_text {
    const char *start;
    size_t length;
};
enum status os_revise_file(const char *path, const struct os_text *before,
                           const struct os_text *after);

/* An environment variable as UTF-8. False: not set, not valid text, or longer than `room`. */
bool os_environment(const char *name, char *out, size_t room);

/* Is it UTF-8? `*length` is set to its bytes without the NUL either way. */
bool os_utf8_valid(const char *text, size_t *length);

/*
 * The ANSI code page (CP_ACP) and UTF-16, to and from UTF-8. On Linux CP_ACP is UTF-8.
 * Each returns the number of units written without the NUL, or -1: not valid text, or
 * longer than `room` units with its NUL (then `out` is empty text). UTF-8 to ANSI writes '?' for
 * what the code page lacks.
 */
long os_ansi_to_utf8(const char *ansi, char *out, size_t room);
long os_utf8_to_ansi(const char *utf8, char *out, size_t room);
long os_utf16_to_utf8(const uint16_t *text, char *out, size_t room);
long os_utf8_to_utf16(const char *utf8, uint16_t *out, size_t room);

/* Addresses of this machine's interfaces that are up, loopback included. Returns the count (at most
 * `room`). */
size_t os_local_addresses(struct os_address *out, size_t room);

/* Windows' version when running there (10, 0, 19041), else the one we present: 10.0.19041. */
void os_version(uint32_t *major, uint32_t *minor, uint32_t *build);

/* Do this platform's programs open device files by their paths? Else devices have names. */
bool os_has_device_files(void);

uint32_t os_process_id(void);

/* Of os_time, as the clock on the wall shows it. */
struct tm;
void os_local_time(uint64_t time, struct tm *out);

#endif
