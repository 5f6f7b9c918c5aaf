#include "libiscsi_support.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <pthread.h>
#endif

void expect_result(int expected, int got, const char *call, int code, const char *error, int line)
{
    if (got != expected)
        fail_msg("line %d: %s: expected %d, got %d, errno %d: %s", line, call, expected, got, code,
                 error != NULL ? error : "no message");
}

/* --- threads --- */

struct thread {
    void (*run)(void *argument);
    void *argument;
#ifdef _WIN32
    HANDLE handle;
#else
    pthread_t handle;
#endif
};

#ifdef _WIN32
static DWORD WINAPI thread_main(void *argument)
{
    struct thread *thread = argument;

    thread->run(thread->argument);
    return 0;
}
#else
static void *thread_main(void *argument)
{
    struct thread *thread = argument;

    thread->run(thread->argument);
    return NULL;
}
#endif

struct thread *thread_start(void (*run)(void *argument), void *argument)
{
    struct thread *thread = calloc(1, sizeof *thread);

    assert_non_null(thread);
    thread->run = run;
    thread->argument = argument;
#ifdef _WIN32
    thread->handle = CreateThread(NULL, 0, thread_main, thread, 0, NULL);
    assert_non_null(thread->handle);
#else
    assert_int_equal(pthread_create(&thread->handle, NULL, thread_main, thread), 0);
#endif
    return thread;
}

void thread_join(struct thread *thread)
{
#ifdef _WIN32
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
#else
    pthread_join(thread->handle, NULL);
#endif
    free(thread);
}

/* --- files --- */

const char *test_path(const char *name)
{
    static char paths[4][1024];
    static unsigned next;
    char *path = paths[next++ % 4];
    const char *directory = getenv("TEST_DIR");

    assert_non_null(directory);
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

void write_file(const char *name, const char *text)
{
    FILE *file = fopen(test_path(name), "wb");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* --- targets and initiators --- */

void served_prepare(struct served *served, const char *targets)
{
    memset(served, 0x55, sizeof *served);
    assert_int_equal(iscsi_target_set_defaults(&served->target), 1);
    TARGET_DOES(1, &served->target, iscsi_target_setvar(&served->target, "targets", targets));
    TARGET_DOES(1, &served->target, iscsi_target_setvar(&served->target, "target port", "0"));
    TARGET_DOES(1, &served->target,
                iscsi_target_setvar(&served->target, "listen address", "127.0.0.1"));
}

static void serve(void *argument)
{
    struct served *served = argument;

    iscsi_target_listen(&served->target);
}

void served_start(struct served *served)
{
    TARGET_DOES(0, &served->target, iscsi_target_start(&served->target));
    snprintf(served->port, sizeof served->port, "%s",
             iscsi_target_getvar(&served->target, "target port"));
    served->thread = thread_start(serve, served);
}

void served_stop(struct served *served)
{
    assert_int_equal(iscsi_target_shutdown(&served->target), 0);
    thread_join(served->thread);
}

void prepare_initiator(iscsi_initiator_t *initiator, const struct served *served)
{
    memset(initiator, 0x55, sizeof *initiator);
    assert_int_equal(iscsi_initiator_set_defaults(initiator), 1);
    INITIATOR_DOES(1, initiator, iscsi_initiator_setvar(initiator, "target hostname", "127.0.0.1"));
    INITIATOR_DOES(1, initiator, iscsi_initiator_setvar(initiator, "target port", served->port));
}
