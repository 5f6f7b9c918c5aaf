/* The DLL's entry point. Linked into the DLL only; programs and tests have none. */
#include <windows.h>

/*
 * Nothing is set up or torn down here: the loader lock is held, so nothing may wait, and
 * whatever the library needs is made by the first call that needs it.
 */
BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved)
{
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH)
        DisableThreadLibraryCalls(instance);
    return TRUE;
}
