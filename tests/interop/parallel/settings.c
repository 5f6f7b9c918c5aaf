/* Stored logins, the initiator's settings, and keys. */
#include "parallel.h"

static IKE_AUTHENTICATION_INFORMATION identity_of(struct worker *worker, unsigned index)
{
    static _Thread_local char id[32];
    IKE_AUTHENTICATION_INFORMATION info;
    memset(&info, 0, sizeof info);
    snprintf(id, sizeof id, "host-%u-%u.example", worker->number, index);
    info.AuthMethod = IKE_AUTHENTICATION_PRESHARED_KEY_METHOD;
    info.PsKey.IdType = ID_FQDN;
    info.PsKey.Id = (PUCHAR)id;
    info.PsKey.IdLengthInBytes = (ULONG)strlen(id);
    return info;
}

#define FORM_FILE "parallel/logins.inc"
#include "../msapi_forms.h"

static void set_secrets(struct worker *worker)
{
    UCHAR secret[] = "abcdefghijklmnopqrstuvwxyz";
    GIVES(worker, ERROR_SUCCESS,
          USE(SetIScsiInitiatorCHAPSharedSecret)(12 + draw(worker, 5), secret));
    GIVES(worker, ISDSC_INVALID_INITIATOR_CHAP_SECRET,
          USE(SetIScsiInitiatorCHAPSharedSecret)(17, secret));
    GIVES(worker, ERROR_SUCCESS,
          USE(SetIScsiInitiatorRADIUSSharedSecret)(22 + draw(worker, 5), secret));
    GIVES(worker, ERROR_SUCCESS,
          USE(SetIScsiGroupPresharedKey)(draw(worker, 2) * 26, secret, draw(worker, 2) == 0));
}

static void ask_version(struct worker *worker)
{
    ISCSI_VERSION_INFO version = {0, 0, 0};
    GIVES(worker, ERROR_SUCCESS, USE(GetIScsiVersionInformation)(&version));
    if (version.MajorVersion != 6 && version.MajorVersion != 10)
        wrong(worker, "version %lu", (unsigned long)version.MajorVersion);
}

#define BOTH(function)                                                                             \
    {#function "A", function##A},                                                                  \
    {                                                                                              \
#function "W", function##W                                                                 \
    }

const struct action setting_actions[] = {BOTH(store_login),
                                         BOTH(remove_login),
                                         BOTH(list_logins),
                                         BOTH(set_node_name),
                                         BOTH(get_node_name),
                                         BOTH(list_initiators),
                                         BOTH(set_key),
                                         BOTH(get_key),
                                         BOTH(set_tunnel),
                                         {"set_secrets", set_secrets},
                                         {"ask_version", ask_version},
                                         {NULL, NULL}};

bool final_logins(struct worker *workers)
{
    struct report report;
    ULONG expected = 0;
    for (unsigned i = 0; i < WORKERS; i++) {
        list_loginsW(&workers[i]);
        if (workers[i].problem[0] != '\0')
            return false;
        for (unsigned k = 0; k < OWNED; k++)
            expected += workers[i].logins[k];
    }
    if (!fetch(workers, ask_loginsW, NULL, 1, &report))
        return false;
    return report.count == expected || wrong(workers, "%lu stored logins instead of %lu",
                                             (unsigned long)report.count, (unsigned long)expected);
}
