#include "discovery/isns_records.h"
#include "os/socket.h"
#include "os/system.h"

#include <string.h>

/* No real server has as many: a lying one shall not take all memory. */
enum { TARGETS_MOST = 65536, RECORDS_MOST = 1 << 20 };

void isns_records_clear(struct isns_records *records)
{
    os_arena_clear(&records->arena);
    os_free(records->list.items);
    *records = (struct isns_records){0};
}

/* `host` NULL: the target has no portal. */
static bool add(struct isns_records *records, const char *host, uint16_t port, uint16_t group)
{
    struct discovery_records *list = &records->list;
    if (list->count == RECORDS_MOST)
        return false;
    if (list->count == records->room) {
        size_t room = records->room > 0 ? records->room * 2 : 16;
        struct discovery_record *items = os_grow(list->items, room * sizeof *items);
        if (items == NULL)
            return false;
        list->items = items;
        records->room = room;
    }
    const char *copy = host != NULL ? os_arena_text(&records->arena, host) : NULL;
    if (host != NULL && copy == NULL)
        return false;
    records->told = true;
    list->items[list->count++] = (struct discovery_record){.target = records->target,
                                                           .host = copy,
                                                           .port = port,
                                                           .group = group,
                                                           .alias = records->alias};
    return true;
}

/* A target that cannot be reached is known all the same. */
static bool end_target(struct isns_records *records)
{
    bool added = records->target == NULL || records->told || add(records, NULL, 0, 0);
    records->target = NULL;
    records->alias = NULL;
    return added;
}

static bool on_target(void *context, const char *name)
{
    struct isns_records *records = context;
    if (!end_target(records) || ++records->targets > TARGETS_MOST)
        return false;
    records->told = false;
    records->target = os_arena_text(&records->arena, name);
    return records->target != NULL;
}

static bool on_alias(void *context, const char *alias)
{
    struct isns_records *records = context;
    size_t length;
    if (!os_utf8_valid(alias, &length))
        return true;
    records->alias = os_arena_text(&records->arena, alias);
    return records->alias != NULL;
}

/* IPv4 is mapped into IPv6 (RFC 4171, 6.3.1), but there are those who use the older compatible form
 * "::192.0.2.1"; "::1" is none. */
static void read_address(const uint8_t ip[ISNS_ADDRESS_LENGTH], uint16_t port,
                         struct os_address *out)
{
    static const uint8_t zeros[12];
    uint8_t mapped[ISNS_ADDRESS_LENGTH];
    memcpy(mapped, ip, sizeof mapped);
    if (memcmp(ip, zeros, sizeof zeros) == 0 && ip[12] != 0)
        mapped[10] = mapped[11] = 0xff;
    os_address_from_ip(out, mapped, port);
}

/* 0.0.0.0 and :: are no place to go to. */
static bool is_wildcard(const struct os_address *address)
{
    struct os_address any;
    const char *text = os_address_is_ipv6(address) ? "::" : "0.0.0.0";
    return os_address_parse(&any, text, 0) && os_address_same_host(address, &any);
}

static bool on_portal(void *context, const uint8_t ip[ISNS_ADDRESS_LENGTH], uint16_t port,
                      uint16_t group)
{
    struct isns_records *records = context;
    struct os_address address;
    char host[OS_HOST_TEXT];
    read_address(ip, port, &address);
    if (is_wildcard(&address))
        return true;
    os_address_format(&address, host, NULL);
    return add(records, host, port, group);
}

enum status isns_records_add(struct isns_records *records, struct isns_cursor attributes,
                             bool *grouped)
{
    const struct isns_target_reader reader = {
        .target = on_target, .alias = on_alias, .portal = on_portal, .context = records};
    enum status status = isns_read_targets(attributes, &reader, grouped);
    bool ended = end_target(records);
    if (records->targets > TARGETS_MOST || records->list.count == RECORDS_MOST)
        return STATUS_PROTOCOL_ERROR;
    return status == STATUS_CANCELLED || !ended ? STATUS_NO_MEMORY : status;
}
