/*
 * imatool: everything that the iSCSI Management API can do, from the command line. Written against
 * ima.h alone.
 *
 * Object ids mean nothing to another process, so objects have names here:
 *
 *   plugin:0  node (the shared one)  node:0  lhba:0  phba:0  lnp:0  pnp:0  portal:0
 *   target:NAME  lu:NAME/LUN  address:HOST:PORT  static:NAME
 *
 * Numbers count from 0, and the first one's may be left out.
 */
#ifndef IMATOOL_H
#define IMATOOL_H

#include "ima.h"

#include <stdbool.h>
#include <stddef.h>

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* --- objects.c --- */

/* A growing list of objects. */
struct objects {
    IMA_OID *oids;
    size_t count;
};
void objects_free(struct objects *objects);

struct kind {
    const char *name, *plural;
    IMA_OBJECT_TYPE type;
    IMA_STATUS (*gather)(struct objects *out);
};
/* NULL: no such kind. By its name or its plural, or by its type. */
const struct kind *kind_named(const char *name);
const struct kind *kind_of(IMA_OBJECT_TYPE type);
extern const struct kind kinds[];
extern const size_t kind_count;

/* The object of that name. False: there is none; that has been said. */
bool find_object(const char *name, IMA_OID *out);
/* The targets that are reached through an LNP, or known to an LHBA; the PNPs of a PHBA or an LNP;
 * ... */
IMA_STATUS gather_below(const struct kind *kind, IMA_OID parent, struct objects *out);
/* What find_object would take, such as lhba:0. `index` is its place in the list of its kind. */
void object_name(IMA_OID oid, size_t index, char *out, size_t room);

/* --- text.c --- */

/* As UTF-8; what does not fit is cut off. */
void to_utf8(const IMA_WCHAR *text, size_t most, char *out, size_t room);
/* False: too long, or not valid. */
bool to_wide(const char *utf8, IMA_WCHAR *out, size_t room);
void address_text(const IMA_IP_ADDRESS *address, char *out, size_t room);
void host_text(const IMA_HOST_ID *host, char *out, size_t room);
bool parse_address(const char *text, IMA_IP_ADDRESS *out);
/* HOST, HOST:PORT, [ADDRESS]:PORT; without a port 3260. */
bool parse_target_address(const char *text, IMA_TARGET_ADDRESS *out);
bool parse_number(const char *text, unsigned long most, unsigned long *out);
/* on, off, yes, no, 1, 0 */
bool parse_flag(const char *text, IMA_BOOL *out);
const char *status_name(IMA_STATUS status);

/* --- output --- */

void line(const char *name, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(__printf__, 2, 3)))
#endif
    ;
void line_wide(const char *name, const IMA_WCHAR *text, size_t most);
void line_flag(const char *name, IMA_XBOOL value);
void line_time(const char *name, const IMA_DATETIME *time);
void line_object(const char *name, IMA_OID oid);
void hex_dump(const unsigned char *data, size_t length);
/* EXIT_GOOD, or EXIT_FAILED with the status on the error output. */
int finish(const char *what, IMA_STATUS status);

/* --- commands: arguments behind the command's name; EXIT_* --- */

int show(int count, char **arguments);       /* show.c */
int statistics(int count, char **arguments); /* show.c */
int library(int count, char **arguments);
int list(int count, char **arguments); /* objects.c */
int get(int count, char **arguments);  /* parameters.c */
int set(int count, char **arguments);
int add(int count, char **arguments); /* actions.c */
int remove_object(int count, char **arguments);
int expose(int count, char **arguments);
int unexpose(int count, char **arguments);
int clean(int count, char **arguments);
int image(int count, char **arguments);
int download(int count, char **arguments);
int command(int count, char **arguments);
int generate_name(int count, char **arguments);
int inquiry(int count, char **arguments); /* scsi.c */
int capacity(int count, char **arguments);
int luns(int count, char **arguments);
int watch(int count, char **arguments); /* watch.c */

/* The login parameters of an LHBA or a target, and what else has a value (parameters.c). */
void show_parameters(IMA_OID oid);
void show_authentication(IMA_OID lhba);

#endif
