#include "engine/effective_parameters.h"
#include "engine/adapter_settings.h"
#include "engine/checks.h"
#include "engine/file_credentials.h"
#include "engine/login_defaults.h"
#include "engine/login_parameters.h"
#include "engine/mechanism.h"
#include "engine/options.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = PARAMETERS_COUNT + SCOPED_COUNT };

struct report {
    struct engine *engine;
    struct engine_call *call;
    struct effective_parameter *rows;
    struct scoped_parameters parameters;
};

static struct effective_parameter *row_of(struct report *report, enum scoped_parameter parameter)
{
    return &report->rows[PARAMETERS_COUNT + (size_t)parameter];
}

static bool put(struct report *report, struct effective_parameter *row, const char *name,
                const char *value, const struct parameter_origin *origin)
{
    *row = (struct effective_parameter){
        .name = name,
        .value = os_arena_text(&report->call->arena, value),
        .source = origin->scope == SCOPE_DEFAULT ? EFFECTIVE_DEFAULT : EFFECTIVE_FILE,
        .scope = configuration_scope_name(origin->scope),
        .line = origin->line,
        .section = origin->section,
    };
    return row->value != NULL;
}

static bool put_service(struct report *report, size_t index)
{
    const struct configuration *configuration = report->engine->configuration;
    const struct parameter_info *info = &parameter_table[index];
    const char *member = (const char *)configuration_parameters(configuration) + info->offset;
    uint32_t line = configuration_line(configuration, index);
    const struct parameter_origin origin = {line != 0 ? SCOPE_GLOBAL : SCOPE_DEFAULT, line, 0};
    char number[16];
    uint32_t value;
    if (info->is_text)
        return put(report, &report->rows[index], info->name, member, &origin);
    memcpy(&value, member, sizeof value);
    snprintf(number, sizeof number, "%lu", (unsigned long)value);
    return put(report, &report->rows[index], info->name, number, &origin);
}

static bool put_scoped(struct report *report, enum scoped_parameter parameter)
{
    char value[PARAMETER_VALUE_ROOM];
    scoped_parameter_format(&report->parameters, parameter, value);
    return put(report, row_of(report, parameter), scoped_table[parameter].name, value,
               &report->parameters.origins[parameter]);
}

static bool put_all(struct report *report)
{
    bool fits = true;
    for (size_t i = 0; fits && i < PARAMETERS_COUNT; i++)
        fits = put_service(report, i);
    for (int i = 0; fits && i < SCOPED_COUNT; i++)
        fits = put_scoped(report, (enum scoped_parameter)i);
    return fits;
}

/* --- what was set otherwise --- */

static bool put_other(struct report *report, enum scoped_parameter parameter,
                      enum effective_source source, const char *value)
{
    struct effective_parameter *row = row_of(report, parameter);
    *row = (struct effective_parameter){.name = scoped_table[parameter].name,
                                        .value = os_arena_text(&report->call->arena, value),
                                        .source = (uint8_t)source};
    return row->value != NULL;
}

static enum status take_overrides(struct report *report, const char *target)
{
    struct login_override overrides[SCOPED_COUNT] = {0};
    char value[PARAMETER_VALUE_ROOM];
    enum status status =
        login_parameters_overrides(report->engine, target, &report->parameters, overrides);
    for (int i = 0; status == STATUS_OK && i < SCOPED_COUNT; i++) {
        if (!overrides[i].set)
            continue;
        memcpy((char *)&report->parameters + scoped_table[i].offset, &overrides[i].value,
               sizeof overrides[i].value);
        scoped_parameter_format(&report->parameters, (enum scoped_parameter)i, value);
        if (!put_other(report, (enum scoped_parameter)i,
                       overrides[i].for_target ? EFFECTIVE_TARGET : EFFECTIVE_ADAPTER, value))
            status = STATUS_NO_MEMORY;
    }
    return status;
}

static bool put_credentials(struct report *report, enum effective_source source, const char *name,
                            bool chap, bool mutual)
{
    return put_other(report, PARAMETER_Username, source, name) &&
           put_other(report, PARAMETER_Password, source, chap ? "(set)" : "") &&
           put_other(report, PARAMETER_IncomingUsername, source, "") &&
           put_other(report, PARAMETER_IncomingPassword, source, mutual ? "(set)" : "");
}

/* The adapter's user is not looked up: where none is set it is the node's name. */
static enum status take_adapter_chap(struct report *report)
{
    const struct adapter_settings *adapter;
    enum status status = adapter_settings(report->engine, &adapter);
    if (status != STATUS_OK || !adapter->methods_set ||
        file_has_credentials(&report->parameters, SCOPE_SUBNET))
        return status;
    bool chap = adapter->method_count > 1 || adapter->methods[0] != AUTH_NONE;
    return put_credentials(report, EFFECTIVE_ADAPTER, "", chap, false) ? STATUS_OK
                                                                       : STATUS_NO_MEMORY;
}

static bool put_option_credentials(struct report *report, const struct login_options *options)
{
    char name[CHAP_NAME_MAX + 1] = "";
    bool chap = options->auth_type != AUTH_NONE;
    if (chap && (options->specified & OPTION_USERNAME) != 0 &&
        options->username.length <= CHAP_NAME_MAX)
        snprintf(name, sizeof name, "%.*s", (int)options->username.length,
                 (const char *)options->username.data);
    return put_credentials(report, EFFECTIVE_OPTIONS, name, chap,
                           options->auth_type == AUTH_MUTUAL);
}

static const char *digest_word(uint32_t digest)
{
    return digest == DIGEST_CRC32C ? "prefer-on" : "never";
}

static bool put_options(struct report *report, const struct login_options *options)
{
    bool fits = true;
    if ((options->specified & OPTION_HEADER_DIGEST) != 0)
        fits = put_other(report, PARAMETER_HeaderDigest, EFFECTIVE_OPTIONS,
                         digest_word(options->header_digest));
    if (fits && (options->specified & OPTION_DATA_DIGEST) != 0)
        fits = put_other(report, PARAMETER_DataDigest, EFFECTIVE_OPTIONS,
                         digest_word(options->data_digest));
    if (fits && (options->specified & OPTION_AUTH_TYPE) != 0)
        fits = put_option_credentials(report, options);
    return fits;
}

static enum status take_options(struct report *report, const char *target)
{
    struct os_arena arena = {0};
    struct login_defaults defaults;
    const struct request_login request = {.target = target};
    enum status status =
        login_defaults(report->engine, &request, catalogue_find(&report->engine->catalogue, target),
                       &arena, &defaults);
    if (status == STATUS_OK && defaults.options != NULL && !put_options(report, defaults.options))
        status = STATUS_NO_MEMORY;
    os_arena_wipe(&arena);
    return status;
}

/* --- the operation --- */

static void resolve(struct report *report, const struct request_effective_parameters *request)
{
    struct configuration_subject subject = {0};
    if (request->target != NULL)
        subject = subject_of_target(report->engine, request->target, NULL);
    subject.address = request->address;
    subject.port = request->port;
    if (request->discovery_address != NULL) {
        subject.discovery_address = request->discovery_address;
        subject.discovery_port = request->discovery_port;
    }
    configuration_resolve(report->engine->configuration, &subject, &report->parameters);
}

static enum status make(struct report *report, const struct request_effective_parameters *request)
{
    resolve(report, request);
    report->rows = os_arena_alloc(&report->call->arena, ROWS * sizeof *report->rows);
    if (report->rows == NULL || !put_all(report))
        return STATUS_NO_MEMORY;
    enum status status = take_overrides(report, request->target);
    if (status == STATUS_OK)
        status = take_adapter_chap(report);
    if (status == STATUS_OK && request->target != NULL)
        status = take_options(report, request->target);
    return status;
}

void engine_effective_parameters(struct engine_call *call)
{
    const struct request_effective_parameters *request = call->request;
    struct report report = {.engine = call->engine, .call = call};
    const struct parameters *parameters;
    struct reply_effective_parameters reply = {0};
    enum status status = request->target != NULL ? check_target_name(request->target) : STATUS_OK;
    if (status == STATUS_OK)
        status = engine_parameters(call->engine, &parameters);
    if (status == STATUS_OK)
        status = make(&report, request);
    scoped_parameters_wipe(&report.parameters);
    if (status == STATUS_OK) {
        const char *file = configuration_file(call->engine->configuration);
        reply.file = file[0] != '\0' ? file : NULL;
        reply.parameters = (struct effective_parameter_list){report.rows, ROWS};
    }
    engine_finish(call, status, &reply);
}
