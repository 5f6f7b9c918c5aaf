/*
 * The interface of NetBSD's libiscsi(3): an iSCSI target and an iSCSI initiator to put into a
 * program. Link with -liscsi_nb.
 *
 * A handle is set up by iscsi_target_set_defaults or iscsi_initiator_set_defaults, told what to do
 * by variables (text, by name), started, and given back by iscsi_target_shutdown or
 * iscsi_initiator_shutdown. A process may have any number of them. Different handles may be used by
 * different threads at any time, and so may one handle, but for its set_defaults and shutdown.
 *
 * A call that fails returns -1 (or NULL) and sets errno; the variable "error" of the handle then
 * tells more. EINVAL: a NULL pointer, or a handle that is not set up. docs/libiscsi.md in the
 * source lists all variables.
 */
#ifndef ISCSI_H_
#define ISCSI_H_ 1

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ target */

/* What is inside is the library's own. */
typedef struct iscsi_target_t {
    struct iscsi_target_state *state;
} iscsi_target_t;

/*
 * Sets the handle up, whatever it held. Variables and their defaults:
 *
 *   "iqn"             iqn.1994-04.org.netbsd.iscsi-target   targets without a name of their own
 *                                                           are this, a colon and "target0"
 *   "target port"     3260        0: the system chooses; the number can be read after the start
 *   "address family"  unspec      4, 6: only that
 *   "max sessions"    16          at the same time, 1 to 65535
 *   "configfile"      /etc/iscsi/targets
 *   "blocklen"        512         or 1024, 2048, 4096, 8192
 *   "debug"           not set     net, iscsi, scsi or all: tells on standard error what it does
 *
 * Ours: "targets" (the text of such a file, in place of it), "listen address" (address literals
 * with blanks between them, in place of all of the machine), "auth type" (none or chap),
 * "authfile" (/etc/iscsi/auths), "mutual user" (the account in it by which the target proves
 * itself). To be read only: "target address" (of the first portal, as SendTargets tells it),
 * "lost copies" (pieces of RAID1 devices that failed, with blanks between them), "error".
 *
 * Returns 1. Errors: ENOMEM.
 */
int iscsi_target_set_defaults(iscsi_target_t *target);

/*
 * Reads the targets, opens what they are kept in and the sockets; initiators may connect from now
 * on, and are served as soon as iscsi_target_listen runs. No thread is started: the process may
 * fork between the two, and the child go on. Returns 0.
 *
 * Errors: EBUSY (it was started already), EINVAL (the targets make no sense: "error" has file and
 * line), ENOENT (no such file), EACCES, EADDRINUSE, EADDRNOTAVAIL, EIO, ENOSPC, ENOMEM.
 */
int iscsi_target_start(iscsi_target_t *target);

/* Serves initiators until iscsi_target_shutdown, and returns 0 then. Errors: EINVAL (not
 * started), EBUSY (another thread is in it). */
int iscsi_target_listen(iscsi_target_t *target);

/* Asks initiators to log out, ends what is left, waits for iscsi_target_listen to return, and frees
 * all that belongs to the handle. Not from a signal handler. Returns 0. */
int iscsi_target_shutdown(iscsi_target_t *target);

/* Writes the process' number into the file, NULL: /var/run/iscsi-target.pid. On failure it says so
 * on standard error, and errno tells why. */
void iscsi_target_write_pidfile(const char *filename);

/* Returns 1. Errors: ENOENT (no variable of that name), EINVAL (not a value for it), EPERM (it is
 * to be read only), EBUSY (the target was started), ENOMEM. */
int iscsi_target_setvar(iscsi_target_t *target, const char *name, const char *value);

/* The value, good until the variable is read again after it has changed, or the handle is shut
 * down. NULL: it has none (errno is 0), or ENOENT: no variable of that name. */
char *iscsi_target_getvar(iscsi_target_t *target, const char *name);

/* --------------------------------------------------------------- initiator */

typedef struct iscsi_initiator_t {
    struct iscsi_initiator_state *state;
} iscsi_initiator_t;

/*
 * Sets the handle up, whatever it held. Variables and their defaults:
 *
 *   "target hostname"  localhost
 *   "target port"      3260
 *   "address family"   unspec     4, 6: only addresses of that family
 *   "auth type"        none       or chap
 *   "user"             not set    whose secret is looked up in "authfile"
 *   "mutual auth"      none       chap: the target has to prove itself, see docs/libiscsi.md
 *   "digest type"      none       header, data, both or all
 *   "debug"            not set    net, iscsi, scsi or all
 *
 * Ours: "authfile" (/etc/iscsi/auths). To be read only, after a discovery: "targets" (how many),
 * "target name 0", "target address 0" and so on; "error".
 *
 * Returns 1. Errors: ENOMEM.
 */
int iscsi_initiator_set_defaults(iscsi_initiator_t *initiator);

/* Checks that the variables go together. Returns 0. Errors: EBUSY (started already), ENOTSUP (an
 * authentication that is not offered), ENOENT and EINVAL (user and secret). */
int iscsi_initiator_start(iscsi_initiator_t *initiator);

/* A target that there is none of: for iscsi_initiator_discover. */
#define ISCSI_NO_TARGET UINT64_MAX

/*
 * Asks the host (NULL: "target hostname") for its targets, which are numbered from 0 as it tells
 * them. Then logs in to number `target`, and sees whether it has a logical unit `lun`;
 * ISCSI_NO_TARGET: to none. A session lasts until shutdown. Returns 0.
 *
 * Errors: EINVAL (not started), ENODEV (no target of that number), ENXIO (no such logical unit),
 * EACCES (it wants another authentication, or will not let us in), ECONNREFUSED, EHOSTUNREACH,
 * ETIMEDOUT, ECONNRESET, EPROTO, EIO.
 */
int iscsi_initiator_discover(iscsi_initiator_t *initiator, char *host, uint64_t target, int lun);

/* A logical unit. Texts are cut at their last blanks. */
typedef struct iscsi_unit_t {
    uint64_t blocks;
    uint32_t block_length; /* bytes */
    int type;              /* SCSI peripheral device type: 0 is a disk */
    char vendor[9];
    char product[17];
    char version[5];
    char serial[64]; /* "" when it tells none */
} iscsi_unit_t;

/*
 * Ours: what is on a unit of a target that iscsi_initiator_discover has logged in to. Offsets and
 * lengths are bytes, and multiples of the block length. After the loss of a connection a command is
 * sent again: two threads must not write the same blocks at a time. Data that was written lasts
 * after iscsi_initiator_flush. Each returns 0.
 *
 * Errors: EINVAL (no multiple, or beyond the end), ENODEV (no target of that number), ENOTCONN (it
 * was not logged in to), ENXIO (no such unit), EROFS (it takes no data), EBUSY, ETIMEDOUT,
 * ECONNRESET, EIO, ENOMEM.
 */
int iscsi_initiator_unit(iscsi_initiator_t *initiator, uint64_t target, int lun,
                         iscsi_unit_t *unit);
int iscsi_initiator_read(iscsi_initiator_t *initiator, uint64_t target, int lun,
                         const iscsi_unit_t *unit, uint64_t offset, void *buffer, size_t length);
int iscsi_initiator_write(iscsi_initiator_t *initiator, uint64_t target, int lun,
                          const iscsi_unit_t *unit, uint64_t offset, const void *data,
                          size_t length);
int iscsi_initiator_flush(iscsi_initiator_t *initiator, uint64_t target, int lun);

/* Logs out of everything, and frees all that belongs to the handle. Returns 0. */
int iscsi_initiator_shutdown(iscsi_initiator_t *initiator);

/* As iscsi_target_setvar and iscsi_target_getvar. */
int iscsi_initiator_setvar(iscsi_initiator_t *initiator, const char *name, const char *value);
char *iscsi_initiator_getvar(iscsi_initiator_t *initiator, const char *name);

#ifdef __cplusplus
}
#endif

#endif
