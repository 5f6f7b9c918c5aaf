/* The same for programs: one object, whose members docs/iscsi-ls.md tells. */
#include "engine/session_status.h"
#include "ls/ls.h"

#include <inttypes.h>
#include <stdio.h>

/* RFC 8259. What is not UTF-8 does not come through the door. NULL: null. */
static void put_text(const char *text)
{
    if (text == NULL) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' || c == 0x7f)
            printf("\\u%04x", c);
        else if (c == '"' || c == '\\')
            printf("\\%c", c);
        else
            putchar(c);
    }
    putchar('"');
}

/* Members but the first begin with a comma. */
static void put_member(const char *name, const char *text)
{
    printf(", \"%s\": ", name);
    put_text(text);
}

static void put_number(const char *name, uint64_t number)
{
    printf(", \"%s\": %" PRIu64, name, number);
}

static void put_switch(const char *name, bool value)
{
    printf(", \"%s\": %s", name, value ? "true" : "false");
}

static void put_portal(const struct portal *portal)
{
    if (portal == NULL) {
        fputs("null", stdout);
        return;
    }
    fputs("{\"address\": ", stdout);
    put_text(portal->address);
    put_number("port", portal->socket);
    putchar('}');
}

static void put_portals(const struct portal_list *portals)
{
    fputs(", \"portals\": [", stdout);
    for (uint32_t i = 0; i < portals->count; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        put_portal(&portals->items[i]);
    }
    putchar(']');
}

static void put_isid(const struct blob *isid)
{
    fputs(", \"isid\": \"", stdout);
    for (uint32_t i = 0; i < isid->length; i++)
        printf("%02x", isid->data[i]);
    putchar('"');
}

static void put_unit(const struct unit_status *unit)
{
    printf("\n      {\"lun\": %lu", (unsigned long)unit->os_lun);
    put_number("target_lun", unit->lun);
    put_number("type", unit->type);
    put_member("vendor", unit->vendor);
    put_member("product", unit->product);
    put_member("revision", unit->revision);
    put_member("serial", unit->serial != NULL && unit->serial[0] != '\0' ? unit->serial : NULL);
    put_number("blocks", unit->blocks);
    put_number("block_length", unit->block_length);
    put_switch("write_protected", unit->write_protected);
    put_switch("exposed", unit->exposed);
    put_member("device", unit->path);
    putchar('}');
}

static void put_parameter(const struct effective_parameter *parameter)
{
    printf("\n      {\"name\": ");
    put_text(parameter->name);
    put_member("value", parameter->value);
    put_member("source", ls_source_name(parameter));
    put_member("scope", parameter->line > 0 ? parameter->scope : NULL);
    put_number("line", parameter->line);
    putchar('}');
}

/* Of a session only those that are others than the service's. */
static void put_parameters(const struct ls_effective *effective,
                           const struct reply_effective_parameters *of)
{
    bool first = true;
    fputs(", \"parameters\": [", stdout);
    for (uint32_t i = 0; i < of->parameters.count; i++) {
        const struct effective_parameter *parameter = &of->parameters.items[i];
        if (of != &effective->service && ls_effective_same(effective, parameter))
            continue;
        fputs(first ? "" : ",", stdout);
        first = false;
        put_parameter(parameter);
    }
    putchar(']');
}

static void put_session(const struct session_status *session)
{
    static const char *const states[] = {"unknown", "established", "dropped", "logging out"};
    printf("\n    {\"target\": ");
    put_text(session->target);
    put_member("alias", session->alias);
    put_number("host", LS_HOST);
    put_number("bus", session->os_bus);
    put_number("id", session->os_target);
    put_member("state", states[session->state <= SESSION_LEAVING ? session->state : 0]);
    put_number("since", session->since / 1000);
    fputs(", \"portal\": ", stdout);
    put_portal(session->portal);
    put_portals(&session->portals);
    fputs(", \"discovery\": ", stdout);
    put_portal(session->discovery);
    put_isid(&session->isid);
    put_number("tsih", session->tsih);
    put_number("portal_group", session->portal_group);
    fputs(", \"units\": [", stdout);
    for (uint32_t i = 0; i < session->units.count; i++) {
        fputs(i > 0 ? "," : "", stdout);
        put_unit(&session->units.items[i]);
    }
    putchar(']');
}

void ls_print_json(const struct reply_get_status *status, const struct ls_effective *effective)
{
    fputs("{\"driver\": ", stdout);
    put_text(status->driver);
    if (effective != NULL) {
        put_member("file", effective->service.file);
        put_parameters(effective, &effective->service);
    }
    fputs(", \"sessions\": [", stdout);
    for (uint32_t i = 0; i < status->sessions.count; i++) {
        fputs(i > 0 ? "," : "", stdout);
        put_session(&status->sessions.items[i]);
        if (effective != NULL)
            put_parameters(effective, &effective->sessions[i]);
        putchar('}');
    }
    puts("]}");
}
