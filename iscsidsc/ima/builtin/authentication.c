/* How the LHBA authenticates itself: not at all, or by CHAP. */
#include "ima/builtin/builtin.h"

#include "os/crypto.h"

#include <string.h>

/* Bytes of a CHAP response: those of MD5 and of SHA-256. */
enum { METHODS = 2, RESPONSE_LEAST = 16, RESPONSE_MOST = 32 };

static IMA_STATUS get(IMA_OID oid, struct os_arena *arena, struct reply_get_authentication *reply)
{
    const struct request_get_authentication request = {0};
    IMA_STATUS status = builtin_check_lhba(oid);
    return status == IMA_STATUS_SUCCESS
               ? builtin_ask(OPERATION_get_authentication, &request, reply, arena)
               : status;
}

/* As many as there is room for; the count is of all. */
static void give(const IMA_AUTHMETHOD *methods, IMA_UINT count, IMA_UINT *pMethodCount,
                 IMA_AUTHMETHOD *pMethodList)
{
    IMA_UINT room = pMethodList != NULL ? *pMethodCount : 0;
    for (IMA_UINT i = 0; i < count && i < room; i++)
        pMethodList[i] = methods[i];
    *pMethodCount = count;
}

IMA_STATUS builtin_GetSupportedAuthMethods(IMA_OID lhbaOid, IMA_BOOL getSettableMethods,
                                           IMA_UINT *pMethodCount, IMA_AUTHMETHOD *pMethodList)
{
    static const IMA_AUTHMETHOD methods[METHODS] = {IMA_AUTHMETHOD_CHAP, IMA_AUTHMETHOD_NONE};
    struct os_arena arena = {0};
    struct reply_get_authentication reply;
    IMA_STATUS status = get(lhbaOid, &arena, &reply);
    if (status == IMA_STATUS_SUCCESS) {
        IMA_UINT without = getSettableMethods && !reply.has_secret ? 1 : 0;
        give(methods + without, METHODS - without, pMethodCount, pMethodList);
    }
    os_arena_clear(&arena);
    return status;
}

IMA_STATUS builtin_GetInUseInitiatorAuthMethods(IMA_OID lhbaOid, IMA_UINT *pMethodCount,
                                                IMA_AUTHMETHOD *pMethodList)
{
    struct os_arena arena = {0};
    struct reply_get_authentication reply;
    IMA_AUTHMETHOD methods[METHODS];
    IMA_UINT count = 0;
    IMA_STATUS status = get(lhbaOid, &arena, &reply);
    if (status == IMA_STATUS_SUCCESS) {
        for (; count < reply.methods.length && count < METHODS; count++)
            methods[count] = (IMA_AUTHMETHOD)reply.methods.data[count];
        give(methods, count, pMethodCount, pMethodList);
    }
    os_arena_clear(&arena);
    return status;
}

/* The engine's numbers are the API's. */
IMA_STATUS builtin_SetInitiatorAuthMethods(IMA_OID lhbaOid, IMA_UINT methodCount,
                                           const IMA_AUTHMETHOD *pMethodList)
{
    uint8_t methods[METHODS];
    const struct request_set_auth_methods request = {.methods = {methods, methodCount}};
    IMA_STATUS status = builtin_check_lhba(lhbaOid);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    if (methodCount > METHODS)
        return IMA_ERROR_INVALID_PARAMETER;
    for (IMA_UINT i = 0; i < methodCount; i++) {
        if (pMethodList[i] != IMA_AUTHMETHOD_NONE && pMethodList[i] != IMA_AUTHMETHOD_CHAP)
            return IMA_ERROR_INVALID_PARAMETER;
        methods[i] = (uint8_t)pMethodList[i];
    }
    return builtin_ask(OPERATION_set_auth_methods, &request, NULL, NULL);
}

static void tell_chap(const struct reply_get_authentication *from,
                      IMA_CHAP_INITIATOR_AUTHPARMS *out)
{
    IMA_UINT length = from->chap_name.length;
    if (length > sizeof out->name)
        length = sizeof out->name;
    if (length > 0)
        memcpy(out->name, from->chap_name.data, length);
    out->nameLength = length;
    out->minValueHandling = RESPONSE_LEAST;
    out->maxValueHandling = RESPONSE_MOST;
}

IMA_STATUS builtin_GetInitiatorAuthParms(IMA_OID lhbaOid, IMA_AUTHMETHOD method,
                                         IMA_INITIATOR_AUTHPARMS *pParms)
{
    struct os_arena arena = {0};
    struct reply_get_authentication reply;
    IMA_STATUS status = get(lhbaOid, &arena, &reply);
    if (status == IMA_STATUS_SUCCESS && method != IMA_AUTHMETHOD_CHAP)
        status = IMA_ERROR_INVALID_PARAMETER;
    if (status == IMA_STATUS_SUCCESS) {
        memset(pParms, 0, sizeof *pParms);
        tell_chap(&reply, &pParms->chapParms);
    }
    os_arena_clear(&arena);
    return status;
}

/* A secret of no bytes is the one that is set: who reads the parameters and writes them back has
 * none to give. */
IMA_STATUS builtin_SetInitiatorAuthParms(IMA_OID lhbaOid, IMA_AUTHMETHOD method,
                                         const IMA_INITIATOR_AUTHPARMS *pParms)
{
    const IMA_CHAP_INITIATOR_AUTHPARMS *chap = &pParms->chapParms;
    IMA_STATUS status = builtin_check_lhba(lhbaOid);
    if (status != IMA_STATUS_SUCCESS)
        return status;
    if (method != IMA_AUTHMETHOD_CHAP || chap->nameLength == 0 ||
        chap->nameLength > sizeof chap->name ||
        chap->challengeSecretLength > sizeof chap->challengeSecret)
        return IMA_ERROR_INVALID_PARAMETER;
    struct request_set_chap_parameters request = {.name = {chap->name, chap->nameLength}};
    if (chap->challengeSecretLength > 0)
        request.secret = (struct blob){chap->challengeSecret, chap->challengeSecretLength};
    return builtin_ask(OPERATION_set_chap_parameters, &request, NULL, NULL);
}
