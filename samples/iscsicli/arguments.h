/*
 * The values that commands take. An argument whose first character is '*' stands for its default.
 * Functions that can refuse a text return ERROR_INVALID_PARAMETER for it.
 */
#ifndef ISCSICLI_ARGUMENTS_H
#define ISCSICLI_ARGUMENTS_H

#include <stdbool.h>
#include "platform.h"

enum {
    LOGIN_OPTION_ARGUMENTS = 9,
    MAPPING_ARGUMENTS = 4, /* for each LUN */
    ISCSI_SOCKET = 3260,
};

bool argument_is_default(const char *text);

/* NULL for the default. */
char *argument_text(char *text);

/* Anything that does not start with t or T is false. */
BOOLEAN argument_boolean(const char *text, bool otherwise);

/* Decimal, or hexadecimal after 0x; 0 for the default and for text that is no number; -1 is
 * 0xFFFFFFFF. */
ULONG argument_number(const char *text);

/* As argument_number(), but the default means every port. */
ULONG argument_port(const char *text);

/* A byte, such as a page code. */
ISDSC_STATUS argument_byte(const char *text, UCHAR *value);

ISDSC_STATUS argument_portal(const char *address, const char *socket, ISCSI_TARGET_PORTALA *portal);

/* The portal at the port that the quick commands know. */
ISDSC_STATUS argument_quick_portal(const char *address, ISCSI_TARGET_PORTALA *portal);

/* An id that cannot be read is reported to the user as well. */
ISDSC_STATUS argument_session_id(const char *text, ISCSI_UNIQUE_SESSION_ID *id);
ISDSC_STATUS argument_connection_id(const char *text, ISCSI_UNIQUE_CONNECTION_ID *id);
ISDSC_STATUS argument_lun(const char *text, ULONGLONG *lun);

/* Text, or binary after 0x, which is decoded in place. NULL and 0 for the default. */
ISDSC_STATUS argument_secret(char *text, PUCHAR *bytes, ULONG *length);

/* A preshared key; its length counts the NUL, as the API has it for all but IKE. */
void argument_key(char *text, PCHAR *key, ULONG *length);

/* The nine login options. They point into `arguments`. */
ISDSC_STATUS argument_login_options(char **arguments, ISCSI_LOGIN_OPTIONS *options);

/* The CHAP user and password of the quick commands; without them nothing is specified. */
ISDSC_STATUS argument_quick_options(int count, char **arguments, ISCSI_LOGIN_OPTIONS *options);

/* How many arguments a mapping block has, its count included. */
unsigned long long argument_mapping_length(const char *count);

/* A mapping block; NULL if it maps nothing. The caller frees it. */
ISDSC_STATUS argument_mapping(char **arguments, ISCSI_TARGET_MAPPINGA **mapping);

#endif
