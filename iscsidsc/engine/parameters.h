/*
 * The driver's parameters: Windows' names and, with the exceptions below, Windows' defaults; set in
 * the text file iscsi.conf.
 *
 *     # comment
 *     Name = value
 *
 * A value is a decimal or 0x hexadecimal number; switches also take Yes and No. Names compare
 * without case. Exceptions: MaxRecvDataSegmentLength is 262144 as fast initiators declare it
 * (Windows: 65536), MaxTransferLength 1 MiB (262144), EnableNOPOut on (off); LoginTimeout, the time
 * for a whole login, PersistentLoginAlsoLogsIn, AbortTimeout, ResetTimeout, DeviceTimeout,
 * LoadBalancePolicy, RedirectCredentials and those of the service and of RADIUS have no Windows
 * names.
 */
#ifndef ENGINE_PARAMETERS_H
#define ENGINE_PARAMETERS_H

#include "protocol/status.h"

#include <stddef.h>
#include <stdint.h>

/* PARAMETER(name, member, least, most, default). Times are seconds. */
#define PARAMETERS(PARAMETER)                                                                      \
    PARAMETER(TCPConnectTime, tcp_connect_time, 1, 3600, 15)                                       \
    PARAMETER(LoginTimeout, login_timeout, 1, 3600, 30)                                            \
    PARAMETER(WMIRequestTimeout, wmi_request_timeout, 1, 3600, 30)                                 \
    PARAMETER(TCPDisconnectTime, tcp_disconnect_time, 1, 3600, 15)                                 \
    PARAMETER(MaxRequestHoldTime, max_request_hold_time, 0, 86400, 60)                             \
    PARAMETER(LinkDownTime, link_down_time, 0, 86400, 15)                                          \
    PARAMETER(DelayBetweenReconnect, delay_between_reconnect, 0, 3600, 5)                          \
    PARAMETER(MaxConnectionRetries, max_connection_retries, 0, 4294967295, 4294967295)             \
    PARAMETER(PortalRetryCount, portal_retry_count, 0, 1000, 5)                                    \
    PARAMETER(NetworkReadyRetryCount, network_ready_retry_count, 0, 1000, 10)                      \
    PARAMETER(IPSecConfigTimeout, ipsec_config_timeout, 1, 3600, 60)                               \
    PARAMETER(MaxPendingRequests, max_pending_requests, 1, 65535, 255)                             \
    PARAMETER(EnableNOPOut, enable_nop_out, 0, 1, 1)                                               \
    PARAMETER(DeviceTimeout, device_timeout, 1, 3600, 60)                                          \
    PARAMETER(AbortTimeout, abort_timeout, 0, 3600, 15)                                            \
    PARAMETER(ResetTimeout, reset_timeout, 0, 3600, 30)                                            \
    PARAMETER(LoadBalancePolicy, load_balance_policy, 1, 4, 2)                                     \
    PARAMETER(MaxTransferLength, max_transfer_length, 512, 16777215, 1048576)                      \
    PARAMETER(MaxBurstLength, max_burst_length, 512, 16777215, 262144)                             \
    PARAMETER(FirstBurstLength, first_burst_length, 512, 16777215, 65536)                          \
    PARAMETER(MaxRecvDataSegmentLength, max_recv_data_segment_length, 512, 16777215, 262144)       \
    PARAMETER(InitialR2T, initial_r2t, 0, 1, 0)                                                    \
    PARAMETER(ImmediateData, immediate_data, 0, 1, 1)                                              \
    PARAMETER(ErrorRecoveryLevel, error_recovery_level, 0, 2, 2)                                   \
    PARAMETER(PersistentDeviceTime, persistent_device_time, 0, 3600, 60)                           \
    PARAMETER(ServiceLoopback, service_loopback, 0, 1, 1)                                          \
    PARAMETER(PersistentLoginAlsoLogsIn, persistent_login_also_logs_in, 0, 1, 0)                   \
    PARAMETER(RedirectCredentials, redirect_credentials, 0, 1, 1)                                  \
    PARAMETER(RadiusTimeout, radius_timeout, 1, 3600, 10)                                          \
    PARAMETER(RadiusRequireMessageAuthenticator, radius_require_authenticator, 0, 1, 1)

/* TEXT(name, member). Empty unless set. */
#define TEXT_PARAMETERS(TEXT)                                                                      \
    TEXT(ServiceGroup, service_group)                                                              \
    TEXT(ServiceReadGroup, service_read_group)                                                     \
    TEXT(DeviceDirectory, device_directory)
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

/*
 * Reads the text of a file called `file` over the defaults. STATUS_CONFIGURATION: not understood;
 * then `problem` says what and where ("iscsi.conf:3: ...") and the parameters are the defaults.
 */
enum status parameters_parse(struct parameters *parameters, const char *text, const char *file,
                             char *problem, size_t room);

/*
 * The file iscsi.conf of the state directory, else /etc/iscsi.conf, else the defaults. `directory`
 * may be NULL. Further statuses: those of os_read_file.
 */
enum status parameters_load(struct parameters *parameters, const char *directory, char *problem,
                            size_t room);

#endif
