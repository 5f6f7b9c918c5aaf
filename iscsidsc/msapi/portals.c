/* The list of SendTargets portals. */
#include "msapi/call.h"
#include "msapi/pack.h"

#include <stddef.h>
#include <string.h>

/* The password stays behind: Password is NULL and its length 0, though the bit that one is stored
 * remains. */
static void pack_options(struct pack *pack, const struct login_options *options,
                         ISCSI_LOGIN_OPTIONS *out)
{
    if (options == NULL)
        return;
    *out = (ISCSI_LOGIN_OPTIONS){
        .Version = options->version,
        .InformationSpecified = options->specified,
        .LoginFlags = options->flags,
        .AuthType = (ISCSI_AUTH_TYPES)options->auth_type,
        .HeaderDigest = (ISCSI_DIGEST_TYPES)options->header_digest,
        .DataDigest = (ISCSI_DIGEST_TYPES)options->data_digest,
        .MaximumConnections = options->maximum_connections,
        .DefaultTime2Wait = options->default_time2wait,
        .DefaultTime2Retain = options->default_time2retain,
        .UsernameLength = options->username.length,
        .Username = pack_bytes(pack, options->username.data, options->username.length),
    };
}

#define FORM_FILE "msapi/portals.inc"
#include "msapi/both_forms.h"
