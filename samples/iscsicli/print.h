/* What several commands print. `indent` is in columns. */
#ifndef ISCSICLI_PRINT_H
#define ISCSICLI_PRINT_H

#include <inttypes.h>
#include "platform.h"

/* The last line of every command. */
void print_status(ISDSC_STATUS status);

/* A status as "text", for the middle of a line. */
void print_status_inline(const char *label, ISDSC_STATUS status);

void print_session_id(const ISCSI_UNIQUE_SESSION_ID *id);       /* "Session Id is 0x..-0x.." */
void print_connection_id(const ISCSI_UNIQUE_CONNECTION_ID *id); /* "Connection Id is 0x..-0x.." */
void print_security_flags(int indent, ISCSI_SECURITY_FLAGS flags);
void print_login_options(int indent, const ISCSI_LOGIN_OPTIONS *options);
void print_mapping(int indent, const ISCSI_TARGET_MAPPINGA *mapping);
void print_port_number(ULONG port);
void print_dump(int indent, const UCHAR *bytes, ULONG count);

/* The bytes of an ISID, TSID or CID. */
void print_bytes(const UCHAR *bytes, int count);

/* Each string of a list that holds `size` characters, between `before` and `after`. */
void print_list(const char *list, ULONG size, const char *before, const char *after);

/* A string that the library may have left out. */
const char *print_text(const char *text);

#endif
