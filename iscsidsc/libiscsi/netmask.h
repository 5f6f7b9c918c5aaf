/* Slash notation as targets files have it: "10.4.0.0/16", "10.4/16", "2001:db8::/32", "any". */
#ifndef LIBISCSI_NETMASK_H
#define LIBISCSI_NETMASK_H

#include <stdbool.h>

#define NETMASK_ROOM 80u

/* The one way to write it that target_access_allow_network understands. */
bool netmask_normal(const char *text, char out[NETMASK_ROOM]);

#endif
