/* The file `control` of the tree of devices: what the Linux driver took in /proc/scsi/iscsi and
 * /proc/scsi/scsi. */
#ifndef DEVICES_CONTROL_H
#define DEVICES_CONTROL_H

#include "engine/engine.h"

enum { CONTROL_MOST = 1024 /* bytes that are written at once */ };

/*
 * What was written to it, one line:
 *
 *   target <bus> <target> address <address[:port]>            to that portal of the target
 *   scsi add-single-device <host> <bus> <target> <lun>        look for new units
 *
 * On the engine's thread; nobody waits for what it starts. INVALID_PARAMETER: not of these forms,
 * or numbers out of range; SESSION_NOT_FOUND: nobody is there; else as portal_switch_at.
 */
enum status devices_control(struct engine *engine, const char *text, size_t length);

#endif
