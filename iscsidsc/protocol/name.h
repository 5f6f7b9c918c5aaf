/* iSCSI names (RFC 7143, 4.2.7; RFC 3721; RFC 3722) and portal addresses. */
#ifndef PROTOCOL_NAME_H
#define PROTOCOL_NAME_H

#include "protocol/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISCSI_NAME_MAX   223u /* bytes of UTF-8 */
#define PORTAL_HOST_MAX  255u
#define PORTAL_ANY_GROUP 0u

/*
 * Is it a name in the form iqn., eui. or naa., of at most 223 bytes, with only characters the
 * profile allows (ASCII: a-z 0-9 - . :, upper case is folded by name_normalize, and '_', which many
 * targets use against the profile; UTF-8 beyond ASCII is accepted when well-formed)?
 */
bool name_valid(const char *name);

/* Only the length (1 to 223 bytes) and the characters: no space, control character, path separator
 * or quoting character, well-formed UTF-8. What Windows asks of a node name. */
bool name_characters_valid(const char *name);

/* Folds ASCII upper case to lower (RFC 3722). `out` has ISCSI_NAME_MAX + 1 bytes. False: not valid.
 */
bool name_normalize(const char *name, char *out);

/* The same for any name whose characters are valid. */
void name_fold(const char *name, char *out);

#define ALIAS_MOST 255u /* characters */

/* Is it a name for people: well-formed UTF-8 of 1 to 255 characters without control characters? */
bool alias_valid(const char *alias);

/* Compares without (ASCII) case. */
bool name_equal(const char *a, const char *b);

/* Host and TCP port of a portal, and its portal group tag. */
struct portal_address {
    char host[PORTAL_HOST_MAX +
              1]; /* IPv4 or IPv6 literal without brackets (zone allowed) or DNS name */
    uint16_t port;
    uint16_t group; /* portal group tag */
};

/*
 * Reads "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 literal, and ",tpgt" behind it when
 * `with_group` (TargetAddress of SendTargets and redirects, RFC 7143, 13.8). A missing port is
 * 3260, a missing group 0, but STATUS_INVALID_ADDRESS if `group_required`. Port 0 is not valid.
 */
enum status portal_parse(const char *text, size_t length, bool with_group, bool group_required,
                         struct portal_address *out);

/*
 * Where a server is that iSCSI only makes use of (iSNS, RADIUS): "host", "host:port", "[v6]",
 * "[v6]:port" or a bare IPv6 literal, the group is 0. STATUS_INVALID_ADDRESS: none of these.
 */
enum status server_parse(const char *text, uint16_t default_port, struct portal_address *out);

/* "1.2.3.4:3260" or "[::1]:3260". False when `room` is too small. */
bool portal_format(const struct portal_address *address, char *out, size_t room);

/* An IPv4 or IPv6 literal, or a host name of letters, digits, '-', '.' and '_' ? */
bool host_valid(const char *host);
bool host_is_ipv4(const char *host);
bool host_is_ipv6(const char *host);

#endif
