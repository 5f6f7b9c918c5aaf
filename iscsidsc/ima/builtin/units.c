/*
 * Logical units. A unit is exposed while a session to its target has it and nobody has said
 * otherwise: it is then one of the devices that GetDevicesForIScsiSession tells of.
 */
#include "ima/builtin/builtin.h"

#include "os/process.h"
#include "os/system.h"
#include "protocol/bytes.h"

#include <string.h>

enum { NAME_ROOM = 64 }; /* of osDeviceName */

IMA_STATUS builtin_units(const char *target, struct os_arena *arena, struct reply_list_units *reply)
{
    const struct request_list_units request = {.target = target};
    return builtin_ask(OPERATION_list_units, &request, reply, arena);
}

bool builtin_is_exposed(const struct unit_summary *units, uint32_t count, const uint64_t *lun)
{
    for (uint32_t i = 0; i < count; i++) {
        if (units[i].exposed && (lun == NULL || units[i].lun == *lun))
            return true;
    }
    return false;
}

/* --- finding --- */

static IMA_STATUS target_of(const struct object *unit, IMA_OID *out)
{
    const struct object *target =
        builtin_object(IMA_OBJECT_TYPE_TARGET, &(struct identity){.name = unit->identity.name});
    if (target == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    *out = builtin_oid(target);
    return IMA_STATUS_SUCCESS;
}

IMA_STATUS builtin_check_unit(IMA_OID oid, const struct object **out)
{
    IMA_OID target_oid;
    const struct object *target;
    *out = builtin_find(oid);
    if (*out == NULL)
        return IMA_ERROR_OBJECT_NOT_FOUND;
    IMA_STATUS status = target_of(*out, &target_oid);
    return status == IMA_STATUS_SUCCESS ? builtin_check_target(target_oid, &target) : status;
}

/* Any unit of a target that is known has an OID, whether or not it exists. */
IMA_STATUS builtin_GetLuOid(IMA_OID targetOid, IMA_BYTE lun[8], IMA_OID *pluOid)
{
    const struct object *target;
    IMA_STATUS status = builtin_check_target(targetOid, &target);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    const struct identity identity = {.name = target->identity.name, .lun = get_be64(lun)};
    const struct object *unit = builtin_object(IMA_OBJECT_TYPE_LU, &identity);
    if (unit == NULL)
        return IMA_ERROR_INSUFFICIENT_MEMORY;
    *pluOid = builtin_oid(unit);
    return status;
}

IMA_STATUS builtin_GetLuOidList(IMA_OID oid, IMA_OID_LIST **ppList)
{
    struct os_arena arena = {0};
    struct reply_list_units reply;
    const struct object *target = NULL;
    IMA_OID_LIST *list = NULL;
    IMA_STATUS status = oid.objectType == IMA_OBJECT_TYPE_LHBA ? builtin_check_lhba(oid)
                                                               : builtin_check_target(oid, &target);
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_units(target != NULL ? target->identity.name : NULL, &arena, &reply);
    if (status == IMA_STATUS_SUCCESS)
        list = builtin_list_new(reply.units.count);
    for (uint32_t i = 0; list != NULL && i < reply.units.count; i++) {
        const struct unit_summary *unit = &reply.units.items[i];
        const struct identity identity = {.name = unit->target, .lun = unit->lun};
        if (unit->exposed && !builtin_list_add(list, IMA_OBJECT_TYPE_LU, &identity))
            status = IMA_ERROR_INSUFFICIENT_MEMORY;
    }
    os_arena_clear(&arena);
    return builtin_list_return(status, list, ppList);
}

/* --- properties --- */

/* What programs open, or the name that Windows would give. Half a path would be another one: one
 * that has no room is not told. */
static void tell_name(const struct unit_summary *unit, IMA_LU_PROPERTIES *out)
{
    bool real = unit->path != NULL && os_has_device_files();
    const char *name = real ? unit->path : unit->device;
    if (name == NULL || strlen(name) >= NAME_ROOM)
        return;
    out->osDeviceNameValid = IMA_TRUE;
    builtin_from_text(name, out->osDeviceName, NAME_ROOM);
}

static void tell_exposed(const struct unit_summary *unit, IMA_LU_PROPERTIES *out)
{
    out->exposedToOs = IMA_TRUE;
    os_local_time(unit->since, &out->timeExposedToOs);
    tell_name(unit, out);
    out->osParallelIdsValid = IMA_TRUE;
    out->osBusNumber = unit->os_bus;
    out->osTargetId = unit->os_target;
    out->osLun = unit->os_lun;
}

/* Of several sessions that have it, the first one's. */
static void tell(const struct object *object, const struct unit_summary_list *units,
                 IMA_LU_PROPERTIES *out)
{
    put_be64(out->targetLun, object->identity.lun);
    for (uint32_t i = 0; i < units->count && !out->exposedToOs; i++) {
        if (units->items[i].lun == object->identity.lun && units->items[i].exposed)
            tell_exposed(&units->items[i], out);
    }
}

IMA_STATUS builtin_GetLuProperties(IMA_OID luOid, IMA_LU_PROPERTIES *pProps)
{
    struct os_arena arena = {0};
    const struct object *object;
    struct reply_list_units reply;
    IMA_OID target;
    IMA_STATUS status = builtin_check_unit(luOid, &object);
    if (status == IMA_STATUS_SUCCESS)
        status = target_of(object, &target);
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_units(object->identity.name, &arena, &reply);
    if (status == IMA_STATUS_SUCCESS) {
        memset(pProps, 0, sizeof *pProps);
        pProps->associatedTargetOid = target;
        tell(object, &reply.units, pProps);
    }
    os_arena_clear(&arena);
    return status;
}

/* --- exposing --- */

IMA_STATUS builtin_ExposeLu(IMA_OID luOid)
{
    const struct object *object;
    IMA_STATUS status = builtin_check_unit(luOid, &object);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    const struct request_expose_unit request = {.target = object->identity.name,
                                                .lun = object->identity.lun};
    enum status exposed = door_call(OPERATION_expose_unit, &request, NULL, NULL);
    /* Another session to the target is on its way in or out: 10 s in all. */
    for (int i = 0; i < 10 && exposed == STATUS_ALREADY_LOGGED_IN; i++) {
        os_sleep(UINT64_C(10) << i);
        exposed = door_call(OPERATION_expose_unit, &request, NULL, NULL);
    }
    return builtin_status(exposed);
}

IMA_STATUS builtin_UnexposeLu(IMA_OID luOid)
{
    const struct object *object;
    IMA_STATUS status = builtin_check_unit(luOid, &object);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    const struct request_unexpose_unit request = {.target = object->identity.name,
                                                  .lun = object->identity.lun};
    return builtin_ask(OPERATION_unexpose_unit, &request, NULL, NULL);
}
