/*
 * Our engine as a plugin of the management API: it translates and decides nothing. There is one
 * logical HBA, which uses the shared node. Each network interface of the machine is a PHBA with one
 * PNP, and an LNP whose network portals are its addresses.
 */
#ifndef IMA_BUILTIN_H
#define IMA_BUILTIN_H

#include "ima/plugin.h"

#include "door/door.h"

#include <stdbool.h>

/* --- statuses --- */

/* An IMA_STATUS for every status of the engine. */
IMA_STATUS builtin_status(enum status status);

/* Asks the engine: see door_call. */
IMA_STATUS builtin_ask(enum operation operation, const void *request, void *reply,
                       struct os_arena *arena);

/* --- objects --- */

/* What an object is; what does not tell objects of its type apart is NULL or 0. */
struct identity {
    const char *name;    /* of a target or an interface; the address of a discovery address */
    const char *address; /* of a static target's portal; of a network portal */
    const char *initiator;
    uint32_t initiator_port;
    uint16_t socket;
    uint64_t lun;
};

/* Never freed, so that no sequence number comes to mean another object. */
struct object {
    struct object *chain;
    IMA_OBJECT_TYPE type;
    uint64_t sequence;
    size_t hash;
    struct identity identity; /* with texts of its own, never NULL */
    unsigned snapshot;        /* of targets.c: which one has it */
    uint32_t index;           /* there */
};

extern IMA_OID builtin_lhba;
void builtin_set_owner(IMA_UINT32 owner);
IMA_OID builtin_oid(const struct object *object);

/* The object, made at its first mention. NULL: out of memory. */
struct object *builtin_object(IMA_OBJECT_TYPE type, const struct identity *identity);
/* The one that was mentioned by that OID; NULL: none was. */
struct object *builtin_find(IMA_OID oid);

/* A list with room for `most`; FreeMemory frees it. NULL: out of memory. */
IMA_OID_LIST *builtin_list_new(size_t most);
void builtin_list_free(IMA_OID_LIST *list);
/* False: out of memory. */
bool builtin_list_add(IMA_OID_LIST *list, IMA_OBJECT_TYPE type, const struct identity *identity);
/* What is left of a list whose making ended with that status. */
IMA_STATUS builtin_list_return(IMA_STATUS status, IMA_OID_LIST *list, IMA_OID_LIST **out);

/* --- what must be there --- */

/* SUCCESS, or OBJECT_NOT_FOUND: of a type that was checked before. */
IMA_STATUS builtin_check_lhba(IMA_OID oid);
/* Of PHBA, PNP and LNP, and of network portals. */
IMA_STATUS builtin_check_port(IMA_OID oid);
IMA_STATUS builtin_check_target(IMA_OID oid, const struct object **out);
/* A unit is there while its target is. */
IMA_STATUS builtin_check_unit(IMA_OID oid, const struct object **out);
/* One of the units of a session that are exposed; false: it is not. */
bool builtin_is_exposed(const struct unit_summary *units, uint32_t count, const uint64_t *lun);
/* The units of the target's sessions. */
IMA_STATUS builtin_units(const char *target, struct os_arena *arena,
                         struct reply_list_units *reply);

/* --- values --- */

void builtin_from_text(const char *utf8, IMA_WCHAR *out, size_t room);
/* False: it is no address. */
bool builtin_to_ip(const char *text, IMA_IP_ADDRESS *out);
void builtin_to_host(const char *text, IMA_HOST_ID *out);
enum { BUILTIN_HOST_ROOM = 1024 };
/* False: it is not one that can be used; "": it is empty. */
bool builtin_from_host(const IMA_HOST_ID *host, char out[BUILTIN_HOST_ROOM]);
bool builtin_is_empty_host(const IMA_HOST_ID *host);

/* --- between the files --- */

struct os_interface;
/* All network interfaces, freed with os_free. */
IMA_STATUS builtin_interfaces(struct os_interface **out, size_t *count);
IMA_STATUS builtin_set_port_counting(IMA_OID oid, IMA_BOOL enabled);
/* What is known of one target; OBJECT_NOT_FOUND: nothing. In the arena. */
IMA_STATUS builtin_describe(const char *target, struct os_arena *arena, struct target_summary *out);

/* Every function of the table that the built-in plugin has: builtin_GetLhbaOidList and so on. */
#define BUILTIN_DECLARE_LIBRARY(NAME, PARAMETERS)
#define BUILTIN_DECLARE_SHARED(NAME, PARAMETERS) IMA_STATUS builtin_##NAME PARAMETERS;
#define BUILTIN_DECLARE_MERGED                   BUILTIN_DECLARE_SHARED
#define BUILTIN_DECLARE_OWNER                    BUILTIN_DECLARE_SHARED
#define BUILTIN_DECLARE_LIST                     BUILTIN_DECLARE_SHARED
#define BUILTIN_DECLARE_OBJECT                   BUILTIN_DECLARE_SHARED
#define BUILTIN_DECLARE_KEYS                     BUILTIN_DECLARE_SHARED
#define BUILTIN_DECLARE(NAME, DISPATCH, OID, TYPES, RESULT, PARAMETERS, ARGUMENTS, VALID)          \
    BUILTIN_DECLARE_##DISPATCH(NAME, PARAMETERS)
IMA_FUNCTIONS(BUILTIN_DECLARE)

/* Of events.c: no function is called any more. */
void builtin_end_events(void);

#endif
