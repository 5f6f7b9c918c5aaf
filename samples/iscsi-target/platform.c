#include "platform.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static struct {
    void (*end)(void *argument);
    void *argument;
} at_end;

int platform_option(int argc, char **argv, const char *letters)
{
    return getopt(argc, argv, letters);
}

const char *platform_argument(void)
{
    return optarg;
}

#ifdef _WIN32
#include <windows.h>

static HANDLE told, ended;

bool platform_daemon(void)
{
    return true;
}

static BOOL WINAPI console_told(DWORD event)
{
    (void)event;
    SetEvent(told);
    return TRUE;
}

static DWORD WINAPI end_thread(void *unused)
{
    (void)unused;
    WaitForSingleObject(told, INFINITE);
    at_end.end(at_end.argument);
    SetEvent(ended);
    return 0;
}

bool platform_at_end(void (*end)(void *argument), void *argument)
{
    at_end.end = end;
    at_end.argument = argument;
    told = CreateEventW(NULL, TRUE, FALSE, NULL);
    ended = CreateEventW(NULL, TRUE, FALSE, NULL);
    return told != NULL && ended != NULL && SetConsoleCtrlHandler(console_told, TRUE) &&
           CreateThread(NULL, 0, end_thread, NULL, 0, NULL) != NULL;
}

void platform_wait_for_end(void)
{
    WaitForSingleObject(ended, INFINITE);
}

#else
#include <pthread.h>

static pthread_t thread;

bool platform_daemon(void)
{
    return daemon(0, 0) == 0;
}

static void *end_thread(void *unused)
{
    sigset_t signals;
    int number;

    (void)unused;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigwait(&signals, &number);
    at_end.end(at_end.argument);
    return NULL;
}

/* Signals are for the thread that waits for them: nothing may be shut down in a handler. */
bool platform_at_end(void (*end)(void *argument), void *argument)
{
    sigset_t signals;

    at_end.end = end;
    at_end.argument = argument;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0 &&
           pthread_create(&thread, NULL, end_thread, NULL) == 0;
}

void platform_wait_for_end(void)
{
    pthread_join(thread, NULL);
}
#endif
