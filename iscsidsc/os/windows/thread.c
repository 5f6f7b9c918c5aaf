#include "os/thread.h"
#include "os/memory.h"

#include <stdatomic.h>
#include <windows.h>

struct os_mutex {
    SRWLOCK native;
};

struct os_condition {
    CONDITION_VARIABLE native;
};

struct os_thread {
    void (*run)(void *argument);
    void *argument;
    HANDLE native;
    atomic_uintptr_t id; /* set by the thread itself */
};

struct os_mutex *os_mutex_new(void)
{
    struct os_mutex *mutex = os_alloc(sizeof *mutex);
    if (mutex != NULL)
        InitializeSRWLock(&mutex->native);
    return mutex;
}

void os_mutex_free(struct os_mutex *mutex)
{
    os_free(mutex);
}

void os_mutex_lock(struct os_mutex *mutex)
{
    AcquireSRWLockExclusive(&mutex->native);
}

void os_mutex_unlock(struct os_mutex *mutex)
{
    ReleaseSRWLockExclusive(&mutex->native);
}

static SRWLOCK *native_lock(struct os_lock *lock)
{
    _Static_assert(sizeof(SRWLOCK) <= sizeof lock->native, "an os_lock holds an SRWLOCK");
    return (SRWLOCK *)(void *)lock->native;
}

void os_lock_take(struct os_lock *lock)
{
    AcquireSRWLockExclusive(native_lock(lock));
}

void os_lock_release(struct os_lock *lock)
{
    ReleaseSRWLockExclusive(native_lock(lock));
}

struct os_condition *os_condition_new(void)
{
    struct os_condition *condition = os_alloc(sizeof *condition);
    if (condition != NULL)
        InitializeConditionVariable(&condition->native);
    return condition;
}

void os_condition_free(struct os_condition *condition)
{
    os_free(condition);
}

void os_condition_wait(struct os_condition *condition, struct os_mutex *mutex)
{
    SleepConditionVariableSRW(&condition->native, &mutex->native, INFINITE, 0);
}

bool os_condition_wait_until(struct os_condition *condition, struct os_mutex *mutex, uint64_t due)
{
    if (due == OS_NEVER) {
        os_condition_wait(condition, mutex);
        return true;
    }
    /* Windows' timer ticks coarser than our clock: it may be early. */
    for (uint64_t now = os_now(); now < due; now = os_now()) {
        DWORD left = due - now < INFINITE - 1 ? (DWORD)(due - now) : INFINITE - 1;
        if (SleepConditionVariableSRW(&condition->native, &mutex->native, left, 0))
            return true;
    }
    return false;
}

void os_condition_signal(struct os_condition *condition)
{
    WakeConditionVariable(&condition->native);
}

void os_condition_broadcast(struct os_condition *condition)
{
    WakeAllConditionVariable(&condition->native);
}

uintptr_t os_thread_id(void)
{
    return GetCurrentThreadId();
}

void os_thread_yield(void)
{
    SwitchToThread();
}

static DWORD WINAPI thread_main(void *argument)
{
    struct os_thread *thread = argument;
    atomic_store(&thread->id, os_thread_id());
    thread->run(thread->argument);
    return 0;
}

static DWORD WINAPI detached_main(void *argument)
{
    struct os_thread *thread = argument;
    thread->run(thread->argument);
    os_free(thread);
    return 0;
}

static struct os_thread *thread_new(void (*run)(void *), void *argument)
{
    struct os_thread *thread = os_alloc(sizeof *thread);
    if (thread != NULL) {
        thread->run = run;
        thread->argument = argument;
    }
    return thread;
}

struct os_thread *os_thread_start(void (*run)(void *argument), void *argument)
{
    struct os_thread *thread = thread_new(run, argument);
    if (thread == NULL)
        return NULL;
    thread->native = CreateThread(NULL, 0, thread_main, thread, 0, NULL);
    if (thread->native == NULL) {
        os_free(thread);
        return NULL;
    }
    return thread;
}

bool os_thread_start_detached(void (*run)(void *argument), void *argument)
{
    struct os_thread *thread = thread_new(run, argument);
    HANDLE native = thread != NULL ? CreateThread(NULL, 0, detached_main, thread, 0, NULL) : NULL;
    if (native == NULL) {
        os_free(thread);
        return false;
    }
    CloseHandle(native);
    return true;
}

void os_thread_join(struct os_thread *thread)
{
    if (thread == NULL)
        return;
    WaitForSingleObject(thread->native, INFINITE);
    CloseHandle(thread->native);
    os_free(thread);
}

bool os_thread_is_current(const struct os_thread *thread)
{
    return atomic_load(&thread->id) == os_thread_id();
}

static BOOL CALLBACK run_once(PINIT_ONCE once, void *init, void **context)
{
    (void)once;
    (void)context;
    (*(void (**)(void))init)();
    return TRUE;
}

void os_once(struct os_once *once, void (*init)(void))
{
    _Static_assert(sizeof(INIT_ONCE) == sizeof once->state, "an os_once is an INIT_ONCE");
    /* A pointer to the function, not the function, passes through the void pointer. */
    InitOnceExecuteOnce((INIT_ONCE *)(void *)&once->state, run_once, (void *)&init, NULL);
}

uint64_t os_now_us(void)
{
    LARGE_INTEGER frequency, counter;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&counter);
    uint64_t rate = (uint64_t)frequency.QuadPart;
    uint64_t ticks = (uint64_t)counter.QuadPart;
    return ticks / rate * 1000000u + ticks % rate * 1000000u / rate;
}

uint64_t os_now(void)
{
    return os_now_us() / 1000u;
}

/* GetThreadTimes counts ticks of many milliseconds. */
uint64_t os_thread_time_us(void)
{
    return 0;
}

/* FILETIME counts 100 ns from 1601. */
uint64_t os_time(void)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    uint64_t ticks = (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
    return ticks / 10000u - UINT64_C(11644473600000);
}

void os_pin_library(void)
{
    static const char here;
    HMODULE module;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                       (const wchar_t *)(const void *)&here, &module);
}

/* Windows has no cancellation that a thread could ward off. */
int os_thread_cancel_off(void)
{
    return 0;
}

void os_thread_cancel_restore(int state)
{
    (void)state;
}
