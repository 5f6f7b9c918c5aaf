/* What the Status-Class and Status-Detail of a Login Response mean (RFC 7143, 11.13.5). */
#include "initiator/internal.h"

enum status login_status(uint8_t class, uint8_t detail)
{
    static const uint8_t initiator[] = {
        STATUS_LOGIN_INITIATOR_ERROR,      STATUS_LOGIN_AUTHENTICATION_FAILED,
        STATUS_LOGIN_AUTHORIZATION_FAILED, STATUS_LOGIN_NOT_FOUND,
        STATUS_LOGIN_TARGET_REMOVED,       STATUS_LOGIN_UNSUPPORTED_VERSION,
        STATUS_LOGIN_TOO_MANY_CONNECTIONS, STATUS_LOGIN_MISSING_PARAMETER,
        STATUS_LOGIN_CANT_INCLUDE,         STATUS_LOGIN_SESSION_TYPE,
        STATUS_LOGIN_NO_SESSION,           STATUS_LOGIN_INVALID_REQUEST,
    };
    static const uint8_t target[] = {
        STATUS_LOGIN_TARGET_ERROR,
        STATUS_LOGIN_SERVICE_UNAVAILABLE,
        STATUS_LOGIN_OUT_OF_RESOURCES,
    };

    _Static_assert(STATUS_COUNT <= 256, "a status fits into one byte of these tables");
    if (class == 1 && detail == 1)
        return STATUS_TARGET_MOVED_TEMPORARILY;
    if (class == 1 && detail == 2)
        return STATUS_TARGET_MOVED_PERMANENTLY;
    if (class == 2)
        return detail < sizeof initiator ? (enum status)initiator[detail]
                                         : STATUS_LOGIN_INITIATOR_ERROR;
    if (class == 3)
        return detail < sizeof target ? (enum status)target[detail] : STATUS_LOGIN_TARGET_ERROR;
    return STATUS_LOGIN_FAILED;
}
