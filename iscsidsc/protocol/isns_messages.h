/*
 * What an iSCSI initiator and an iSNS server say to each other (RFC 4171, 5.6 and 5.7). The
 * encoders write one whole PDU and return its length, 0 when `room` is too small.
 */
#ifndef PROTOCOL_ISNS_MESSAGES_H
#define PROTOCOL_ISNS_MESSAGES_H

#include "protocol/isns.h"
#include "protocol/name.h"

/* Room for every request of an initiator. */
#define ISNS_REQUEST_MOST 2048u

/* --- requests. `source`: the initiator's node name --- */

/* The initiator as the server is to know it: a network entity with a node and a portal. */
struct isns_registration {
    const char *entity; /* identifier */
    const char *node;
    const char *alias;
    uint8_t address[ISNS_ADDRESS_LENGTH]; /* of the portal; IPv4 mapped into IPv6 */
    uint16_t port;                        /* of the portal, and of SCN and ESI there */
    uint32_t period;                      /* seconds that the registration shall be good for */
    uint32_t esi_interval;                /* seconds; 0: no status inquiries */
};

/* `replace`: whatever was registered for the entity goes. */
size_t isns_encode_registration(uint8_t *bytes, size_t room, uint16_t transaction,
                                const struct isns_registration *registration, bool replace);
size_t isns_encode_deregistration(uint8_t *bytes, size_t room, uint16_t transaction,
                                  const char *source, const char *entity);
/* To be told of targets, and of itself, that come, change and go. */
size_t isns_encode_scn_registration(uint8_t *bytes, size_t room, uint16_t transaction,
                                    const char *source);
/* All targets that the initiator may see, with their portal groups. */
size_t isns_encode_query_all(uint8_t *bytes, size_t room, uint16_t transaction, const char *source);
/* One target with its portal groups. */
size_t isns_encode_query(uint8_t *bytes, size_t room, uint16_t transaction, const char *source,
                         const char *target);
/* One target with the portals of its entity, for a server that tells nothing of portal groups. */
size_t isns_encode_query_portals(uint8_t *bytes, size_t room, uint16_t transaction,
                                 const char *source, const char *target);
/* The name of the target behind `after`; of the first one when that is empty. */
size_t isns_encode_get_next(uint8_t *bytes, size_t room, uint16_t transaction, const char *source,
                            const char *after);

/* --- responses of a server --- */

/* Divides the payload into status and attributes. False: too short. */
bool isns_open_response(const uint8_t *payload, size_t length, uint32_t *error,
                        struct isns_cursor *attributes);

/* The period that the server grants, in seconds; `*period` stays when it tells none. */
enum status isns_read_registration(struct isns_cursor attributes, uint32_t *period);

/* The answer to isns_encode_get_next, as it was spelt. */
enum status isns_read_next(struct isns_cursor attributes, char name[ISCSI_NAME_MAX + 1]);

/*
 * Who takes the targets of a query's answer. The name comes first, normalised, then what is its:
 * maybe an alias, any number of portals. A target may be named more than once. False stops with
 * STATUS_CANCELLED. `group` is PORTAL_ANY_GROUP when it is not known.
 */
struct isns_target_reader {
    bool (*target)(void *context, const char *name);
    bool (*alias)(void *context, const char *alias);
    bool (*portal)(void *context, const uint8_t address[ISNS_ADDRESS_LENGTH], uint16_t port,
                   uint16_t group);
    void *context;
};

/*
 * Nodes that are no targets, invalid names, portals over UDP and portals to which the target has no
 * portal group tag are left out. `*grouped` becomes true when the answer says anything of portal
 * groups.
 */
enum status isns_read_targets(struct isns_cursor attributes,
                              const struct isns_target_reader *reader, bool *grouped);

/* --- what a server says unasked: SCN and ESI (RFC 4171, 5.6.5.8 and 5.6.5.13) --- */

/* `name` NULL: something else than a node changed. `bitmap`: enum isns_scn. */
typedef void isns_changed(void *context, const char *name, uint32_t bitmap);

/* PROTOCOL_ERROR: malformed; some changes may have been told. */
enum status isns_read_scn(const uint8_t *payload, size_t length, isns_changed *changed,
                          void *context);

/* The response to any message of a server; NULL as `payload`: refused for good. */
size_t isns_encode_response(uint8_t *bytes, size_t room, const struct isns_header *request,
                            const uint8_t *payload, size_t length);

#endif
