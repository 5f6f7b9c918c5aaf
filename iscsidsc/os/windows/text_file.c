/* Files that people edit while we write to them. */
#include "os/windows/wide.h"

#include <stdio.h>
#include <string.h>

enum { DRAFT_ROOM = 4096 + 16 };

/* Is that what the file holds? `text` NULL: there is none. */
static bool holds(const char *path, const struct os_text *text)
{
    char *found;
    size_t length;
    if (os_read_file(path, &found, &length) != STATUS_OK)
        return false;
    bool same = found == NULL || text == NULL
                    ? found == NULL && text == NULL
                    : length == text->length && memcmp(found, text->start, length) == 0;
    os_free(found);
    return same;
}

static enum status write_draft(const wchar_t *draft, const struct os_text *text)
{
    DWORD written = 0;
    HANDLE file = CreateFileW(draft, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return os_file_status(GetLastError());
    enum status status = STATUS_OK;
    if (!WriteFile(file, text->start, (DWORD)text->length, &written, NULL) ||
        written != text->length || !FlushFileBuffers(file))
        status = os_file_status(GetLastError());
    CloseHandle(file);
    return status;
}

/* Not if it is read-only, but if somebody has it open. */
static enum status move(const wchar_t *draft, const wchar_t *path, bool there)
{
    if (MoveFileExW(draft, path, there ? MOVEFILE_REPLACE_EXISTING : 0))
        return STATUS_OK;
    DWORD error = GetLastError(), found = GetFileAttributesW(path);
    bool writable = found != INVALID_FILE_ATTRIBUTES && (found & FILE_ATTRIBUTE_READONLY) == 0;
    bool busy = error == ERROR_ALREADY_EXISTS || error == ERROR_SHARING_VIOLATION ||
                (error == ERROR_ACCESS_DENIED && writable);
    return busy ? STATUS_BUSY : os_file_status(error);
}

/* Between the last look and the move there is a moment that Windows does not close. */
enum status os_revise_file(const char *path, const struct os_text *before,
                           const struct os_text *after)
{
    char draft[DRAFT_ROOM];
    int length = snprintf(draft, sizeof draft, "%s.%lu", path, GetCurrentProcessId());
    if (length < 0 || (size_t)length >= sizeof draft)
        return STATUS_STORE_FAILED;
    wchar_t *wide_draft = os_wide(draft), *wide = os_wide(path);
    enum status status = STATUS_NO_MEMORY;
    if (wide_draft != NULL && wide != NULL) {
        status = write_draft(wide_draft, after);
        if (status == STATUS_OK && !holds(path, before))
            status = STATUS_BUSY;
        if (status == STATUS_OK)
            status = move(wide_draft, wide, before != NULL);
        if (status != STATUS_OK)
            DeleteFileW(wide_draft);
    }
    os_free(wide_draft);
    os_free(wide);
    return status;
}
