/* Keys and addresses for IPsec. */
#include "matrix.h"

static IKE_AUTHENTICATION_INFORMATION identity(UCHAR type, const char *id, ULONG length)
{
    static UCHAR key[] = "a preshared key";
    IKE_AUTHENTICATION_INFORMATION info;
    memset(&info, 0, sizeof info);
    info.AuthMethod = IKE_AUTHENTICATION_PRESHARED_KEY_METHOD;
    info.PsKey.IdType = type;
    info.PsKey.Id = (PUCHAR)(uintptr_t)id;
    info.PsKey.IdLengthInBytes = length;
    info.PsKey.Key = key;
    info.PsKey.KeyLengthInBytes = sizeof key - 1;
    return info;
}

static ISDSC_STATUS get_ikeA(IKE_AUTHENTICATION_INFORMATION *info);
static ISDSC_STATUS get_ikeW(IKE_AUTHENTICATION_INFORMATION *info);

#define FORM_FILE "matrix/ipsec.inc"
#include "../msapi_forms.h"

static void group_key(void **state)
{
    (void)state;
    static UCHAR key[] = "a group key";
    ROW(SetIScsiGroupPresharedKey, NULL, ERROR_SUCCESS, "Key=87", sizeof key, RAW_POINTER(key),
        FALSE);
    SUCCEEDS(SetIScsiGroupPresharedKey(sizeof key, key, TRUE));
    SUCCEEDS(SetIScsiGroupPresharedKey(0, NULL, TRUE));
    NOTE_(SetIScsiGroupPresharedKey, SUCCESS);
}

static const struct matrix_test tests[] = {
    BOTH_FORMS(ipsec_rows),     BOTH_FORMS(ike_info), BOTH_FORMS(ike_errors),
    BOTH_FORMS(tunnel_address), ONE_FORM(group_key),
};
AREA(ipsec);
