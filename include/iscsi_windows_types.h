/*
 * The Windows types, macros and error codes that the iSCSI Discovery Library's
 * interface is spelled with, for systems whose C library does not have them.
 *
 * On Windows, and where Wine's headers are in already, this file defines nothing;
 * it only includes the system's own headers. Elsewhere it defines what is below,
 * unless ISCSI_NO_WINDOWS_TYPES says that the program brings its own.
 *
 * Sizes are those of Windows, not of the host: ULONG and DWORD have 32 bits and
 * WCHAR has 16. WCHAR is char16_t in C++11 and later, and uint16_t in C, which
 * is what char16_t stands for in C11: u"text" is a WCHAR string in both.
 */
#ifndef ISCSI_WINDOWS_TYPES_H
#define ISCSI_WINDOWS_TYPES_H

#if defined(_WIN32) || defined(_WINDEF_) || defined(_WINNT_) || defined(__WINE_WINDEF_H) ||        \
    defined(__WINE_WINNT_H)

#include <windows.h>
#include <ntddscsi.h>
#include <winioctl.h>
#ifdef __WINE_WINIOCTL_H
#include <ntddstor.h> /* where Wine has STORAGE_DEVICE_NUMBER */
#endif

#elif !defined(ISCSI_NO_WINDOWS_TYPES)

#include <stdint.h>

typedef char CHAR, *PCHAR, *PSTR, *LPSTR;
typedef const char *PCSTR, *LPCSTR;
typedef unsigned char UCHAR, *PUCHAR, BYTE, *PBYTE, BOOLEAN, *PBOOLEAN;
typedef int BOOL;
typedef int16_t SHORT;
typedef uint16_t USHORT, *PUSHORT, WORD;
typedef int32_t LONG;
typedef uint32_t ULONG, *PULONG, DWORD, *PDWORD;
/* long long rather than int64_t: "%llu" then fits on every system. */
typedef long long LONGLONG;
typedef unsigned long long ULONGLONG, *PULONGLONG;
typedef void VOID, *PVOID, *LPVOID;

#if defined(__cplusplus) && __cplusplus >= 201103L
typedef char16_t WCHAR;
#else
typedef uint16_t WCHAR;
#endif
typedef WCHAR *PWCHAR, *PWSTR, *LPWSTR;
typedef const WCHAR *PCWSTR, *LPCWSTR;

#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR, *PTSTR, *LPTSTR;
typedef const WCHAR *PCTSTR, *LPCTSTR;
#else
typedef char TCHAR, *PTCHAR, *PTSTR, *LPTSTR;
typedef const char *PCTSTR, *LPCTSTR;
#endif

/* The text is written TEXT("..."); with UNICODE it needs C11 or C++11. */
#ifndef TEXT
#ifdef UNICODE
#define ISCSI_TEXT_(quoted) u##quoted
#else
#define ISCSI_TEXT_(quoted) quoted
#endif
#define TEXT(quoted) ISCSI_TEXT_(quoted)
#endif

#ifndef GUID_DEFINED
#define GUID_DEFINED
typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID;
#endif

/* Where an operating system finds a logical unit. Length is the size of the structure, 8. */
typedef struct _SCSI_ADDRESS {
    ULONG Length;
    UCHAR PortNumber;
    UCHAR PathId;
    UCHAR TargetId;
    UCHAR Lun;
} SCSI_ADDRESS, *PSCSI_ADDRESS;

/* DeviceType 7 is a disk; DeviceNumber is 0xFFFFFFFF as long as there is no device yet. */
typedef struct _STORAGE_DEVICE_NUMBER {
    DWORD DeviceType;
    DWORD DeviceNumber;
    DWORD PartitionNumber;
} STORAGE_DEVICE_NUMBER, *PSTORAGE_DEVICE_NUMBER;

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif
#ifndef MAX_PATH
#define MAX_PATH 260
#endif
#ifndef ANYSIZE_ARRAY
#define ANYSIZE_ARRAY 1
#endif

/* The host's own calling convention; symbols need no import attribute. */
#ifndef WINAPI
#define WINAPI
#endif
#ifndef DECLSPEC_IMPORT
#define DECLSPEC_IMPORT
#endif

/* System error codes that the functions of iscsidsc.h return beside those of iscsierr.h. */
#define ERROR_SUCCESS                0L
#define ERROR_FILE_NOT_FOUND         2L
#define ERROR_ACCESS_DENIED          5L
#define ERROR_NOT_ENOUGH_MEMORY      8L
#define ERROR_INVALID_DATA           13L
#define ERROR_WRITE_PROTECT          19L
#define ERROR_CRC                    23L
#define ERROR_GEN_FAILURE            31L
#define ERROR_SHARING_VIOLATION      32L
#define ERROR_LOCK_VIOLATION         33L
#define ERROR_NOT_SUPPORTED          50L
#define ERROR_BAD_NET_RESP           58L
#define ERROR_INVALID_PARAMETER      87L
#define ERROR_DISK_FULL              112L
#define ERROR_CALL_NOT_IMPLEMENTED   120L
#define ERROR_SEM_TIMEOUT            121L
#define ERROR_INSUFFICIENT_BUFFER    122L
#define ERROR_INVALID_NAME           123L
#define ERROR_BUSY                   170L
#define ERROR_MORE_DATA              234L
#define ERROR_OPERATION_ABORTED      995L
#define ERROR_NOACCESS               998L
#define ERROR_NO_UNICODE_TRANSLATION 1113L
#define ERROR_IO_DEVICE              1117L
#define ERROR_OLD_WIN_VERSION        1150L
#define ERROR_NOT_FOUND              1168L
#define ERROR_CANCELLED              1223L
#define ERROR_REVISION_MISMATCH      1306L
#define ERROR_INTERNAL_ERROR         1359L
#define ERROR_FILE_CORRUPT           1392L
#define ERROR_TIMEOUT                1460L
#define ERROR_BAD_CONFIGURATION      1610L

/* Socket errors, for the functions that talk to a server themselves. */
#define WSAEACCES                    10013L
#define WSAEADDRNOTAVAIL             10049L
#define WSAEAFNOSUPPORT              10047L
#define WSAENETUNREACH               10051L
#define WSAECONNABORTED              10053L
#define WSAECONNRESET                10054L
#define WSAETIMEDOUT                 10060L
#define WSAECONNREFUSED              10061L
#define WSAEHOSTUNREACH              10065L
#define WSAHOST_NOT_FOUND            11001L
#define WSATRY_AGAIN                 11002L

#endif
#endif
