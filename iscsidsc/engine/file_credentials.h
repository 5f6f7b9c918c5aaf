/* CHAP as iscsi.conf has it. */
#ifndef ENGINE_FILE_CREDENTIALS_H
#define ENGINE_FILE_CREDENTIALS_H

#include "engine/options.h"

/* Does the file say anything of authentication, in this scope or a more specific one? */
bool file_has_credentials(const struct scoped_parameters *parameters,
                          enum configuration_scope from);
/* For a login that says nothing of authentication. A target that asks for no proof of ours need not
 * take one, but one that is to prove itself must. INVALID_TARGET_SECRET: a user name, or the
 * target's password, without ours; INVALID_INITIATOR_SECRET: the target's name without its
 * password; INVALID_SECRET: both passwords are the same. */
enum status file_credentials(struct engine *engine, struct option_settings *out);

#endif
