/*
 * The accounts file of NetBSD's iSCSI programs, /etc/iscsi/auths: lines "user:chap:secret", in
 * which \: is a colon and \\ a backslash, and comments from # at the beginning.
 */
#ifndef LIBISCSI_AUTHS_H
#define LIBISCSI_AUTHS_H

#include "protocol/chap.h"

#include <stdbool.h>
#include <stddef.h>

struct auths_account {
    char user[CHAP_NAME_MAX + 1];
    char secret[CHAP_SECRET_MAX + 1];
};

struct auths {
    struct auths_account *accounts; /* those by CHAP */
    size_t count;
};

/* False: `error` tells what, behind the number of the line. */
bool auths_parse(struct auths *auths, const char *text, size_t length, char *error, size_t room);
/* Nothing of the secrets stays in memory. */
void auths_clear(struct auths *auths);
/* NULL: there is none of that name. */
const struct auths_account *auths_find(const struct auths *auths, const char *user);

/* Reads the file. Returns 0, or an errno with `error` saying why. */
int auths_read(struct auths *auths, const char *path, char *error, size_t room);

#endif
