#include "engine/login_parameters.h"
#include "engine/adapter_settings.h"
#include "engine/checks.h"
#include "engine/events.h"

#include <string.h>

/* So that a session may have more of them later, without being told at the login. */
enum { CONNECTIONS_STANDARD = 32 };

struct parameter_limits {
    uint32_t number;
    uint32_t least;
    uint32_t most;
};

static const struct parameter_limits table[] = {
#define LIMITS_ROW(number, name, member, type, least, most) {number, least, most},
    LOGIN_PARAMETERS(LIMITS_ROW)
#undef LIMITS_ROW
};
enum { PARAMETER_COUNT = sizeof table / sizeof *table };

static void put(struct key_offers *offers, uint32_t number, uint32_t value)
{
    switch (number) {
#define PUT_CASE(number, name, member, type, least, most)                                          \
    case number:                                                                                   \
        offers->member = (type)value;                                                              \
        break;
        LOGIN_PARAMETERS(PUT_CASE)
#undef PUT_CASE
    default:
        break;
    }
}

static uint32_t get(const struct key_offers *offers, uint32_t number)
{
    switch (number) {
#define GET_CASE(number, name, member, type, least, most)                                          \
    case number:                                                                                   \
        return offers->member;
        LOGIN_PARAMETERS(GET_CASE)
#undef GET_CASE
    default:
        return 0;
    }
}

/* --- the levels --- */

/* Those that iscsi.conf has too. */
static const struct {
    enum login_parameter_number number;
    enum scoped_parameter parameter;
} in_file[] = {
    {LOGIN_PARAMETER_IMMEDIATE_DATA, PARAMETER_ImmediateData},
    {LOGIN_PARAMETER_INITIAL_R2T, PARAMETER_InitialR2T},
    {LOGIN_PARAMETER_MAX_BURST_LENGTH, PARAMETER_MaxBurstLength},
    {LOGIN_PARAMETER_FIRST_BURST_LENGTH, PARAMETER_FirstBurstLength},
    {LOGIN_PARAMETER_MAX_RECV_DATA_SEGMENT_LENGTH, PARAMETER_MaxRecvDataSegmentLength},
    {LOGIN_PARAMETER_ERROR_RECOVERY_LEVEL, PARAMETER_ErrorRecoveryLevel},
};

/* From the scope on: what is set for everything is the driver's. */
static void take_file(const struct scoped_parameters *parameters, enum configuration_scope from,
                      struct key_offers *offers)
{
    for (size_t i = 0; i < sizeof in_file / sizeof *in_file; i++) {
        uint32_t value;
        memcpy(&value, (const char *)parameters + scoped_table[in_file[i].parameter].offset,
               sizeof value);
        if (parameters->origins[in_file[i].parameter].scope >= from)
            put(offers, in_file[i].number, value);
    }
}

static void take_driver(const struct engine *engine, struct key_offers *offers)
{
    const struct configuration_subject everything = {0};
    struct scoped_parameters parameters;
    *offers = (struct key_offers){
        .header_digest = "None,CRC32C",
        .data_digest = "None,CRC32C",
        .max_connections = CONNECTIONS_STANDARD,
        .default_time2wait = 2,
        .default_time2retain = 20,
        .max_outstanding_r2t = 16,
        .data_pdu_in_order = true,
        .data_sequence_in_order = true,
    };
    configuration_resolve(engine->configuration, &everything, &parameters);
    take_file(&parameters, SCOPE_DEFAULT, offers);
    scoped_parameters_wipe(&parameters);
}

/* What only somebody else can have written does not count. */
static void take_level(const struct stored_parameters *level, struct key_offers *offers)
{
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        uint32_t value = level->values[table[i].number];
        if (level->set[table[i].number] && value >= table[i].least && value <= table[i].most)
            put(offers, table[i].number, value);
    }
}

/* RFC 7143, 13.14: the first burst is not longer than the longest. */
static void reconcile(struct key_offers *offers)
{
    if (offers->first_burst_length > offers->max_burst_length)
        offers->first_burst_length = offers->max_burst_length;
}

struct levels {
    struct key_offers driver;
    struct key_offers adapter;
    struct key_offers target; /* the adapter's where there is no target */
    struct stored_parameters set;
};

/* `scoped`: of iscsi.conf, for the target. */
static enum status take_levels(struct engine *engine, const char *target,
                               const struct scoped_parameters *scoped, struct levels *levels)
{
    struct store *store;
    const struct adapter_settings *adapter;
    enum status status = adapter_settings(engine, &adapter);
    if (status != STATUS_OK)
        return status;
    take_driver(engine, &levels->driver);
    levels->adapter = levels->driver;
    take_level(&adapter->parameters, &levels->adapter);
    levels->target = levels->adapter;
    take_file(scoped, SCOPE_SUBNET, &levels->target);
    levels->set = target == NULL ? adapter->parameters : (struct stored_parameters){0};
    if (target == NULL)
        return STATUS_OK;
    status = engine_store(engine, &store);
    if (status == STATUS_OK)
        status = store_login_parameters(store, target, &levels->set);
    take_level(&levels->set, &levels->target);
    return status;
}

enum status login_parameters_offers(struct engine *engine, const char *target,
                                    const struct scoped_parameters *parameters,
                                    struct key_offers *out)
{
    struct levels levels;
    enum status status = take_levels(engine, target, parameters, &levels);
    if (status != STATUS_OK)
        return status;
    *out = levels.target;
    out->header_digest = configuration_digest_list(parameters->header_digest);
    out->data_digest = configuration_digest_list(parameters->data_digest);
    reconcile(out);
    return STATUS_OK;
}

enum status login_parameters_overrides(struct engine *engine, const char *target,
                                       const struct scoped_parameters *parameters,
                                       struct login_override out[SCOPED_COUNT])
{
    const struct adapter_settings *adapter;
    struct levels levels;
    enum status status = adapter_settings(engine, &adapter);
    if (status == STATUS_OK)
        status = take_levels(engine, target, parameters, &levels);
    for (size_t i = 0; status == STATUS_OK && i < sizeof in_file / sizeof *in_file; i++) {
        enum scoped_parameter parameter = in_file[i].parameter;
        bool of_target = target != NULL && levels.set.set[in_file[i].number];
        bool of_adapter = adapter->parameters.set[in_file[i].number] &&
                          parameters->origins[parameter].scope < SCOPE_SUBNET;
        out[parameter] = (struct login_override){of_target || of_adapter, of_target,
                                                 get(&levels.target, in_file[i].number)};
    }
    return status;
}

/* --- the operations --- */

static enum status check_target(const char *target)
{
    return target != NULL ? check_target_name(target) : STATUS_OK;
}

static enum status levels_of_target(struct engine *engine, const char *target,
                                    struct levels *levels)
{
    const struct configuration_subject subject = {.target = target};
    const struct parameters *parameters;
    struct scoped_parameters scoped;
    enum status status = engine_parameters(engine, &parameters);
    if (status != STATUS_OK)
        return status;
    configuration_resolve(engine->configuration, &subject, &scoped);
    status = take_levels(engine, target, &scoped, levels);
    scoped_parameters_wipe(&scoped);
    return status;
}

void engine_list_login_parameters(struct engine_call *call)
{
    const struct request_list_login_parameters *request = call->request;
    struct login_parameter items[PARAMETER_COUNT];
    struct levels levels;
    enum status status = check_target(request->target);
    if (status == STATUS_OK)
        status = levels_of_target(call->engine, request->target, &levels);
    if (status != STATUS_OK) {
        engine_finish(call, status, NULL);
        return;
    }
    for (uint32_t i = 0; i < PARAMETER_COUNT; i++)
        items[i] = (struct login_parameter){
            .number = table[i].number,
            .set = levels.set.set[table[i].number],
            .value = get(&levels.target, table[i].number),
            .standard = get(&levels.driver, table[i].number),
            .least = table[i].least,
            .most = table[i].most,
            .increment = 1,
        };
    const struct reply_list_login_parameters reply = {.parameters = {items, PARAMETER_COUNT}};
    engine_finish(call, STATUS_OK, &reply);
}

static enum status check_value(const struct request_set_login_parameter *request)
{
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        if (table[i].number == request->number)
            return request->unset ||
                           (request->value >= table[i].least && request->value <= table[i].most)
                       ? STATUS_OK
                       : STATUS_INVALID_PARAMETER;
    }
    return STATUS_INVALID_PARAMETER;
}

void engine_set_login_parameter(struct engine_call *call)
{
    const struct request_set_login_parameter *request = call->request;
    struct store *store;
    enum status status = check_target(request->target);
    if (status == STATUS_OK)
        status = check_value(request);
    if (status == STATUS_OK)
        status = engine_store(call->engine, &store);
    if (status == STATUS_OK)
        status =
            store_set_login_parameter(store, request->target != NULL ? request->target : "",
                                      request->number, request->unset ? NULL : &request->value);
    if (status == STATUS_OK && request->target != NULL)
        events_target(call->engine, request->target, EVENT_TARGET_CHANGED);
    else if (status == STATUS_OK)
        adapter_settings_changed(call->engine);
    engine_finish(call, status, NULL);
}
