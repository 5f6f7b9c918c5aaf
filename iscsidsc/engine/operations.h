/*
 * The one table of what the engine can be asked. Each operation is a row: name, request
 * fields, reply fields. The structs below, the message codec and both ways of dispatch
 * (in the process and over a socket) are made from it.
 *
 * A record is a list of FIELD(kind, type, number, name):
 *   U8 U16 U32 U64   a number
 *   TEXT             const char *, UTF-8, NULL when absent
 *   BLOB             struct blob: bytes, data NULL when absent
 *   RECORD           const struct <type> *, NULL when absent
 *   LIST             struct <type>_list: items and count
 *   TEXTS            struct text_list: const char *const *items and count
 * `number` names the field on the wire: never reuse one, add new ones at the end.
 * Unused types are written as _.
 */
#ifndef ENGINE_OPERATIONS_H
#define ENGINE_OPERATIONS_H

#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------ records */

/* TCP address of a target portal as the caller spelt it. */
#define RECORD_PORTAL(FIELD)                                                                       \
    FIELD(TEXT, _, 1, symbolic_name)                                                               \
    FIELD(TEXT, _, 2, address)                                                                     \
    FIELD(U16, _, 3, socket)

/* As ISCSI_LOGIN_OPTIONS; `specified` tells which members count. */
#define RECORD_LOGIN_OPTIONS(FIELD)                                                                \
    FIELD(U32, _, 1, version)                                                                      \
    FIELD(U32, _, 2, specified)                                                                    \
    FIELD(U32, _, 3, flags)                                                                        \
    FIELD(U32, _, 4, auth_type)                                                                    \
    FIELD(U32, _, 5, header_digest)                                                                \
    FIELD(U32, _, 6, data_digest)                                                                  \
    FIELD(U32, _, 7, maximum_connections)                                                          \
    FIELD(U32, _, 8, default_time2wait)                                                            \
    FIELD(U32, _, 9, default_time2retain)                                                          \
    FIELD(BLOB, _, 10, username)                                                                   \
    FIELD(BLOB, _, 11, password)

/* A discovery portal on the list. Never carries a password outwards. */
#define RECORD_DISCOVERY_PORTAL(FIELD)                                                             \
    FIELD(TEXT, _, 1, initiator)                                                                   \
    FIELD(U32, _, 2, initiator_port)                                                               \
    FIELD(RECORD, portal, 3, portal)                                                               \
    FIELD(U64, _, 4, security_flags)                                                               \
    FIELD(RECORD, login_options, 5, options)

#define RECORD_UNIQUE_ID(FIELD)                                                                    \
    FIELD(U64, _, 1, adapter)                                                                      \
    FIELD(U64, _, 2, specific)

#define RECORD_CONNECTION_INFO(FIELD)                                                              \
    FIELD(RECORD, unique_id, 1, id)                                                                \
    FIELD(TEXT, _, 2, initiator_address)                                                           \
    FIELD(U16, _, 3, initiator_socket)                                                             \
    FIELD(TEXT, _, 4, target_address)                                                              \
    FIELD(U16, _, 5, target_socket)                                                                \
    FIELD(U16, _, 6, cid)                                                                          \
    FIELD(U8, _, 7, state)                                                                         \
    FIELD(U8, _, 8, header_digest)                                                                 \
    FIELD(U8, _, 9, data_digest)                                                                   \
    FIELD(U32, _, 10, max_recv_data_segment_length)                                                \
    FIELD(U32, _, 11, auth_type)

#define RECORD_SESSION_INFO(FIELD)                                                                 \
    FIELD(RECORD, unique_id, 1, id)                                                                \
    FIELD(TEXT, _, 2, initiator_name)                                                              \
    FIELD(TEXT, _, 3, target_name)                                                                 \
    FIELD(BLOB, _, 4, isid)                                                                        \
    FIELD(U16, _, 5, tsih)                                                                         \
    FIELD(U8, _, 6, type)                                                                          \
    FIELD(U8, _, 7, initial_r2t)                                                                   \
    FIELD(U8, _, 8, immediate_data)                                                                \
    FIELD(U8, _, 9, data_sequence_in_order)                                                        \
    FIELD(U8, _, 10, data_pdu_in_order)                                                            \
    FIELD(U8, _, 11, error_recovery_level)                                                         \
    FIELD(U32, _, 12, max_outstanding_r2t)                                                         \
    FIELD(U32, _, 13, first_burst_length)                                                          \
    FIELD(U32, _, 14, max_burst_length)                                                            \
    FIELD(U32, _, 15, max_connections)                                                             \
    FIELD(LIST, connection_info, 16, connections)                                                  \
    FIELD(TEXT, _, 17, target_alias)                                                               \
    FIELD(U16, _, 18, portal_group)

/* As SCSI_LUN_LIST and ISCSI_TARGET_MAPPING. */
#define RECORD_MAPPED_LUN(FIELD)                                                                   \
    FIELD(U32, _, 1, os_lun)                                                                       \
    FIELD(U64, _, 2, target_lun)

#define RECORD_MAPPING(FIELD)                                                                      \
    FIELD(TEXT, _, 1, os_device)                                                                   \
    FIELD(U32, _, 2, os_bus)                                                                       \
    FIELD(U32, _, 3, os_target)                                                                    \
    FIELD(LIST, mapped_lun, 4, luns)

/* A login that is stored. Never carries a password or a key outwards. */
#define RECORD_PERSISTENT_LOGIN(FIELD)                                                             \
    FIELD(TEXT, _, 1, target)                                                                      \
    FIELD(U8, _, 2, informational)                                                                 \
    FIELD(TEXT, _, 3, initiator)                                                                   \
    FIELD(U32, _, 4, initiator_port)                                                               \
    FIELD(RECORD, portal, 5, portal)                                                               \
    FIELD(U64, _, 6, security_flags)                                                               \
    FIELD(RECORD, login_options, 7, options)                                                       \
    FIELD(BLOB, _, 8, key)                                                                         \
    FIELD(RECORD, mapping, 9, mapping)                                                             \
    FIELD(U64, _, 10, number)

/*
 * Something came or went. `kind` is an enum event_kind, `time` milliseconds of a clock that only
 * goes forward. What does not belong to the kind is absent.
 */
#define RECORD_EVENT(FIELD)                                                                        \
    FIELD(U64, _, 1, sequence)                                                                     \
    FIELD(U32, _, 2, kind)                                                                         \
    FIELD(U64, _, 3, time)                                                                         \
    FIELD(RECORD, unique_id, 4, session)                                                           \
    FIELD(TEXT, _, 5, target)                                                                      \
    FIELD(RECORD, portal, 6, portal)                                                               \
    FIELD(U64, _, 7, lun)

/* Portals of one target that share a tag. */
#define RECORD_PORTAL_GROUP(FIELD)                                                                 \
    FIELD(U16, _, 1, tag)                                                                          \
    FIELD(LIST, portal, 2, portals)

/* A target that the user described. `grouped`: a portal group was given, maybe an empty one. */
#define RECORD_STATIC_TARGET(FIELD)                                                                \
    FIELD(TEXT, _, 1, target)                                                                      \
    FIELD(TEXT, _, 2, alias)                                                                       \
    FIELD(U32, _, 3, flags)                                                                        \
    FIELD(U8, _, 4, persistent)                                                                    \
    FIELD(RECORD, mapping, 5, mapping)                                                             \
    FIELD(RECORD, login_options, 6, options)                                                       \
    FIELD(U8, _, 7, grouped)                                                                       \
    FIELD(LIST, portal, 8, portals)

/* What a session's units are on this machine. */
#define RECORD_ACTIVE_MAPPING(FIELD)                                                               \
    FIELD(TEXT, _, 1, initiator)                                                                   \
    FIELD(TEXT, _, 2, target)                                                                      \
    FIELD(RECORD, unique_id, 3, session)                                                           \
    FIELD(RECORD, mapping, 4, mapping)

/* A logical unit as a device of this machine; `type` is the SCSI peripheral device type. `path` is
 * what programs open, where somebody has made a real device. */
#define RECORD_DEVICE(FIELD)                                                                       \
    FIELD(TEXT, _, 1, initiator)                                                                   \
    FIELD(TEXT, _, 2, target)                                                                      \
    FIELD(U32, _, 3, type)                                                                         \
    FIELD(U8, _, 4, scsi_port)                                                                     \
    FIELD(U8, _, 5, scsi_bus)                                                                      \
    FIELD(U8, _, 6, scsi_target)                                                                   \
    FIELD(U8, _, 7, scsi_lun)                                                                      \
    FIELD(TEXT, _, 8, interface_name)                                                              \
    FIELD(TEXT, _, 9, legacy_name)                                                                 \
    FIELD(U32, _, 10, number)                                                                      \
    FIELD(U32, _, 11, partition)                                                                   \
    FIELD(U32, _, 12, instance)                                                                    \
    FIELD(TEXT, _, 13, path)

/* As IKE_AUTHENTICATION_INFORMATION. Never carries a key outwards. */
#define RECORD_IKE_INFO(FIELD)                                                                     \
    FIELD(U32, _, 1, auth_method)                                                                  \
    FIELD(U64, _, 2, security_flags)                                                               \
    FIELD(U8, _, 3, id_type)                                                                       \
    FIELD(BLOB, _, 4, id)                                                                          \
    FIELD(BLOB, _, 5, key)

/*
 * A text key that a login proposes a value for: `number` is one of enum login_parameter. `value` is
 * what the next login proposes; `set`: because it was set at the level that was asked for.
 */
#define RECORD_LOGIN_PARAMETER(FIELD)                                                              \
    FIELD(U32, _, 1, number)                                                                       \
    FIELD(U8, _, 2, set)                                                                           \
    FIELD(U32, _, 3, value)                                                                        \
    FIELD(U32, _, 4, standard)                                                                     \
    FIELD(U32, _, 5, least)                                                                        \
    FIELD(U32, _, 6, most)                                                                         \
    FIELD(U32, _, 7, increment)

/* `methods`: enum discovery_method, those that found it; 0: it is known by its session alone. */
#define RECORD_TARGET_SUMMARY(FIELD)                                                               \
    FIELD(TEXT, _, 1, name)                                                                        \
    FIELD(TEXT, _, 2, alias)                                                                       \
    FIELD(U32, _, 3, methods)

/* A portal of a target; `tag` is that of its group when `grouped`. */
#define RECORD_TARGET_ADDRESS(FIELD)                                                               \
    FIELD(TEXT, _, 1, address)                                                                     \
    FIELD(U16, _, 2, socket)                                                                       \
    FIELD(U8, _, 3, grouped)                                                                       \
    FIELD(U16, _, 4, tag)

/* A logical unit that a session has. `since`: when it was exposed, in milliseconds since 1970.
 * `path`: as that of a device. */
#define RECORD_UNIT_SUMMARY(FIELD)                                                                 \
    FIELD(TEXT, _, 1, target)                                                                      \
    FIELD(U64, _, 2, lun)                                                                          \
    FIELD(U8, _, 3, exposed)                                                                       \
    FIELD(U64, _, 4, since)                                                                        \
    FIELD(TEXT, _, 5, device)                                                                      \
    FIELD(U32, _, 6, os_bus)                                                                       \
    FIELD(U32, _, 7, os_target)                                                                    \
    FIELD(U32, _, 8, os_lun)                                                                       \
    FIELD(RECORD, unique_id, 9, session)                                                           \
    FIELD(TEXT, _, 10, path)

/* What a look at the devices tells of a unit. `lun` is spelt as callers do; `version`: of SPC, of
 * its INQUIRY data; zero `block_length`: none, or it is not ready. `path`: as that of a device. */
#define RECORD_UNIT_STATUS(FIELD)                                                                  \
    FIELD(U32, _, 1, os_lun)                                                                       \
    FIELD(U64, _, 2, lun)                                                                          \
    FIELD(U8, _, 3, type)                                                                          \
    FIELD(U8, _, 4, version)                                                                       \
    FIELD(TEXT, _, 5, vendor)                                                                      \
    FIELD(TEXT, _, 6, product)                                                                     \
    FIELD(TEXT, _, 7, revision)                                                                    \
    FIELD(TEXT, _, 8, serial)                                                                      \
    FIELD(U64, _, 9, blocks)                                                                       \
    FIELD(U32, _, 10, block_length)                                                                \
    FIELD(U8, _, 11, exposed)                                                                      \
    FIELD(U8, _, 12, write_protected)                                                              \
    FIELD(TEXT, _, 13, path)

/* The same of a session with units. `state`: 1 connected, 2 not, 3 being logged out, `since` in
 * milliseconds since 1970; `portal`: that it is connected to; `discovery`: that told of the target.
 */
#define RECORD_SESSION_STATUS(FIELD)                                                               \
    FIELD(TEXT, _, 1, target)                                                                      \
    FIELD(TEXT, _, 2, alias)                                                                       \
    FIELD(U32, _, 3, os_bus)                                                                       \
    FIELD(U32, _, 4, os_target)                                                                    \
    FIELD(U8, _, 5, state)                                                                         \
    FIELD(U64, _, 6, since)                                                                        \
    FIELD(RECORD, portal, 7, portal)                                                               \
    FIELD(RECORD, portal, 8, discovery)                                                            \
    FIELD(LIST, portal, 9, portals)                                                                \
    FIELD(BLOB, _, 10, isid)                                                                       \
    FIELD(U16, _, 11, tsih)                                                                        \
    FIELD(U16, _, 12, portal_group)                                                                \
    FIELD(LIST, unit_status, 13, units)                                                            \
    FIELD(RECORD, unique_id, 14, id)

/*
 * A parameter of iscsi.conf: its value as the file writes it ("(set)" for a password), and where it
 * is from: `source` is one of enum effective_source. From the file: `scope` is "global" or the
 * section's ("TargetName"), `line` that of the setting, `section` that of the section or 0.
 */
#define RECORD_EFFECTIVE_PARAMETER(FIELD)                                                          \
    FIELD(TEXT, _, 1, name)                                                                        \
    FIELD(TEXT, _, 2, value)                                                                       \
    FIELD(U8, _, 3, source)                                                                        \
    FIELD(TEXT, _, 4, scope)                                                                       \
    FIELD(U32, _, 5, line)                                                                         \
    FIELD(U32, _, 6, section)

#define RECORDS(RECORD)                                                                            \
    RECORD(portal, RECORD_PORTAL)                                                                  \
    RECORD(login_options, RECORD_LOGIN_OPTIONS)                                                    \
    RECORD(discovery_portal, RECORD_DISCOVERY_PORTAL)                                              \
    RECORD(unique_id, RECORD_UNIQUE_ID)                                                            \
    RECORD(connection_info, RECORD_CONNECTION_INFO)                                                \
    RECORD(session_info, RECORD_SESSION_INFO)                                                      \
    RECORD(mapped_lun, RECORD_MAPPED_LUN)                                                          \
    RECORD(mapping, RECORD_MAPPING)                                                                \
    RECORD(persistent_login, RECORD_PERSISTENT_LOGIN)                                              \
    RECORD(event, RECORD_EVENT)                                                                    \
    RECORD(portal_group, RECORD_PORTAL_GROUP)                                                      \
    RECORD(static_target, RECORD_STATIC_TARGET)                                                    \
    RECORD(active_mapping, RECORD_ACTIVE_MAPPING)                                                  \
    RECORD(device, RECORD_DEVICE)                                                                  \
    RECORD(ike_info, RECORD_IKE_INFO)                                                              \
    RECORD(login_parameter, RECORD_LOGIN_PARAMETER)                                                \
    RECORD(target_summary, RECORD_TARGET_SUMMARY)                                                  \
    RECORD(target_address, RECORD_TARGET_ADDRESS)                                                  \
    RECORD(unit_summary, RECORD_UNIT_SUMMARY)                                                      \
    RECORD(unit_status, RECORD_UNIT_STATUS)                                                        \
    RECORD(session_status, RECORD_SESSION_STATUS)                                                  \
    RECORD(effective_parameter, RECORD_EFFECTIVE_PARAMETER)

/* --------------------------------------------------------------- operations */

#define NO_FIELDS(FIELD)

#define REPLY_VERSION(FIELD)                                                                       \
    FIELD(U32, _, 1, major)                                                                        \
    FIELD(U32, _, 2, minor)                                                                        \
    FIELD(U32, _, 3, build)

/*
 * `initiator` NULL or empty: any; `initiator_port` 0xffffffff: any. `unwaited`: the call ends as
 * soon as the portal is on the list, and what it answers goes into the catalogue later; one that
 * is on the list stays as it is.
 */
#define REQUEST_ADD_PORTAL(FIELD)                                                                  \
    FIELD(RECORD, discovery_portal, 1, entry)                                                      \
    FIELD(U8, _, 2, unwaited)

#define REQUEST_PORTAL(FIELD)                                                                      \
    FIELD(TEXT, _, 1, initiator)                                                                   \
    FIELD(U32, _, 2, initiator_port)                                                               \
    FIELD(RECORD, portal, 3, portal)

#define REPLY_PORTALS(FIELD) FIELD(LIST, discovery_portal, 1, portals)

#define REQUEST_LIST_TARGETS(FIELD) FIELD(U8, _, 1, force_update)

#define REPLY_TARGETS(FIELD) FIELD(TEXTS, _, 1, names)

/* `tag` NULL: all portal groups (a one-item list otherwise: see tag_given). */
#define REQUEST_LIST_TARGET_PORTALS(FIELD)                                                         \
    FIELD(TEXT, _, 1, initiator)                                                                   \
    FIELD(TEXT, _, 2, target)                                                                      \
    FIELD(U8, _, 3, tag_given)                                                                     \
    FIELD(U16, _, 4, tag)

#define REPLY_TARGET_PORTALS(FIELD) FIELD(LIST, portal, 1, portals)

#define REQUEST_LOGIN(FIELD)                                                                       \
    FIELD(TEXT, _, 1, target)                                                                      \
    FIELD(U8, _, 2, informational)                                                                 \
    FIELD(TEXT, _, 3, initiator)                                                                   \
    FIELD(U32, _, 4, initiator_port)                                                               \
    FIELD(RECORD, portal, 5, portal)                                                               \
    FIELD(U64, _, 6, security_flags)                                                               \
    FIELD(RECORD, login_options, 7, options)                                                       \
    FIELD(BLOB, _, 8, key)                                                                         \
    FIELD(U8, _, 9, persistent)                                                                    \
    FIELD(RECORD, mapping, 10, mapping)

/* The ids are absent when the login was only stored. */
#define REPLY_LOGIN(FIELD)                                                                         \
    FIELD(RECORD, unique_id, 1, session)                                                           \
    FIELD(RECORD, unique_id, 2, connection)

#define REQUEST_SESSION(FIELD) FIELD(RECORD, unique_id, 1, session)

#define REPLY_SESSIONS(FIELD) FIELD(LIST, session_info, 1, sessions)

/* A SCSI command that reads at most `length` bytes, writes `data`, or moves no data. `repeatable`:
 * it may be carried out twice, see engine/io.h. */
#define REQUEST_SCSI(FIELD)                                                                        \
    FIELD(RECORD, unique_id, 1, session)                                                           \
    FIELD(U64, _, 2, lun)                                                                          \
    FIELD(BLOB, _, 3, cdb)                                                                         \
    FIELD(U32, _, 4, length)                                                                       \
    FIELD(BLOB, _, 5, data)                                                                        \
    FIELD(U8, _, 6, repeatable)

/* With STATUS_OK and with STATUS_SCSI_STATUS. */
#define REPLY_SCSI(FIELD)                                                                          \
    FIELD(U8, _, 1, status)                                                                        \
    FIELD(BLOB, _, 2, data)                                                                        \
    FIELD(BLOB, _, 3, sense)                                                                       \
    FIELD(U8, _, 4, overflow)                                                                      \
    FIELD(U32, _, 5, residual)

#define REPLY_NAMES(FIELD) FIELD(TEXTS, _, 1, names)

/* NULL: the default name. */
#define FIELDS_NODE_NAME(FIELD) FIELD(TEXT, _, 1, name)

#define REPLY_PERSISTENT(FIELD) FIELD(LIST, persistent_login, 1, logins)

/* Absent or empty texts, portal and address, and `initiator_port` 0xffffffff fit any. */
#define REQUEST_REMOVE_PERSISTENT(FIELD)                                                           \
    FIELD(TEXT, _, 1, initiator)                                                                   \
    FIELD(U32, _, 2, initiator_port)                                                               \
    FIELD(TEXT, _, 3, target)                                                                      \
    FIELD(RECORD, portal, 4, portal)

/*
 * Waits until there are events behind number `after` whose kinds are among `kinds` (bits, 1 <<
 * kind; 0: all), at most `timeout` milliseconds. EVENTS_FROM_NOW: answers at once where to begin.
 */
#define EVENTS_FROM_NOW UINT64_MAX
#define REQUEST_WAIT_EVENTS(FIELD)                                                                 \
    FIELD(U64, _, 1, after)                                                                        \
    FIELD(U32, _, 2, timeout)                                                                      \
    FIELD(U32, _, 3, kinds)

/* `last`: what to pass as `after` next time. `lost`: there were more, which are forgotten. */
#define REPLY_EVENTS(FIELD)                                                                        \
    FIELD(LIST, event, 1, events)                                                                  \
    FIELD(U64, _, 2, last)                                                                         \
    FIELD(U8, _, 3, lost)

/* MERGE among its flags: what is not given stays as it was stored. */
#define REQUEST_ADD_STATIC_TARGET(FIELD) FIELD(RECORD, static_target, 1, entry)

#define REQUEST_TARGET(FIELD) FIELD(TEXT, _, 1, target)

/* `mechanism` absent: only `mechanisms` of the reply is filled in. */
#define REQUEST_GET_TARGET(FIELD)                                                                  \
    FIELD(TEXT, _, 1, target)                                                                      \
    FIELD(TEXT, _, 2, mechanism)

/* The instance of the target that the mechanism found. */
#define REPLY_GET_TARGET(FIELD)                                                                    \
    FIELD(TEXTS, _, 1, mechanisms)                                                                 \
    FIELD(TEXT, _, 2, alias)                                                                       \
    FIELD(LIST, portal_group, 3, groups)                                                           \
    FIELD(RECORD, mapping, 4, mapping)                                                             \
    FIELD(TEXT, _, 5, initiator)                                                                   \
    FIELD(U32, _, 6, flags)                                                                        \
    FIELD(RECORD, login_options, 7, options)

/* `portal` absent: the one of the session's leading connection. */
#define REQUEST_ADD_CONNECTION(FIELD)                                                              \
    FIELD(RECORD, unique_id, 1, session)                                                           \
    FIELD(U32, _, 2, initiator_port)                                                               \
    FIELD(RECORD, portal, 3, portal)                                                               \
    FIELD(U64, _, 4, security_flags)                                                               \
    FIELD(RECORD, login_options, 5, options)                                                       \
    FIELD(BLOB, _, 6, key)

#define REPLY_CONNECTION(FIELD) FIELD(RECORD, unique_id, 1, connection)

#define REQUEST_REMOVE_CONNECTION(FIELD)                                                           \
    FIELD(RECORD, unique_id, 1, session)                                                           \
    FIELD(RECORD, unique_id, 2, connection)

#define REPLY_MAPPINGS(FIELD) FIELD(LIST, active_mapping, 1, mappings)

#define REPLY_DEVICES(FIELD) FIELD(LIST, device, 1, devices)

/* A drive letter, mount point or device name. */
#define REQUEST_DEVICE_PATH(FIELD) FIELD(TEXT, _, 1, path)

/* An IP address or a host name. Absent in a refresh: all servers. */
#define REQUEST_SERVER(FIELD) FIELD(TEXT, _, 1, address)

/* NULL or empty: none. */
#define REQUEST_SECRET(FIELD) FIELD(BLOB, _, 1, secret)

/* `persistent` 0: until the engine stops. */
#define REQUEST_GROUP_KEY(FIELD)                                                                   \
    FIELD(BLOB, _, 1, key)                                                                         \
    FIELD(U8, _, 2, persistent)

#define REQUEST_SET_IKE_INFO(FIELD)                                                                \
    FIELD(TEXT, _, 1, initiator)                                                                   \
    FIELD(U32, _, 2, initiator_port)                                                               \
    FIELD(RECORD, ike_info, 3, info)                                                               \
    FIELD(U8, _, 4, persistent)

#define REQUEST_GET_IKE_INFO(FIELD)                                                                \
    FIELD(TEXT, _, 1, initiator)                                                                   \
    FIELD(U32, _, 2, initiator_port)                                                               \
    FIELD(U8, _, 3, id_type)                                                                       \
    FIELD(BLOB, _, 4, id)

#define REPLY_IKE_INFO(FIELD) FIELD(RECORD, ike_info, 1, info)

/* `outer` absent: there is to be none. */
#define REQUEST_TUNNEL_ADDRESS(FIELD)                                                              \
    FIELD(TEXT, _, 1, initiator)                                                                   \
    FIELD(U32, _, 2, initiator_port)                                                               \
    FIELD(TEXT, _, 3, destination)                                                                 \
    FIELD(TEXT, _, 4, outer)                                                                       \
    FIELD(U8, _, 5, persistent)

/* NULL or empty: none. */
#define FIELDS_NODE_ALIAS(FIELD) FIELD(TEXT, _, 1, alias)

/* `target` NULL: those of the adapter, which hold for targets that have none of their own. */
#define REQUEST_LOGIN_PARAMETERS(FIELD) FIELD(TEXT, _, 1, target)

#define REPLY_LOGIN_PARAMETERS(FIELD) FIELD(LIST, login_parameter, 1, parameters)

/* `unset`: what was set at that level is forgotten. */
#define REQUEST_SET_LOGIN_PARAMETER(FIELD)                                                         \
    FIELD(TEXT, _, 1, target)                                                                      \
    FIELD(U32, _, 2, number)                                                                       \
    FIELD(U32, _, 3, value)                                                                        \
    FIELD(U8, _, 4, unset)

/* `enabled`: enum discovery_method. `isns_server`: the one asked first. */
#define REPLY_DISCOVERY(FIELD)                                                                     \
    FIELD(U32, _, 1, enabled)                                                                      \
    FIELD(TEXT, _, 2, isns_server)

/* `isns_server`, with iSNS enabled: it takes the place of the one that was named by this before. */
#define REQUEST_SET_DISCOVERY(FIELD)                                                               \
    FIELD(U32, _, 1, method)                                                                       \
    FIELD(U8, _, 2, enabled)                                                                       \
    FIELD(TEXT, _, 3, isns_server)

/* `methods`: a byte each, AUTH_NONE or AUTH_CHAP, the best first. A secret never comes back. */
#define REPLY_AUTHENTICATION(FIELD)                                                                \
    FIELD(BLOB, _, 1, methods)                                                                     \
    FIELD(BLOB, _, 2, chap_name)                                                                   \
    FIELD(U8, _, 3, has_secret)

#define REQUEST_SET_AUTH_METHODS(FIELD) FIELD(BLOB, _, 1, methods)

/* Without a secret the one that is set stays. */
#define REQUEST_SET_CHAP_PARAMETERS(FIELD)                                                         \
    FIELD(BLOB, _, 1, name)                                                                        \
    FIELD(BLOB, _, 2, secret)

/* `known`: portals that have not answered yet are not waited for. `target` NULL: all of them. */
#define REQUEST_DESCRIBE_TARGETS(FIELD)                                                            \
    FIELD(TEXT, _, 1, target)                                                                      \
    FIELD(U8, _, 2, known)

#define REPLY_DESCRIBE_TARGETS(FIELD) FIELD(LIST, target_summary, 1, targets)

#define REPLY_TARGET_ADDRESSES(FIELD) FIELD(LIST, target_address, 1, addresses)

#define REPLY_STATIC_TARGETS(FIELD) FIELD(LIST, static_target, 1, targets)

/* The last portal takes the target with it, and so does no portal at all of one that has none. */
#define REQUEST_STATIC_PORTAL(FIELD)                                                               \
    FIELD(TEXT, _, 1, target)                                                                      \
    FIELD(RECORD, portal, 2, portal)

/* What is counted: see enum counted. */
#define FIELDS_COUNTED(FIELD)                                                                      \
    FIELD(U32, _, 1, kind)                                                                         \
    FIELD(TEXT, _, 2, name)                                                                        \
    FIELD(U64, _, 3, lun)

/* `addresses`: of a network interface, whose connections are meant. */
#define REQUEST_STATISTICS(FIELD)                                                                  \
    FIELDS_COUNTED(FIELD)                                                                          \
    FIELD(TEXTS, _, 4, addresses)

/* `last_failure`: of a login, in milliseconds since 1970; 0: there was none. */
#define REPLY_STATISTICS(FIELD)                                                                    \
    FIELD(U64, _, 1, bytes_sent)                                                                   \
    FIELD(U64, _, 2, bytes_received)                                                               \
    FIELD(U64, _, 3, pdus_sent)                                                                    \
    FIELD(U64, _, 4, pdus_received)                                                                \
    FIELD(U64, _, 5, commands)                                                                     \
    FIELD(U64, _, 6, data_in_bytes)                                                                \
    FIELD(U64, _, 7, data_out_bytes)                                                               \
    FIELD(U64, _, 8, digest_errors)                                                                \
    FIELD(U64, _, 9, login_failures)                                                               \
    FIELD(U64, _, 10, session_failures)                                                            \
    FIELD(U64, _, 11, time_failures)                                                               \
    FIELD(U64, _, 12, format_failures)                                                             \
    FIELD(U64, _, 13, connection_timeouts)                                                         \
    FIELD(U64, _, 14, last_failure)

#define REQUEST_SET_COUNTING(FIELD)                                                                \
    FIELDS_COUNTED(FIELD)                                                                          \
    FIELD(U8, _, 4, enabled)                                                                       \
    FIELD(TEXTS, _, 5, addresses)

#define REPLY_COUNTING(FIELD) FIELD(U8, _, 1, enabled)

#define REPLY_UNITS(FIELD) FIELD(LIST, unit_summary, 1, units)

#define REQUEST_UNIT(FIELD)                                                                        \
    FIELD(TEXT, _, 1, target)                                                                      \
    FIELD(U64, _, 2, lun)

/* `session` NULL: the one whose units are at that SCSI bus and target id. */
#define REQUEST_SWITCH_PORTAL(FIELD)                                                               \
    FIELD(RECORD, unique_id, 1, session)                                                           \
    FIELD(U32, _, 2, bus)                                                                          \
    FIELD(U32, _, 3, target)                                                                       \
    FIELD(TEXT, _, 4, address)

/* The Unix path of the prefix that the caller runs in. */
#define REQUEST_WINE_PREFIX(FIELD) FIELD(TEXT, _, 1, path)

#define REPLY_STALE_DATA(FIELD) FIELD(U32, _, 1, size)

/* The service has read iscsi.conf again. `outcome` is an enum status: other than OK, nothing has
 * changed. `problems`: "file:line:column: ...", warnings among them. */
#define REPLY_RELOAD(FIELD)                                                                        \
    FIELD(U32, _, 1, outcome)                                                                      \
    FIELD(TEXTS, _, 2, problems)

/* In the order of the places of the sessions. `driver`: our version. */
#define REPLY_STATUS(FIELD)                                                                        \
    FIELD(TEXT, _, 1, driver)                                                                      \
    FIELD(LIST, session_status, 2, sessions)

/* Whose parameters: what a login to the target by that portal would take, or with neither what
 * counts for everything. NULL and 0: not named; who found the target is known. */
#define REQUEST_EFFECTIVE_PARAMETERS(FIELD)                                                        \
    FIELD(TEXT, _, 1, target)                                                                      \
    FIELD(TEXT, _, 2, address)                                                                     \
    FIELD(U16, _, 3, port)                                                                         \
    FIELD(TEXT, _, 4, discovery_address)                                                           \
    FIELD(U16, _, 5, discovery_port)

/* `file` NULL: there is none. */
#define REPLY_EFFECTIVE_PARAMETERS(FIELD)                                                          \
    FIELD(TEXT, _, 1, file)                                                                        \
    FIELD(LIST, effective_parameter, 2, parameters)

enum operation_effect {
    OPERATION_READS, /* changes nothing: read-only clients may */
    OPERATION_CHANGES,
};

/* OPERATION(number on the wire, name, effect, request fields, reply fields) */
#define OPERATIONS(OPERATION)                                                                      \
    OPERATION(1, version, READS, NO_FIELDS, REPLY_VERSION)                                         \
    OPERATION(2, add_portal, CHANGES, REQUEST_ADD_PORTAL, NO_FIELDS)                               \
    OPERATION(3, remove_portal, CHANGES, REQUEST_PORTAL, NO_FIELDS)                                \
    OPERATION(4, refresh_portal, CHANGES, REQUEST_PORTAL, NO_FIELDS)                               \
    OPERATION(5, list_portals, READS, NO_FIELDS, REPLY_PORTALS)                                    \
    OPERATION(6, list_targets, READS, REQUEST_LIST_TARGETS, REPLY_TARGETS)                         \
    OPERATION(7, list_target_portals, READS, REQUEST_LIST_TARGET_PORTALS, REPLY_TARGET_PORTALS)    \
    OPERATION(8, login, CHANGES, REQUEST_LOGIN, REPLY_LOGIN)                                       \
    OPERATION(9, logout, CHANGES, REQUEST_SESSION, NO_FIELDS)                                      \
    OPERATION(10, list_sessions, READS, NO_FIELDS, REPLY_SESSIONS)                                 \
    OPERATION(11, scsi, CHANGES, REQUEST_SCSI, REPLY_SCSI)                                         \
    OPERATION(12, list_initiators, READS, NO_FIELDS, REPLY_NAMES)                                  \
    OPERATION(13, get_node_name, READS, NO_FIELDS, FIELDS_NODE_NAME)                               \
    OPERATION(14, set_node_name, CHANGES, FIELDS_NODE_NAME, NO_FIELDS)                             \
    OPERATION(15, set_chap_secret, CHANGES, REQUEST_SECRET, NO_FIELDS)                             \
    OPERATION(16, list_persistent, READS, NO_FIELDS, REPLY_PERSISTENT)                             \
    OPERATION(17, remove_persistent, CHANGES, REQUEST_REMOVE_PERSISTENT, NO_FIELDS)                \
    OPERATION(18, wait_events, READS, REQUEST_WAIT_EVENTS, REPLY_EVENTS)                           \
    OPERATION(19, add_static_target, CHANGES, REQUEST_ADD_STATIC_TARGET, NO_FIELDS)                \
    OPERATION(20, remove_static_target, CHANGES, REQUEST_TARGET, NO_FIELDS)                        \
    OPERATION(21, get_target, READS, REQUEST_GET_TARGET, REPLY_GET_TARGET)                         \
    OPERATION(22, add_connection, CHANGES, REQUEST_ADD_CONNECTION, REPLY_CONNECTION)               \
    OPERATION(23, remove_connection, CHANGES, REQUEST_REMOVE_CONNECTION, NO_FIELDS)                \
    OPERATION(24, list_mappings, READS, NO_FIELDS, REPLY_MAPPINGS)                                 \
    OPERATION(25, list_devices, READS, REQUEST_SESSION, REPLY_DEVICES)                             \
    OPERATION(26, add_persistent_device, CHANGES, REQUEST_DEVICE_PATH, NO_FIELDS)                  \
    OPERATION(27, remove_persistent_device, CHANGES, REQUEST_DEVICE_PATH, NO_FIELDS)               \
    OPERATION(28, clear_persistent_devices, CHANGES, NO_FIELDS, NO_FIELDS)                         \
    OPERATION(29, list_persistent_devices, READS, NO_FIELDS, REPLY_NAMES)                          \
    OPERATION(30, bind_persistent_devices, CHANGES, NO_FIELDS, NO_FIELDS)                          \
    OPERATION(31, add_isns_server, CHANGES, REQUEST_SERVER, NO_FIELDS)                             \
    OPERATION(32, remove_isns_server, CHANGES, REQUEST_SERVER, NO_FIELDS)                          \
    OPERATION(33, refresh_isns_server, CHANGES, REQUEST_SERVER, NO_FIELDS)                         \
    OPERATION(34, list_isns_servers, READS, NO_FIELDS, REPLY_NAMES)                                \
    OPERATION(35, add_radius_server, CHANGES, REQUEST_SERVER, NO_FIELDS)                           \
    OPERATION(36, remove_radius_server, CHANGES, REQUEST_SERVER, NO_FIELDS)                        \
    OPERATION(37, list_radius_servers, READS, NO_FIELDS, REPLY_NAMES)                              \
    OPERATION(38, set_radius_secret, CHANGES, REQUEST_SECRET, NO_FIELDS)                           \
    OPERATION(39, set_group_key, CHANGES, REQUEST_GROUP_KEY, NO_FIELDS)                            \
    OPERATION(40, set_ike_info, CHANGES, REQUEST_SET_IKE_INFO, NO_FIELDS)                          \
    OPERATION(41, get_ike_info, READS, REQUEST_GET_IKE_INFO, REPLY_IKE_INFO)                       \
    OPERATION(42, set_tunnel_address, CHANGES, REQUEST_TUNNEL_ADDRESS, NO_FIELDS)                  \
    OPERATION(50, get_node_alias, READS, NO_FIELDS, FIELDS_NODE_ALIAS)                             \
    OPERATION(51, set_node_alias, CHANGES, FIELDS_NODE_ALIAS, NO_FIELDS)                           \
    OPERATION(52, list_login_parameters, READS, REQUEST_LOGIN_PARAMETERS, REPLY_LOGIN_PARAMETERS)  \
    OPERATION(53, set_login_parameter, CHANGES, REQUEST_SET_LOGIN_PARAMETER, NO_FIELDS)            \
    OPERATION(54, get_discovery, READS, NO_FIELDS, REPLY_DISCOVERY)                                \
    OPERATION(55, set_discovery, CHANGES, REQUEST_SET_DISCOVERY, NO_FIELDS)                        \
    OPERATION(56, get_authentication, READS, NO_FIELDS, REPLY_AUTHENTICATION)                      \
    OPERATION(57, set_auth_methods, CHANGES, REQUEST_SET_AUTH_METHODS, NO_FIELDS)                  \
    OPERATION(58, set_chap_parameters, CHANGES, REQUEST_SET_CHAP_PARAMETERS, NO_FIELDS)            \
    OPERATION(59, describe_targets, READS, REQUEST_DESCRIBE_TARGETS, REPLY_DESCRIBE_TARGETS)       \
    OPERATION(60, list_target_addresses, READS, REQUEST_TARGET, REPLY_TARGET_ADDRESSES)            \
    OPERATION(61, list_static_targets, READS, NO_FIELDS, REPLY_STATIC_TARGETS)                     \
    OPERATION(62, remove_static_portal, CHANGES, REQUEST_STATIC_PORTAL, NO_FIELDS)                 \
    OPERATION(63, get_statistics, READS, REQUEST_STATISTICS, REPLY_STATISTICS)                     \
    OPERATION(64, get_counting, READS, FIELDS_COUNTED, REPLY_COUNTING)                             \
    OPERATION(65, set_counting, CHANGES, REQUEST_SET_COUNTING, NO_FIELDS)                          \
    OPERATION(66, list_units, READS, REQUEST_TARGET, REPLY_UNITS)                                  \
    OPERATION(67, expose_unit, CHANGES, REQUEST_UNIT, NO_FIELDS)                                   \
    OPERATION(68, unexpose_unit, CHANGES, REQUEST_UNIT, NO_FIELDS)                                 \
    OPERATION(69, get_stale_data, READS, NO_FIELDS, REPLY_STALE_DATA)                              \
    OPERATION(70, remove_stale_data, CHANGES, NO_FIELDS, NO_FIELDS)                                \
    OPERATION(90, use_wine_prefix, CHANGES, REQUEST_WINE_PREFIX, NO_FIELDS)                        \
    OPERATION(93, force_logout, CHANGES, REQUEST_SESSION, NO_FIELDS)                               \
    OPERATION(100, effective_parameters, READS, REQUEST_EFFECTIVE_PARAMETERS,                      \
              REPLY_EFFECTIVE_PARAMETERS)                                                          \
    OPERATION(103, reload, CHANGES, NO_FIELDS, REPLY_RELOAD)                                       \
    OPERATION(105, switch_portal, CHANGES, REQUEST_SWITCH_PORTAL, NO_FIELDS)                       \
    OPERATION(107, get_status, READS, NO_FIELDS, REPLY_STATUS)

/* ------------------------------------------------- what is made from the above */

struct blob {
    const uint8_t *data;
    uint32_t length;
};

struct text_list {
    const char *const *items;
    uint32_t count;
};

#define FIELD_MEMBER_U8(type, name)            uint8_t name;
#define FIELD_MEMBER_U16(type, name)           uint16_t name;
#define FIELD_MEMBER_U32(type, name)           uint32_t name;
#define FIELD_MEMBER_U64(type, name)           uint64_t name;
#define FIELD_MEMBER_TEXT(type, name)          const char *name;
#define FIELD_MEMBER_BLOB(type, name)          struct blob name;
#define FIELD_MEMBER_RECORD(type, name)        const struct type *name;
#define FIELD_MEMBER_LIST(type, name)          struct type##_list name;
#define FIELD_MEMBER_TEXTS(type, name)         struct text_list name;
#define FIELD_MEMBER(kind, type, number, name) FIELD_MEMBER_##kind(type, name)

#define RECORD_STRUCT(name, fields)                                                                \
    struct name {                                                                                  \
        fields(FIELD_MEMBER)                                                                       \
    };                                                                                             \
    struct name##_list {                                                                           \
        const struct name *items;                                                                  \
        uint32_t count;                                                                            \
    };
RECORDS(RECORD_STRUCT)

/* struct request_login, struct reply_login, ... A request without fields has a filler, as C asks.
 */
#define OPERATION_STRUCTS(number, name, effect, request, reply)                                    \
    struct request_##name {                                                                        \
        uint8_t filler;                                                                            \
        request(FIELD_MEMBER)                                                                      \
    };                                                                                             \
    struct reply_##name {                                                                          \
        uint8_t filler;                                                                            \
        reply(FIELD_MEMBER)                                                                        \
    };
OPERATIONS(OPERATION_STRUCTS)

enum operation {
#define OPERATION_ENUM(number, name, effect, request, reply) OPERATION_##name = number,
    OPERATIONS(OPERATION_ENUM)
#undef OPERATION_ENUM
};

enum field_kind {
    FIELD_U8,
    FIELD_U16,
    FIELD_U32,
    FIELD_U64,
    FIELD_TEXT,
    FIELD_BLOB,
    FIELD_RECORD,
    FIELD_LIST,
    FIELD_TEXTS,
};

struct record_info;

struct field_info {
    enum field_kind kind;
    uint16_t number;
    uint16_t offset;
    const char *name;
    const struct record_info *record; /* RECORD and LIST */
};

struct record_info {
    const char *name;
    size_t size;
    const struct field_info *fields;
    size_t field_count;
};

struct engine_call;

struct operation_info {
    uint16_t number;
    const char *name;
    enum operation_effect effect;
    const struct record_info *request;
    const struct record_info *reply;
    void (*run)(struct engine_call *call); /* engine_<name> */
};

extern const struct operation_info operation_table[];
extern const size_t operation_count;
const struct operation_info *operation_find(unsigned number);

/* The handlers, one for each row: void engine_login(struct engine_call *call). */
#define OPERATION_HANDLER(number, name, effect, request, reply)                                    \
    void engine_##name(struct engine_call *call);
OPERATIONS(OPERATION_HANDLER)
#undef OPERATION_HANDLER

#endif
