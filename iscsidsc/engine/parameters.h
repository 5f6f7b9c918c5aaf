/*
 * The parameters of the whole driver or service; those of sessions are in configuration.h. Windows'
 * names and defaults where it has them, but for MaxTransferLength, which is 1 MiB (262144), and
 * EnableNOPOut, which is on (off). PersistentLoginAlsoLogsIn, DeviceTimeout, LoadBalancePolicy,
 * RedirectCredentials and those of the service and of RADIUS have no Windows names.
 */
#ifndef ENGINE_PARAMETERS_H
#define ENGINE_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* PARAMETER(name, member, least, most, default). Times are seconds. */
#define PARAMETERS(PARAMETER)                                                                      \
    PARAMETER(TCPConnectTime, tcp_connect_time, 1, 3600, 15)                                       \
    PARAMETER(WMIRequestTimeout, wmi_request_timeout, 1, 3600, 30)                                 \
    PARAMETER(TCPDisconnectTime, tcp_disconnect_time, 1, 3600, 15)                                 \
    PARAMETER(DelayBetweenReconnect, delay_between_reconnect, 0, 3600, 5)                          \
    PARAMETER(MaxConnectionRetries, max_connection_retries, 0, 4294967295, 4294967295)             \
    PARAMETER(PortalFailbackTime, portal_failback_time, 0, 86400, 30)                              \
    PARAMETER(PortalRetryCount, portal_retry_count, 0, 1000, 5)                                    \
    PARAMETER(NetworkReadyRetryCount, network_ready_retry_count, 0, 1000, 10)                      \
    PARAMETER(IPSecConfigTimeout, ipsec_config_timeout, 1, 3600, 60)                               \
    PARAMETER(MaxPendingRequests, max_pending_requests, 1, 65535, 255)                             \
    PARAMETER(EnableNOPOut, enable_nop_out, 0, 1, 1)                                               \
    PARAMETER(DeviceTimeout, device_timeout, 1, 3600, 60)                                          \
    PARAMETER(LoadBalancePolicy, load_balance_policy, 1, 4, 2)                                     \
    PARAMETER(MaxTransferLength, max_transfer_length, 512, 16777215, 1048576)                      \
    PARAMETER(DiscoveryInterval, discovery_interval, 0, 86400, 60)                                 \
    PARAMETER(PersistentDeviceTime, persistent_device_time, 0, 3600, 60)                           \
    PARAMETER(MountRetries, mount_retries, 0, 1000, 10)                                            \
    PARAMETER(MountInterval, mount_interval, 1, 3600, 1)                                           \
    PARAMETER(ServiceLoopback, service_loopback, 0, 1, 1)                                          \
    PARAMETER(PersistentLoginAlsoLogsIn, persistent_login_also_logs_in, 0, 1, 0)                   \
    PARAMETER(RedirectCredentials, redirect_credentials, 0, 1, 1)                                  \
    PARAMETER(RadiusTimeout, radius_timeout, 1, 3600, 10)                                          \
    PARAMETER(RadiusRequireMessageAuthenticator, radius_require_authenticator, 0, 1, 1)

/* TEXT(name, member). Empty unless set. */
#define TEXT_PARAMETERS(TEXT)                                                                      \
    TEXT(ServiceGroup, service_group)                                                              \
    TEXT(ServiceReadGroup, service_read_group)                                                     \
    TEXT(DeviceDirectory, device_directory)                                                        \
    TEXT(WinePrefix, wine_prefix)                                                                  \
    TEXT(DeviceOwner, device_owner)                                                                \
    TEXT(DeviceGroup, device_group)                                                                \
    TEXT(DeviceMode, device_mode)                                                                  \
    TEXT(BindingsFile, bindings_file)                                                              \
    TEXT(LoopDevices, loop_devices)                                                                \
    TEXT(LinkDirectory, link_directory)
#define PARAMETER_TEXT_ROOM 128u

struct parameters {
#define PARAMETER_MEMBER(name, member, least, most, standard) uint32_t member;
#define TEXT_MEMBER(name, member)                             char member[PARAMETER_TEXT_ROOM];
    PARAMETERS(PARAMETER_MEMBER)
    TEXT_PARAMETERS(TEXT_MEMBER)
#undef PARAMETER_MEMBER
#undef TEXT_MEMBER
};

void parameters_default(struct parameters *parameters);

/* A row of the tables above. */
struct parameter_info {
    const char *name;
    size_t offset; /* in struct parameters */
    bool is_text;
    uint32_t least, most, standard; /* of a number */
};

#define PARAMETER_ONE(...) +1
enum { PARAMETERS_COUNT = PARAMETERS(PARAMETER_ONE) TEXT_PARAMETERS(PARAMETER_ONE) };
#undef PARAMETER_ONE
extern const struct parameter_info parameter_table[PARAMETERS_COUNT];

#endif
