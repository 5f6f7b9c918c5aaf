/* iscsi-ls: what there is, as text for people and as JSON for programs. */
#ifndef LS_LS_H
#define LS_LS_H

#include "ls/effective.h"

/* The number of the one SCSI host that all sessions are on, as in \\.\Scsi3: */
enum { LS_HOST = 3 };

/* `details`: the units, too; `effective`: parameters, too, unless NULL. */
void ls_print(const struct reply_get_status *status, const struct ls_effective *effective,
              bool details);
void ls_print_json(const struct reply_get_status *status, const struct ls_effective *effective);

#endif
