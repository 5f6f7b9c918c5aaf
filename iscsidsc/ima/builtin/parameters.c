/* Login parameters of the LHBA and of targets. */
#include "ima/builtin/builtin.h"

#include "engine/login_parameters.h"

#include <string.h>

/* *target NULL: the LHBA's are meant. */
static IMA_STATUS find_level(IMA_OID oid, const char **target)
{
    const struct object *object;
    *target = NULL;
    if (oid.objectType == IMA_OBJECT_TYPE_LHBA)
        return builtin_check_lhba(oid);
    IMA_STATUS status = builtin_check_target(oid, &object);
    if (status == IMA_STATUS_SUCCESS)
        *target = object->identity.name;
    return status;
}

static IMA_STATUS get(IMA_OID oid, uint32_t number, struct login_parameter *out)
{
    struct os_arena arena = {0};
    struct request_list_login_parameters request = {0};
    struct reply_list_login_parameters reply;
    IMA_STATUS status = find_level(oid, &request.target);
    if (status == IMA_STATUS_SUCCESS)
        status = builtin_ask(OPERATION_list_login_parameters, &request, &reply, &arena);
    if (status == IMA_STATUS_SUCCESS) {
        status = IMA_ERROR_UNKNOWN_ERROR; /* an engine that does not know the parameter */
        for (uint32_t i = 0; i < reply.parameters.count; i++) {
            if (reply.parameters.items[i].number != number)
                continue;
            *out = reply.parameters.items[i];
            status = IMA_STATUS_SUCCESS;
        }
    }
    os_arena_clear(&arena);
    return status;
}

static IMA_STATUS get_number(IMA_OID oid, uint32_t number, IMA_MIN_MAX_VALUE *out)
{
    struct login_parameter parameter;
    IMA_STATUS status = get(oid, number, &parameter);
    if (status == IMA_STATUS_SUCCESS)
        *out = (IMA_MIN_MAX_VALUE){.currentValueValid = IMA_TRUE,
                                   .settable = IMA_TRUE,
                                   .currentValue = parameter.value,
                                   .defaultValue = parameter.standard,
                                   .minimumValue = parameter.least,
                                   .maximumValue = parameter.most,
                                   .incrementValue = parameter.increment};
    return status;
}

static IMA_STATUS get_switch(IMA_OID oid, uint32_t number, IMA_BOOL_VALUE *out)
{
    struct login_parameter parameter;
    IMA_STATUS status = get(oid, number, &parameter);
    if (status == IMA_STATUS_SUCCESS)
        *out = (IMA_BOOL_VALUE){.currentValueValid = IMA_TRUE,
                                .settable = IMA_TRUE,
                                .currentValue = parameter.value,
                                .defaultValue = parameter.standard};
    return status;
}

static IMA_STATUS set(IMA_OID oid, uint32_t number, IMA_UINT value)
{
    struct request_set_login_parameter request = {.number = number, .value = value};
    IMA_STATUS status = find_level(oid, &request.target);
    return status == IMA_STATUS_SUCCESS
               ? builtin_ask(OPERATION_set_login_parameter, &request, NULL, NULL)
               : status;
}

/* P(name in the API, name in the engine, type of the properties, how they are got). */
#define PARAMETERS_OF_LOGINS(P)                                                                    \
    P(ImmediateData, IMMEDIATE_DATA, IMA_BOOL_VALUE, get_switch)                                   \
    P(InitialR2T, INITIAL_R2T, IMA_BOOL_VALUE, get_switch)                                         \
    P(DataPduInOrder, DATA_PDU_IN_ORDER, IMA_BOOL_VALUE, get_switch)                               \
    P(DataSequenceInOrder, DATA_SEQUENCE_IN_ORDER, IMA_BOOL_VALUE, get_switch)                     \
    P(MaxBurstLength, MAX_BURST_LENGTH, IMA_MIN_MAX_VALUE, get_number)                             \
    P(FirstBurstLength, FIRST_BURST_LENGTH, IMA_MIN_MAX_VALUE, get_number)                         \
    P(MaxConnections, MAX_CONNECTIONS, IMA_MIN_MAX_VALUE, get_number)                              \
    P(MaxRecvDataSegmentLength, MAX_RECV_DATA_SEGMENT_LENGTH, IMA_MIN_MAX_VALUE, get_number)       \
    P(MaxOutstandingR2T, MAX_OUTSTANDING_R2T, IMA_MIN_MAX_VALUE, get_number)                       \
    P(DefaultTime2Wait, DEFAULT_TIME2WAIT, IMA_MIN_MAX_VALUE, get_number)                          \
    P(DefaultTime2Retain, DEFAULT_TIME2RETAIN, IMA_MIN_MAX_VALUE, get_number)                      \
    P(ErrorRecoveryLevel, ERROR_RECOVERY_LEVEL, IMA_MIN_MAX_VALUE, get_number)

#define DEFINE_PARAMETER(api, engine, type, getter)                                                \
    IMA_STATUS builtin_Get##api##Properties(IMA_OID oid, type *pProps)                             \
    {                                                                                              \
        return getter(oid, LOGIN_PARAMETER_##engine, pProps);                                      \
    }                                                                                              \
    IMA_STATUS builtin_Set##api(IMA_OID oid, IMA_UINT value)                                       \
    {                                                                                              \
        return set(oid, LOGIN_PARAMETER_##engine, value);                                          \
    }
PARAMETERS_OF_LOGINS(DEFINE_PARAMETER)
