/* Files and directories that only their owner may read. */
#include "os/windows/wide.h"

#include <string.h>

/* Rights of one user and nobody else; nothing inherited. */
struct only_owner {
    union {
        TOKEN_USER user;
        char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } token;
    union {
        ACL acl;
        char room[sizeof(ACL) + sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE];
    } list;
    SECURITY_DESCRIPTOR descriptor;
    SECURITY_ATTRIBUTES attributes;
    SECURITY_INFORMATION parts; /* of the descriptor that are to be set */
};

/* Without FILE_EXECUTE, so that Wine sets no x bit. */
#define FILE_RIGHTS (FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE | WRITE_DAC | WRITE_OWNER)

enum status os_file_status(DWORD error)
{
    switch (error) {
    case ERROR_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD:
    case ERROR_INVALID_OWNER:
        return STATUS_ACCESS_DENIED;
    case ERROR_WRITE_PROTECT:
        return STATUS_STORE_READ_ONLY;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
        return STATUS_STORE_FULL;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_STORE_FAILED;
    }
}

static bool current_user(struct only_owner *owner)
{
    HANDLE token;
    DWORD length;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    bool found = GetTokenInformation(token, TokenUser, &owner->token, sizeof owner->token, &length);
    CloseHandle(token);
    return found;
}

/*
 * Wine makes file modes of access lists: a grant to somebody in the process' token gives the user
 * and the group bits, a grant to the descriptor's owner who is not in the token gives the user bits
 * alone. OWNER RIGHTS is such a one; Wine ignores it as an owner, Windows would refuse it.
 */
static PSID grantee(const struct only_owner *owner)
{
    static SID owner_rights = {
        SID_REVISION, 1, {SECURITY_CREATOR_SID_AUTHORITY}, {SECURITY_CREATOR_OWNER_RIGHTS_RID}};
    bool wine = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
    return wine ? &owner_rights : owner->token.user.User.Sid;
}

static bool only_owner_init(struct only_owner *owner, DWORD rights, DWORD inheritance)
{
    memset(owner, 0, sizeof *owner);
    owner->attributes.nLength = sizeof owner->attributes;
    owner->attributes.lpSecurityDescriptor = &owner->descriptor;
    if (!current_user(owner))
        return false;
    PSID to = grantee(owner);
    owner->parts = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
    if (to != owner->token.user.User.Sid)
        owner->parts |= OWNER_SECURITY_INFORMATION;
    return InitializeAcl(&owner->list.acl, sizeof owner->list, ACL_REVISION) &&
           AddAccessAllowedAceEx(&owner->list.acl, ACL_REVISION, inheritance, rights, to) &&
           InitializeSecurityDescriptor(&owner->descriptor, SECURITY_DESCRIPTOR_REVISION) &&
           SetSecurityDescriptorOwner(&owner->descriptor, to, FALSE) &&
           SetSecurityDescriptorDacl(&owner->descriptor, TRUE, &owner->list.acl, FALSE) &&
           SetSecurityDescriptorControl(&owner->descriptor, SE_DACL_PROTECTED, SE_DACL_PROTECTED);
}

static bool trusted(PSID owner, PSID user)
{
    /* What an administrator makes belongs to the group. */
    return EqualSid(owner, user) || IsWellKnownSid(owner, WinBuiltinAdministratorsSid) ||
           IsWellKnownSid(owner, WinLocalSystemSid);
}

/* Somebody else's directory could be read, or changed under us, by its owner. */
static enum status check_owner(const wchar_t *path, PSID user)
{
    DWORD size = 0;
    GetFileSecurityW(path, OWNER_SECURITY_INFORMATION, NULL, 0, &size);
    SECURITY_DESCRIPTOR *descriptor = size > 0 ? os_alloc(size) : NULL;
    if (descriptor == NULL)
        return size > 0 ? STATUS_NO_MEMORY : os_file_status(GetLastError());
    PSID owner = NULL;
    BOOL defaulted;
    bool ours = GetFileSecurityW(path, OWNER_SECURITY_INFORMATION, descriptor, size, &size) &&
                GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) && owner != NULL &&
                trusted(owner, user);
    os_free(descriptor);
    return ours ? STATUS_OK : STATUS_ACCESS_DENIED;
}

static enum status claim(const wchar_t *path, struct only_owner *owner)
{
    enum status status = check_owner(path, owner->token.user.User.Sid);
    if (status != STATUS_OK)
        return status;
    if (!SetFileSecurityW(path, owner->parts, &owner->descriptor))
        return os_file_status(GetLastError());
    return STATUS_OK;
}

static bool is_separator(wchar_t c)
{
    return c == L'\\' || c == L'/';
}

/* Failures do not count here: "C:\" cannot be made, others are there. The last step decides. */
static void make_parents(wchar_t *path, struct only_owner *owner)
{
    for (wchar_t *p = path; *p != 0; p++) {
        if (!is_separator(*p) || p == path || p[1] == 0)
            continue;
        wchar_t separator = *p;
        *p = 0;
        CreateDirectoryW(path, &owner->attributes);
        *p = separator;
    }
}

static enum status make_directory(wchar_t *path, struct only_owner *owner)
{
    make_parents(path, owner);
    if (CreateDirectoryW(path, &owner->attributes))
        return STATUS_OK;
    DWORD error = GetLastError();
    DWORD found = GetFileAttributesW(path);
    if (found == INVALID_FILE_ATTRIBUTES)
        return os_file_status(error);
    return found & FILE_ATTRIBUTE_DIRECTORY ? claim(path, owner) : STATUS_STORE_FAILED;
}

enum status os_make_private_directory(const char *path)
{
    struct only_owner owner;
    if (path[0] == '\0')
        return STATUS_INVALID_PARAMETER;
    if (!only_owner_init(&owner, FILE_ALL_ACCESS, OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE))
        return STATUS_STORE_FAILED;
    wchar_t *wide = os_wide(path);
    if (wide == NULL)
        return STATUS_NO_MEMORY;
    enum status status = make_directory(wide, &owner);
    os_free(wide);
    return status;
}

bool os_file_exposed(const char *path)
{
    (void)path;
    return false;
}

bool os_file_withheld(const char *path)
{
    (void)path;
    return false;
}

enum status os_make_private_file(const char *path)
{
    struct only_owner owner;
    if (!only_owner_init(&owner, FILE_RIGHTS, 0))
        return STATUS_STORE_FAILED;
    wchar_t *wide = os_wide(path);
    if (wide == NULL)
        return STATUS_NO_MEMORY;
    DWORD found = GetFileAttributesW(wide);
    enum status status = STATUS_STORE_FAILED;
    if (found != INVALID_FILE_ATTRIBUTES && (found & FILE_ATTRIBUTE_DIRECTORY) == 0)
        status = claim(wide, &owner);
    os_free(wide);
    return status;
}

enum { READ_MOST = 16 << 20 };

static enum status read_all(HANDLE file, char **out, size_t *length)
{
    LARGE_INTEGER size;
    if (GetFileType(file) != FILE_TYPE_DISK || !GetFileSizeEx(file, &size) ||
        size.QuadPart > READ_MOST)
        return STATUS_STORE_FAILED;
    char *text = os_alloc((size_t)size.QuadPart + 1);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    DWORD got = 0;
    if (!ReadFile(file, text, (DWORD)size.QuadPart, &got, NULL)) {
        enum status status = os_file_status(GetLastError());
        os_free(text);
        return status;
    }
    *out = text;
    *length = got;
    return STATUS_OK;
}

enum status os_read_file(const char *path, char **out, size_t *length)
{
    *out = NULL;
    *length = 0;
    wchar_t *wide = os_wide(path);
    if (wide == NULL)
        return STATUS_NO_MEMORY;
    HANDLE file =
        CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, 0, NULL);
    DWORD error = GetLastError();
    DWORD found = file == INVALID_HANDLE_VALUE ? GetFileAttributesW(wide) : 0;
    os_free(wide);
    if (file == INVALID_HANDLE_VALUE) {
        if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND)
            return STATUS_OK;
        /* Windows says "access denied" for a directory. */
        bool directory = found != INVALID_FILE_ATTRIBUTES && (found & FILE_ATTRIBUTE_DIRECTORY);
        return directory ? STATUS_STORE_FAILED : os_file_status(error);
    }
    enum status status = read_all(file, out, length);
    CloseHandle(file);
    return status;
}

bool os_file_stamp(const char *path, uint64_t *stamp)
{
    (void)path;
    (void)stamp;
    return false;
}
