/* What the tests point at, and how they begin. */
#include "matrix.h"

#include <stdlib.h>

enum { GUARD_VALUE = 0x70FFEE11 };

struct scene scene;
ULONG scene_size, scene_count;

void scene_reset(void)
{
    scene.size = (struct guarded){scene_size, GUARD_VALUE};
    scene.count = (struct guarded){scene_count, GUARD_VALUE};
    scene.sense_size = (struct guarded){sizeof scene.sense, GUARD_VALUE};
}

bool scene_intact(void)
{
    return scene.size.guard == GUARD_VALUE && scene.count.guard == GUARD_VALUE &&
           scene.sense_size.guard == GUARD_VALUE;
}

bool same_name(const char *a, const char *b)
{
    for (; *a != '\0' && (*a | 0x20) == (*b | 0x20); a++, b++)
        continue;
    return *a == *b;
}

/* ----------------------------------------------------------------- objects */

struct endpoint refused_endpoint(void)
{
    return endpoint_of("TEST_REFUSED_PORTAL");
}

void portalA(ISCSI_TARGET_PORTALA *out, const char *symbolic_name, const struct endpoint *at)
{
    fill_portal_a(out, at);
    memcpy(out->SymbolicName, textA(symbolic_name), strlen(textA(symbolic_name)) + 1);
}

void portalW(ISCSI_TARGET_PORTALW *out, const char *symbolic_name, const struct endpoint *at)
{
    fill_portal_w(out, at);
    memcpy(out->SymbolicName, textW(symbolic_name), 256 * sizeof(WCHAR));
}

const struct peer *embedded(void)
{
    static struct peer peers[PEERS_MAX];
    size_t count = find_peers(peers);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(peers[i].kind, "embedded") == 0)
            return &peers[i];
    }
    fail_msg("no embedded target: run this through tests/harness/run.py --peers embedded");
    return NULL;
}

struct endpoint misbehaving(const char *name)
{
    char line[128], wanted[64];
    struct endpoint at = {"127.0.0.1", 0};
    const char *path = getenv("TEST_PEER_PORTS");
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    assert_non_null(file);
    snprintf(wanted, sizeof wanted, "%s ", name);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, wanted, strlen(wanted)) == 0)
            at.port = (USHORT)strtoul(line + strlen(wanted), NULL, 10);
    }
    fclose(file);
    assert_true(at.port != 0);
    return at;
}

static char user_name[] = "somebody";
static char password[] = "a secret of 16..";

ISCSI_LOGIN_OPTIONS full_options(void)
{
    ISCSI_LOGIN_OPTIONS options = chap_options(ISCSI_CHAP_AUTH_TYPE, user_name, password);
    options.InformationSpecified = 0xFF;
    options.LoginFlags = ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED;
    options.HeaderDigest = ISCSI_DIGEST_TYPE_CRC32C;
    options.MaximumConnections = 3;
    options.DefaultTime2Wait = 4;
    options.DefaultTime2Retain = 5;
    return options;
}

void expect_full_options(const ISCSI_LOGIN_OPTIONS *options, const void *buffer, size_t size)
{
    assert_int_equal(options->InformationSpecified, 0xFF);
    assert_int_equal(options->LoginFlags, ISCSI_LOGIN_FLAG_MULTIPATH_ENABLED);
    assert_int_equal(options->AuthType, ISCSI_CHAP_AUTH_TYPE);
    assert_int_equal(options->HeaderDigest, ISCSI_DIGEST_TYPE_CRC32C);
    assert_int_equal(options->DataDigest, ISCSI_DIGEST_TYPE_NONE);
    assert_int_equal(options->MaximumConnections, 3);
    assert_int_equal(options->DefaultTime2Wait, 4);
    assert_int_equal(options->DefaultTime2Retain, 5);
    assert_int_equal(options->UsernameLength, strlen(user_name));
    check_inside(options->Username, options->UsernameLength, 1, buffer, size);
    assert_memory_equal(options->Username, user_name, strlen(user_name));
    assert_int_equal(options->PasswordLength, 0);
    assert_null(options->Password);
}

/* ---------------------------------------------------------------- clean up */

/* Each string of a list that the report gives, as `remove` takes it. */
static void remove_all(ISDSC_STATUS(WINAPI *report)(PULONG, PCHAR),
                       ISDSC_STATUS(WINAPI *remove_one)(PSTR))
{
    static char list[SCENE_ROOM];
    ULONG size = sizeof list;
    if (report(&size, list) != ERROR_SUCCESS || size == 0)
        return;
    for (char *item = list; *item != '\0'; item += strlen(item) + 1)
        remove_one(item);
}

static void remove_persistent_logins(void)
{
    static char room[SCENE_ROOM];
    PPERSISTENT_ISCSI_LOGIN_INFOA logins = (void *)room;
    ULONG count = 0, size = sizeof room;
    if (ReportIScsiPersistentLoginsA(&count, logins, &size) != ERROR_SUCCESS)
        return;
    for (ULONG i = 0; i < count; i++)
        RemoveIScsiPersistentTargetA(NULL, ANY_PORT, logins[i].TargetName, NULL);
}

static void remove_static_targets(void)
{
    static char list[SCENE_ROOM];
    ULONG size = sizeof list;
    if (ReportIScsiTargetsA(FALSE, &size, list) != ERROR_SUCCESS)
        return;
    for (char *item = list; *item != '\0'; item += strlen(item) + 1)
        RemoveIScsiStaticTargetA(item);
}

int matrix_clean(void **state)
{
    scene_size = scene_count = 0;
    scene_reset();
    remove_persistent_logins();
    remove_static_targets();
    remove_all(ReportISNSServerListA, RemoveISNSServerA);
    remove_all(ReportRadiusServerListA, RemoveRadiusServerA);
    ClearPersistentIScsiDevices();
    SetIScsiInitiatorRADIUSSharedSecret(0, NULL);
    SetIScsiGroupPresharedKey(0, NULL, TRUE);
    return start_clean(state);
}
