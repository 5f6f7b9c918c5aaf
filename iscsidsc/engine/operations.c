/* The descriptions of all records and operations, made from the table. */
#include "engine/engine.h"

#include <string.h>

#define FIELD_RECORD_U8(type)     NULL
#define FIELD_RECORD_U16(type)    NULL
#define FIELD_RECORD_U32(type)    NULL
#define FIELD_RECORD_U64(type)    NULL
#define FIELD_RECORD_TEXT(type)   NULL
#define FIELD_RECORD_BLOB(type)   NULL
#define FIELD_RECORD_TEXTS(type)  NULL
#define FIELD_RECORD_RECORD(type) &record_##type
#define FIELD_RECORD_LIST(type)   &record_##type

#define DESCRIBE(owner, kind, type, number, name)                                                  \
    {FIELD_##kind, number, offsetof(struct owner, name), #name, FIELD_RECORD_##kind(type)},

/* A field list does not know whose it is: each struct has a macro that tells it. */
#define IN_portal(...)              DESCRIBE(portal, __VA_ARGS__)
#define IN_login_options(...)       DESCRIBE(login_options, __VA_ARGS__)
#define IN_discovery_portal(...)    DESCRIBE(discovery_portal, __VA_ARGS__)
#define IN_unique_id(...)           DESCRIBE(unique_id, __VA_ARGS__)
#define IN_connection_info(...)     DESCRIBE(connection_info, __VA_ARGS__)
#define IN_session_info(...)        DESCRIBE(session_info, __VA_ARGS__)
#define IN_mapped_lun(...)          DESCRIBE(mapped_lun, __VA_ARGS__)
#define IN_mapping(...)             DESCRIBE(mapping, __VA_ARGS__)
#define IN_persistent_login(...)    DESCRIBE(persistent_login, __VA_ARGS__)
#define IN_event(...)               DESCRIBE(event, __VA_ARGS__)
#define IN_portal_group(...)        DESCRIBE(portal_group, __VA_ARGS__)
#define IN_static_target(...)       DESCRIBE(static_target, __VA_ARGS__)
#define IN_active_mapping(...)      DESCRIBE(active_mapping, __VA_ARGS__)
#define IN_device(...)              DESCRIBE(device, __VA_ARGS__)
#define IN_ike_info(...)            DESCRIBE(ike_info, __VA_ARGS__)
#define IN_login_parameter(...)     DESCRIBE(login_parameter, __VA_ARGS__)
#define IN_target_summary(...)      DESCRIBE(target_summary, __VA_ARGS__)
#define IN_target_address(...)      DESCRIBE(target_address, __VA_ARGS__)
#define IN_unit_summary(...)        DESCRIBE(unit_summary, __VA_ARGS__)
#define IN_unit_status(...)         DESCRIBE(unit_status, __VA_ARGS__)
#define IN_session_status(...)      DESCRIBE(session_status, __VA_ARGS__)
#define IN_effective_parameter(...) DESCRIBE(effective_parameter, __VA_ARGS__)

#define IN_request_version(...)               DESCRIBE(request_version, __VA_ARGS__)
#define IN_request_add_portal(...)            DESCRIBE(request_add_portal, __VA_ARGS__)
#define IN_request_remove_portal(...)         DESCRIBE(request_remove_portal, __VA_ARGS__)
#define IN_request_refresh_portal(...)        DESCRIBE(request_refresh_portal, __VA_ARGS__)
#define IN_request_list_portals(...)          DESCRIBE(request_list_portals, __VA_ARGS__)
#define IN_request_list_targets(...)          DESCRIBE(request_list_targets, __VA_ARGS__)
#define IN_request_list_target_portals(...)   DESCRIBE(request_list_target_portals, __VA_ARGS__)
#define IN_request_login(...)                 DESCRIBE(request_login, __VA_ARGS__)
#define IN_request_logout(...)                DESCRIBE(request_logout, __VA_ARGS__)
#define IN_request_force_logout(...)          DESCRIBE(request_force_logout, __VA_ARGS__)
#define IN_request_list_sessions(...)         DESCRIBE(request_list_sessions, __VA_ARGS__)
#define IN_request_scsi(...)                  DESCRIBE(request_scsi, __VA_ARGS__)
#define IN_request_list_initiators(...)       DESCRIBE(request_list_initiators, __VA_ARGS__)
#define IN_request_get_node_name(...)         DESCRIBE(request_get_node_name, __VA_ARGS__)
#define IN_request_set_node_name(...)         DESCRIBE(request_set_node_name, __VA_ARGS__)
#define IN_request_set_chap_secret(...)       DESCRIBE(request_set_chap_secret, __VA_ARGS__)
#define IN_request_list_persistent(...)       DESCRIBE(request_list_persistent, __VA_ARGS__)
#define IN_request_remove_persistent(...)     DESCRIBE(request_remove_persistent, __VA_ARGS__)
#define IN_request_wait_events(...)           DESCRIBE(request_wait_events, __VA_ARGS__)
#define IN_request_add_static_target(...)     DESCRIBE(request_add_static_target, __VA_ARGS__)
#define IN_request_remove_static_target(...)  DESCRIBE(request_remove_static_target, __VA_ARGS__)
#define IN_request_get_target(...)            DESCRIBE(request_get_target, __VA_ARGS__)
#define IN_request_add_connection(...)        DESCRIBE(request_add_connection, __VA_ARGS__)
#define IN_request_remove_connection(...)     DESCRIBE(request_remove_connection, __VA_ARGS__)
#define IN_request_list_mappings(...)         DESCRIBE(request_list_mappings, __VA_ARGS__)
#define IN_request_list_devices(...)          DESCRIBE(request_list_devices, __VA_ARGS__)
#define IN_request_add_persistent_device(...) DESCRIBE(request_add_persistent_device, __VA_ARGS__)
#define IN_request_remove_persistent_device(...)                                                   \
    DESCRIBE(request_remove_persistent_device, __VA_ARGS__)
#define IN_request_clear_persistent_devices(...)                                                   \
    DESCRIBE(request_clear_persistent_devices, __VA_ARGS__)
#define IN_request_list_persistent_devices(...)                                                    \
    DESCRIBE(request_list_persistent_devices, __VA_ARGS__)
#define IN_request_bind_persistent_devices(...)                                                    \
    DESCRIBE(request_bind_persistent_devices, __VA_ARGS__)
#define IN_request_add_isns_server(...)       DESCRIBE(request_add_isns_server, __VA_ARGS__)
#define IN_request_remove_isns_server(...)    DESCRIBE(request_remove_isns_server, __VA_ARGS__)
#define IN_request_refresh_isns_server(...)   DESCRIBE(request_refresh_isns_server, __VA_ARGS__)
#define IN_request_list_isns_servers(...)     DESCRIBE(request_list_isns_servers, __VA_ARGS__)
#define IN_request_add_radius_server(...)     DESCRIBE(request_add_radius_server, __VA_ARGS__)
#define IN_request_remove_radius_server(...)  DESCRIBE(request_remove_radius_server, __VA_ARGS__)
#define IN_request_list_radius_servers(...)   DESCRIBE(request_list_radius_servers, __VA_ARGS__)
#define IN_request_set_radius_secret(...)     DESCRIBE(request_set_radius_secret, __VA_ARGS__)
#define IN_request_set_group_key(...)         DESCRIBE(request_set_group_key, __VA_ARGS__)
#define IN_request_set_ike_info(...)          DESCRIBE(request_set_ike_info, __VA_ARGS__)
#define IN_request_get_ike_info(...)          DESCRIBE(request_get_ike_info, __VA_ARGS__)
#define IN_request_set_tunnel_address(...)    DESCRIBE(request_set_tunnel_address, __VA_ARGS__)
#define IN_request_get_node_alias(...)        DESCRIBE(request_get_node_alias, __VA_ARGS__)
#define IN_request_set_node_alias(...)        DESCRIBE(request_set_node_alias, __VA_ARGS__)
#define IN_request_list_login_parameters(...) DESCRIBE(request_list_login_parameters, __VA_ARGS__)
#define IN_request_set_login_parameter(...)   DESCRIBE(request_set_login_parameter, __VA_ARGS__)
#define IN_request_get_discovery(...)         DESCRIBE(request_get_discovery, __VA_ARGS__)
#define IN_request_set_discovery(...)         DESCRIBE(request_set_discovery, __VA_ARGS__)
#define IN_request_get_authentication(...)    DESCRIBE(request_get_authentication, __VA_ARGS__)
#define IN_request_set_auth_methods(...)      DESCRIBE(request_set_auth_methods, __VA_ARGS__)
#define IN_request_set_chap_parameters(...)   DESCRIBE(request_set_chap_parameters, __VA_ARGS__)
#define IN_request_describe_targets(...)      DESCRIBE(request_describe_targets, __VA_ARGS__)
#define IN_request_list_target_addresses(...) DESCRIBE(request_list_target_addresses, __VA_ARGS__)
#define IN_request_list_static_targets(...)   DESCRIBE(request_list_static_targets, __VA_ARGS__)
#define IN_request_remove_static_portal(...)  DESCRIBE(request_remove_static_portal, __VA_ARGS__)
#define IN_request_get_statistics(...)        DESCRIBE(request_get_statistics, __VA_ARGS__)
#define IN_request_get_counting(...)          DESCRIBE(request_get_counting, __VA_ARGS__)
#define IN_request_set_counting(...)          DESCRIBE(request_set_counting, __VA_ARGS__)
#define IN_request_list_units(...)            DESCRIBE(request_list_units, __VA_ARGS__)
#define IN_request_expose_unit(...)           DESCRIBE(request_expose_unit, __VA_ARGS__)
#define IN_request_unexpose_unit(...)         DESCRIBE(request_unexpose_unit, __VA_ARGS__)
#define IN_request_get_stale_data(...)        DESCRIBE(request_get_stale_data, __VA_ARGS__)
#define IN_request_remove_stale_data(...)     DESCRIBE(request_remove_stale_data, __VA_ARGS__)
#define IN_request_effective_parameters(...)  DESCRIBE(request_effective_parameters, __VA_ARGS__)
#define IN_request_reload(...)                DESCRIBE(request_reload, __VA_ARGS__)
#define IN_request_switch_portal(...)         DESCRIBE(request_switch_portal, __VA_ARGS__)
#define IN_request_get_status(...)            DESCRIBE(request_get_status, __VA_ARGS__)
#define IN_request_use_wine_prefix(...)       DESCRIBE(request_use_wine_prefix, __VA_ARGS__)

#define IN_reply_version(...)                  DESCRIBE(reply_version, __VA_ARGS__)
#define IN_reply_add_portal(...)               DESCRIBE(reply_add_portal, __VA_ARGS__)
#define IN_reply_remove_portal(...)            DESCRIBE(reply_remove_portal, __VA_ARGS__)
#define IN_reply_refresh_portal(...)           DESCRIBE(reply_refresh_portal, __VA_ARGS__)
#define IN_reply_list_portals(...)             DESCRIBE(reply_list_portals, __VA_ARGS__)
#define IN_reply_list_targets(...)             DESCRIBE(reply_list_targets, __VA_ARGS__)
#define IN_reply_list_target_portals(...)      DESCRIBE(reply_list_target_portals, __VA_ARGS__)
#define IN_reply_login(...)                    DESCRIBE(reply_login, __VA_ARGS__)
#define IN_reply_logout(...)                   DESCRIBE(reply_logout, __VA_ARGS__)
#define IN_reply_force_logout(...)             DESCRIBE(reply_force_logout, __VA_ARGS__)
#define IN_reply_list_sessions(...)            DESCRIBE(reply_list_sessions, __VA_ARGS__)
#define IN_reply_scsi(...)                     DESCRIBE(reply_scsi, __VA_ARGS__)
#define IN_reply_list_initiators(...)          DESCRIBE(reply_list_initiators, __VA_ARGS__)
#define IN_reply_get_node_name(...)            DESCRIBE(reply_get_node_name, __VA_ARGS__)
#define IN_reply_set_node_name(...)            DESCRIBE(reply_set_node_name, __VA_ARGS__)
#define IN_reply_set_chap_secret(...)          DESCRIBE(reply_set_chap_secret, __VA_ARGS__)
#define IN_reply_list_persistent(...)          DESCRIBE(reply_list_persistent, __VA_ARGS__)
#define IN_reply_remove_persistent(...)        DESCRIBE(reply_remove_persistent, __VA_ARGS__)
#define IN_reply_wait_events(...)              DESCRIBE(reply_wait_events, __VA_ARGS__)
#define IN_reply_add_static_target(...)        DESCRIBE(reply_add_static_target, __VA_ARGS__)
#define IN_reply_remove_static_target(...)     DESCRIBE(reply_remove_static_target, __VA_ARGS__)
#define IN_reply_get_target(...)               DESCRIBE(reply_get_target, __VA_ARGS__)
#define IN_reply_add_connection(...)           DESCRIBE(reply_add_connection, __VA_ARGS__)
#define IN_reply_remove_connection(...)        DESCRIBE(reply_remove_connection, __VA_ARGS__)
#define IN_reply_list_mappings(...)            DESCRIBE(reply_list_mappings, __VA_ARGS__)
#define IN_reply_list_devices(...)             DESCRIBE(reply_list_devices, __VA_ARGS__)
#define IN_reply_add_persistent_device(...)    DESCRIBE(reply_add_persistent_device, __VA_ARGS__)
#define IN_reply_remove_persistent_device(...) DESCRIBE(reply_remove_persistent_device, __VA_ARGS__)
#define IN_reply_clear_persistent_devices(...) DESCRIBE(reply_clear_persistent_devices, __VA_ARGS__)
#define IN_reply_list_persistent_devices(...)  DESCRIBE(reply_list_persistent_devices, __VA_ARGS__)
#define IN_reply_bind_persistent_devices(...)  DESCRIBE(reply_bind_persistent_devices, __VA_ARGS__)
#define IN_reply_add_isns_server(...)          DESCRIBE(reply_add_isns_server, __VA_ARGS__)
#define IN_reply_remove_isns_server(...)       DESCRIBE(reply_remove_isns_server, __VA_ARGS__)
#define IN_reply_refresh_isns_server(...)      DESCRIBE(reply_refresh_isns_server, __VA_ARGS__)
#define IN_reply_list_isns_servers(...)        DESCRIBE(reply_list_isns_servers, __VA_ARGS__)
#define IN_reply_add_radius_server(...)        DESCRIBE(reply_add_radius_server, __VA_ARGS__)
#define IN_reply_remove_radius_server(...)     DESCRIBE(reply_remove_radius_server, __VA_ARGS__)
#define IN_reply_list_radius_servers(...)      DESCRIBE(reply_list_radius_servers, __VA_ARGS__)
#define IN_reply_set_radius_secret(...)        DESCRIBE(reply_set_radius_secret, __VA_ARGS__)
#define IN_reply_set_group_key(...)            DESCRIBE(reply_set_group_key, __VA_ARGS__)
#define IN_reply_set_ike_info(...)             DESCRIBE(reply_set_ike_info, __VA_ARGS__)
#define IN_reply_get_ike_info(...)             DESCRIBE(reply_get_ike_info, __VA_ARGS__)
#define IN_reply_set_tunnel_address(...)       DESCRIBE(reply_set_tunnel_address, __VA_ARGS__)
#define IN_reply_get_node_alias(...)           DESCRIBE(reply_get_node_alias, __VA_ARGS__)
#define IN_reply_set_node_alias(...)           DESCRIBE(reply_set_node_alias, __VA_ARGS__)
#define IN_reply_list_login_parameters(...)    DESCRIBE(reply_list_login_parameters, __VA_ARGS__)
#define IN_reply_set_login_parameter(...)      DESCRIBE(reply_set_login_parameter, __VA_ARGS__)
#define IN_reply_get_discovery(...)            DESCRIBE(reply_get_discovery, __VA_ARGS__)
#define IN_reply_set_discovery(...)            DESCRIBE(reply_set_discovery, __VA_ARGS__)
#define IN_reply_get_authentication(...)       DESCRIBE(reply_get_authentication, __VA_ARGS__)
#define IN_reply_set_auth_methods(...)         DESCRIBE(reply_set_auth_methods, __VA_ARGS__)
#define IN_reply_set_chap_parameters(...)      DESCRIBE(reply_set_chap_parameters, __VA_ARGS__)
#define IN_reply_describe_targets(...)         DESCRIBE(reply_describe_targets, __VA_ARGS__)
#define IN_reply_list_target_addresses(...)    DESCRIBE(reply_list_target_addresses, __VA_ARGS__)
#define IN_reply_list_static_targets(...)      DESCRIBE(reply_list_static_targets, __VA_ARGS__)
#define IN_reply_remove_static_portal(...)     DESCRIBE(reply_remove_static_portal, __VA_ARGS__)
#define IN_reply_get_statistics(...)           DESCRIBE(reply_get_statistics, __VA_ARGS__)
#define IN_reply_get_counting(...)             DESCRIBE(reply_get_counting, __VA_ARGS__)
#define IN_reply_set_counting(...)             DESCRIBE(reply_set_counting, __VA_ARGS__)
#define IN_reply_list_units(...)               DESCRIBE(reply_list_units, __VA_ARGS__)
#define IN_reply_expose_unit(...)              DESCRIBE(reply_expose_unit, __VA_ARGS__)
#define IN_reply_unexpose_unit(...)            DESCRIBE(reply_unexpose_unit, __VA_ARGS__)
#define IN_reply_get_stale_data(...)           DESCRIBE(reply_get_stale_data, __VA_ARGS__)
#define IN_reply_remove_stale_data(...)        DESCRIBE(reply_remove_stale_data, __VA_ARGS__)
#define IN_reply_effective_parameters(...)     DESCRIBE(reply_effective_parameters, __VA_ARGS__)
#define IN_reply_reload(...)                   DESCRIBE(reply_reload, __VA_ARGS__)
#define IN_reply_switch_portal(...)            DESCRIBE(reply_switch_portal, __VA_ARGS__)
#define IN_reply_get_status(...)               DESCRIBE(reply_get_status, __VA_ARGS__)
#define IN_reply_use_wine_prefix(...)          DESCRIBE(reply_use_wine_prefix, __VA_ARGS__)

/* The last row of a field table is empty: C has no arrays of nothing. */
#define DESCRIBE_RECORD(name, fields)                                                              \
    static const struct field_info fields_of_##name[] = {fields(IN_##name){0}};                    \
    static const struct record_info record_##name = {                                              \
        #name,                                                                                     \
        sizeof(struct name),                                                                       \
        fields_of_##name,                                                                          \
        sizeof fields_of_##name / sizeof *fields_of_##name - 1,                                    \
    };

RECORDS(DESCRIBE_RECORD)

#define DESCRIBE_OPERATION(number, name, effect, request, reply)                                   \
    DESCRIBE_RECORD(request_##name, request)                                                       \
    DESCRIBE_RECORD(reply_##name, reply)                                                           \
    static void run_##name(struct engine_call *call)                                               \
    {                                                                                              \
        if (engine_stopping(call->engine))                                                         \
            engine_finish(call, STATUS_CANCELLED, NULL);                                           \
        else                                                                                       \
            engine_##name(call);                                                                   \
    }

OPERATIONS(DESCRIBE_OPERATION)

#define OPERATION_ROW(number, name, effect, request, reply)                                        \
    {number, #name, OPERATION_##effect, &record_request_##name, &record_reply_##name, run_##name},

const struct operation_info operation_table[] = {OPERATIONS(OPERATION_ROW)};
const size_t operation_count = sizeof operation_table / sizeof *operation_table;

const struct operation_info *operation_find(unsigned number)
{
    for (size_t i = 0; i < operation_count; i++) {
        if (operation_table[i].number == number)
            return &operation_table[i];
    }
    return NULL;
}
