/* The mount, the threads that serve it, and the buffers that they read into. */
#include "devices/fuse/fuse_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    SERVE_THREADS = 8, /* whose callbacks may block */
    /* The kernel's own is 12. */
    BACKGROUND_MOST = 128,
    BUFFERS_KEPT = 64,
    LOOK_EVERY = 1, /* seconds; at whether a signal came just before the wait */
};

struct buffer {
    struct buffer *next;
};

/* --- buffers --- */

void *fuse_buffer_take(struct fuse_tree *tree)
{
    struct buffer *buffer;

    pthread_mutex_lock(&tree->mutex);
    buffer = tree->buffers;
    if (buffer != NULL) {
        tree->buffers = buffer->next;
        tree->buffer_count--;
    }
    pthread_mutex_unlock(&tree->mutex);
    return buffer != NULL ? buffer : malloc(TRANSFER_ROOM);
}

void fuse_buffer_give(struct fuse_tree *tree, void *memory)
{
    struct buffer *buffer = memory;
    bool kept;

    if (buffer == NULL)
        return;
    pthread_mutex_lock(&tree->mutex);
    kept = tree->buffer_count < BUFFERS_KEPT;
    if (kept) {
        buffer->next = tree->buffers;
        tree->buffers = buffer;
        tree->buffer_count++;
    }
    pthread_mutex_unlock(&tree->mutex);
    if (!kept)
        free(buffer);
}

static void free_buffers(struct fuse_tree *tree)
{
    while (tree->buffers != NULL) {
        struct buffer *next = tree->buffers->next;

        free(tree->buffers);
        tree->buffers = next;
    }
    tree->buffer_count = 0;
}

/* --- where requests come from, and answers go to --- */

static _Thread_local struct worker *this_worker;
static _Thread_local int answer_fd = -1;

struct worker *fuse_worker(void)
{
    return this_worker;
}

void fuse_answer_by(int fd)
{
    answer_fd = fd;
}

/* The only place where a worker may be ended. */
static ssize_t on_receive(int fd, void *data, size_t length, void *context)
{
    ssize_t received;
    int error;

    (void)context;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    received = read(this_worker != NULL ? this_worker->fd : fd, data, length);
    error = errno;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    errno = error;
    return received;
}

/* A request is answered by the descriptor that it came from. */
static ssize_t on_send(int fd, struct iovec *pieces, int count, void *context)
{
    (void)context;
    if (answer_fd >= 0)
        fd = answer_fd;
    else if (this_worker != NULL)
        fd = this_worker->fd;
    return writev(fd, pieces, count);
}

/* --- the mount --- */

static void on_init(void *context, struct fuse_conn_info *connection)
{
    (void)context;
    connection->max_write = MAX_TRANSFER;
    connection->max_background = BACKGROUND_MOST;
    connection->congestion_threshold = BACKGROUND_MOST / 4 * 3;
    /* Cutting a disk off is nothing that the kernel may do by itself; and it is told of changes, so
     * that it need not look for them at every read. */
    connection->want &= ~(unsigned)(FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA);
}

static const struct fuse_lowlevel_ops operations = {
    .init = on_init,
    .lookup = fuse_on_lookup,
    .forget = fuse_on_forget,
    .forget_multi = fuse_on_forget_many,
    .getattr = fuse_on_getattr,
    .setattr = fuse_on_setattr,
    .readlink = fuse_on_readlink,
    .readdir = fuse_on_readdir,
    .open = fuse_on_open,
    .release = fuse_on_release,
    .read = fuse_on_read,
    .write = fuse_on_write,
    .fsync = fuse_on_fsync,
    .fallocate = fuse_on_fallocate,
};

static void on_log(enum fuse_log_level level, const char *format, va_list arguments)
{
    (void)level;
    (void)format;
    (void)arguments;
}

/* What goes wrong is told by the result, not on the standard error. */
static int mount_session(struct fuse_tree *tree, const char *mount_point)
{
    const struct fuse_custom_io io = {.read = on_receive, .writev = on_send};
    int error = 0;

    fuse_set_log_func(on_log);
    errno = 0;
    if (fuse_session_mount(tree->session, mount_point) != 0)
        error = errno != 0 ? errno : EACCES;
    else
        tree->mounted = true;
    if (error == 0)
        error = -fuse_session_custom_io(tree->session, &io, fuse_session_fd(tree->session));
    fuse_set_log_func(NULL);
    return error;
}

int fuse_tree_mount(struct fuse_tree *tree, const char *mount_point, const char *name, bool others)
{
    char options[300];
    char *words[] = {(char *)(uintptr_t) "fuse", (char *)(uintptr_t) "-o", options, NULL};
    struct fuse_args arguments = FUSE_ARGS_INIT(3, words);

    snprintf(options, sizeof options,
             "default_permissions,nodev,nosuid,fsname=%.100s,subtype=%.100s%s", name, name,
             others ? ",allow_other" : "");
    tree->session = fuse_session_new(&arguments, &operations, sizeof operations, tree);
    fuse_opt_free_args(&arguments);
    return tree->session != NULL ? mount_session(tree, mount_point) : EINVAL;
}

/* --- the threads --- */

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct fuse_tree *tree = worker->tree;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    this_worker = worker;
    while (!fuse_session_exited(tree->session)) {
        int received;

        if (worker->buffer.mem == NULL)
            worker->buffer.mem = fuse_buffer_take(tree);
        if (worker->buffer.mem == NULL) {
            usleep(1000); /* those that are under way will give one back */
            continue;
        }
        worker->buffer.size = TRANSFER_ROOM;
        received = fuse_session_receive_buf(tree->session, &worker->buffer);
        if (received == -EINTR || received == -EAGAIN)
            continue;
        if (received <= 0)
            break;
        fuse_session_process_buf(tree->session, &worker->buffer);
    }
    fuse_session_exit(tree->session);
    sem_post(&tree->finish);
    return NULL;
}

/* A queue of its own for each thread but the first. The session's descriptor is closed before they
 * end. */
static int new_descriptor(struct fuse_tree *tree)
{
    uint32_t session = (uint32_t)fuse_session_fd(tree->session);
    int fd = tree->worker_count > 0 ? open("/dev/fuse", O_RDWR | O_CLOEXEC) : -1;

    if (fd >= 0 && ioctl(fd, FUSE_DEV_IOC_CLONE, &session) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return fcntl((int)session, F_DUPFD_CLOEXEC, 0);
}

static bool start_worker(struct fuse_tree *tree)
{
    struct worker *worker = &tree->workers[tree->worker_count];

    *worker = (struct worker){.tree = tree, .fd = new_descriptor(tree)};
    if (worker->fd < 0)
        return false;
    if (pthread_create(&worker->thread, NULL, work, worker) == 0) {
        tree->worker_count++;
        return true;
    }
    close(worker->fd);
    return false;
}

/* Signals are for the program's own threads. */
static int start_threads(struct fuse_tree *tree, unsigned threads)
{
    sigset_t all, before;
    int error = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (tree->worker_count < threads && tree->worker_count < THREADS_MOST && start_worker(tree))
        ;
    if (tree->worker_count == 0 || !fuse_notifier_start(tree))
        error = ENOMEM;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* Once nobody reads any more and all descriptors are closed, the kernel gives up what it has. */
static void stop_threads(struct fuse_tree *tree)
{
    for (unsigned i = 0; i < tree->worker_count; i++)
        pthread_cancel(tree->workers[i].thread);
    for (unsigned i = 0; i < tree->worker_count; i++) {
        struct worker *worker = &tree->workers[i];

        pthread_join(worker->thread, NULL);
        free(worker->buffer.mem);
        close(worker->fd);
    }
    tree->worker_count = 0;
}

int fuse_tree_start(struct fuse_tree *tree, unsigned threads)
{
    int error = start_threads(tree, threads);

    if (error != 0)
        fuse_tree_stop(tree);
    return error;
}

void fuse_tree_stop(struct fuse_tree *tree)
{
    if (tree->session == NULL)
        return;
    fuse_notifier_stop(tree); /* while there is somebody who does what it may have to wait for */
    if (tree->mounted)
        fuse_session_unmount(tree->session);
    tree->mounted = false;
    stop_threads(tree);
    fuse_session_destroy(tree->session);
    tree->session = NULL;
    free_buffers(tree);
}

int fuse_tree_serve(struct fuse_tree *tree)
{
    int error;

    if (fuse_set_signal_handlers(tree->session) != 0)
        return ENOMEM;
    error = start_threads(tree, SERVE_THREADS);
    while (error == 0 && !fuse_session_exited(tree->session)) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOOK_EVERY;
        sem_timedwait(&tree->finish, &until);
    }
    fuse_remove_signal_handlers(tree->session);
    return error;
}
