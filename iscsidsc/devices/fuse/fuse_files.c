/* What is done with the files that are open. */
#include "devices/fuse/fuse_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    /* Data of so many bytes are copied, and larger ones left in the buffer that they came in. */
    COPIED_MOST = 16384,
    ALIGNMENT = 16,
};

/* --- requests --- */

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

/* NULL: out of memory, and that was said. */
static struct fuse_tree_request *begin(fuse_req_t request, fuse_ino_t inode, size_t small)
{
    struct fuse_tree *tree = fuse_req_userdata(request);
    struct fuse_tree_node *node = fuse_node_of(request, inode);
    size_t own = aligned(node->file.own);
    struct fuse_tree_request *made = malloc(aligned(sizeof *made) + own + small);

    if (made == NULL) {
        fuse_reply_err(request, ENOMEM);
        return NULL;
    }
    *made = (struct fuse_tree_request){
        .request = request, .fd = fuse_worker()->fd, .tree = tree, .node = node};
    made->data = (char *)fuse_tree_own(made) + own;
    return made;
}

static void end(struct fuse_tree_request *request)
{
    if (request->large)
        fuse_buffer_give(request->tree, request->data);
    free(request);
}

void *fuse_tree_own(struct fuse_tree_request *request)
{
    return (char *)request + aligned(sizeof *request);
}

struct fuse_tree_request *fuse_tree_request_of(void *own)
{
    return (struct fuse_tree_request *)(void *)((char *)own -
                                                aligned(sizeof(struct fuse_tree_request)));
}

void *fuse_tree_room(struct fuse_tree_request *request)
{
    if (request->large && request->data == NULL)
        request->data = fuse_buffer_take(request->tree);
    return request->data;
}

/* --- opening --- */

static bool is_own_thread(pid_t thread)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/task/%ld", (long)thread);
    return access(path, F_OK) == 0;
}

/* Such as make loop devices in its stead. */
static bool is_own_child(pid_t child)
{
    char path[64], text[256];
    int file, parent;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)child);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    const char *name = strrchr(text, ')');
    return name != NULL && sscanf(name, ") %*c %d", &parent) == 1 && parent == getpid();
}

/* Handles of this process do not count as users: a loop device, for one. */
static bool is_own(pid_t opener)
{
    return is_own_thread(opener) || is_own_child(opener);
}

void fuse_handle_free(struct fuse_tree_node *node, struct handle *handle)
{
    struct handle **place = &node->handles;

    while (*place != handle)
        place = &(*place)->next;
    *place = handle->next;
    free(handle->text);
    free(handle);
}

/* With the mutex: as on_open has counted it. */
static void uncount(struct fuse_tree *tree, struct fuse_tree_node *node, struct handle *handle)
{
    node->users -= handle->others;
    node->writers -= handle->writes;
    fuse_handle_free(node, handle);
    fuse_node_release(tree, node);
}

/* 0, or why not. A node that was removed is one that the kernel still thought was there: it asks
 * again by the name. */
static int count(struct fuse_tree *tree, struct fuse_tree_node *node, struct handle *handle)
{
    int error = 0;

    pthread_mutex_lock(&tree->mutex);
    if (node->removed)
        error = ESTALE;
    else if (handle->writes && node->file.read_only)
        error = EROFS;
    if (error == 0) {
        handle->next = node->handles;
        node->handles = handle;
        node->holds++;
        node->users += handle->others;
        node->writers += handle->writes;
    }
    pthread_mutex_unlock(&tree->mutex);
    return error;
}

static void give_up(struct fuse_tree *tree, struct fuse_tree_node *node, struct handle *handle)
{
    pthread_mutex_lock(&tree->mutex);
    uncount(tree, node, handle);
    pthread_mutex_unlock(&tree->mutex);
}

/* --- answers --- */

void fuse_tree_data(struct fuse_tree_request *request, const void *data, size_t length)
{
    fuse_answer_by(request->fd);
    fuse_reply_buf(request->request, data, length);
    fuse_answer_by(-1);
    end(request);
}

void fuse_tree_done(struct fuse_tree_request *request, int error)
{
    struct handle *opened = (struct handle *)(uintptr_t)request->info.fh;

    if (opened != NULL)
        give_up(request->tree, request->node, opened);
    fuse_answer_by(request->fd);
    if (error == 0 && request->length > 0)
        fuse_reply_write(request->request, request->length);
    else
        fuse_reply_err(request->request, error);
    fuse_answer_by(-1);
    end(request);
}

void fuse_tree_opened(struct fuse_tree_request *request, const char *text, size_t length)
{
    struct handle *handle = (struct handle *)(uintptr_t)request->info.fh;
    int error = ENOMEM;

    handle->text = malloc(length > 0 ? length : 1);
    fuse_answer_by(request->fd);
    if (handle->text == NULL) {
        fuse_reply_err(request->request, ENOMEM);
    } else {
        memcpy(handle->text, text, length);
        handle->length = length;
        error = fuse_reply_open(request->request, &request->info);
    }
    fuse_answer_by(-1);
    if (error != 0)
        give_up(request->tree, request->node, handle);
    end(request);
}

/* The file makes its text, and answers. */
static void open_text(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
    struct fuse_tree_request *made = begin(request, inode, 0);
    struct handle *handle = (struct handle *)(uintptr_t)info->fh;

    if (made == NULL) {
        give_up(fuse_req_userdata(request), fuse_node_of(request, inode), handle);
        return;
    }
    made->info = *info;
    made->info.direct_io = 1; /* the text is longer than the size, which is 0 */
    made->node->file.open(made->node->file.context, made);
}

void fuse_on_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
    struct fuse_tree *tree = fuse_req_userdata(request);
    struct fuse_tree_node *node = fuse_node_of(request, inode);
    struct handle *handle = calloc(1, sizeof *handle);
    int error = handle == NULL ? ENOMEM : 0;

    if (error == 0) {
        handle->writes = (info->flags & O_ACCMODE) != O_RDONLY;
        handle->others = !is_own(fuse_req_ctx(request)->pid);
        error = count(tree, node, handle);
    }
    if (error != 0) {
        free(handle);
        fuse_reply_err(request, error);
        return;
    }
    info->fh = (uintptr_t)handle;
    info->noflush = 1; /* nothing is kept back that a close would have to bring out */
    info->direct_io = node->file.takes;
    if (node->file.open != NULL)
        open_text(request, inode, info);
    else if (fuse_reply_open(request, info) != 0)
        give_up(tree, node, handle);
}

void fuse_on_release(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
    struct fuse_tree *tree = fuse_req_userdata(request);
    struct fuse_tree_node *node = fuse_node_of(request, inode);
    struct handle *handle = (struct handle *)(uintptr_t)info->fh;
    bool closed;

    pthread_mutex_lock(&tree->mutex);
    closed = handle->writes && node->writers == 1 && !node->removed && node->file.closed != NULL;
    if (closed)
        node->holds++; /* until it has been told */
    uncount(tree, node, handle);
    pthread_mutex_unlock(&tree->mutex);
    fuse_reply_err(request, 0);
    if (!closed)
        return;
    node->file.closed(node->file.context);
    pthread_mutex_lock(&tree->mutex);
    fuse_node_release(tree, node);
    pthread_mutex_unlock(&tree->mutex);
}

/* --- reading and writing --- */

/* Cut to what is there. False: the file has gone. */
static bool within(struct fuse_tree *tree, struct fuse_tree_node *node, off_t offset,
                   uint64_t *length)
{
    uint64_t size;
    uint64_t at = (uint64_t)offset;
    bool there;

    pthread_mutex_lock(&tree->mutex);
    there = !node->removed;
    size = node->file.size;
    pthread_mutex_unlock(&tree->mutex);
    if (offset < 0 || at >= size)
        *length = 0;
    else if (*length > size - at)
        *length = size - at;
    return there;
}

static void read_text(fuse_req_t request, const struct handle *handle, size_t size, off_t offset)
{
    size_t at = offset < 0 || (uint64_t)offset > handle->length ? handle->length : (size_t)offset;
    size_t left = handle->length - at;

    fuse_reply_buf(request, handle->text + at, size < left ? size : left);
}

void fuse_on_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                  struct fuse_file_info *info)
{
    struct fuse_tree *tree = fuse_req_userdata(request);
    struct fuse_tree_node *node = fuse_node_of(request, inode);
    const struct handle *handle = (const struct handle *)(uintptr_t)info->fh;
    uint64_t length = size < MAX_TRANSFER ? size : MAX_TRANSFER;
    struct fuse_tree_request *made;

    if (handle->text != NULL) {
        read_text(request, handle, size, offset);
        return;
    }
    if (!within(tree, node, offset, &length) || length == 0 || node->file.read == NULL) {
        if (length == 0)
            fuse_reply_buf(request, NULL, 0);
        else
            fuse_reply_err(request, node->file.read == NULL ? EOPNOTSUPP : ENODEV);
        return;
    }
    made = begin(request, inode, length <= COPIED_MOST ? (size_t)length : 0);
    if (made == NULL)
        return;
    if (length > COPIED_MOST) {
        made->large = true;
        made->data = NULL; /* until it is asked for */
    }
    node->file.read(node->file.context, (uint64_t)offset, (size_t)length, made);
}

/* The buffer that it came in goes with the request, and the worker gets another one. */
static const void *keep_data(struct fuse_tree_request *request, const char *data, size_t length)
{
    struct fuse_buf *buffer = &fuse_worker()->buffer;

    if (length <= COPIED_MOST)
        return memcpy(request->data, data, length);
    request->large = true;
    request->data = buffer->mem;
    buffer->mem = NULL;
    return data;
}

void fuse_on_write(fuse_req_t request, fuse_ino_t inode, const char *data, size_t size,
                   off_t offset, struct fuse_file_info *info)
{
    struct fuse_tree *tree = fuse_req_userdata(request);
    struct fuse_tree_node *node = fuse_node_of(request, inode);
    uint64_t length = size;
    struct fuse_tree_request *made;
    int error = 0;

    (void)info;
    if (!within(tree, node, offset, &length))
        error = ENODEV;
    else if (node->file.write == NULL)
        error = EOPNOTSUPP;
    else if (node->file.takes)
        length = size;
    else if (length == 0)
        error = size == 0 ? 0 : ENOSPC;
    if (error != 0 || length == 0) {
        fuse_reply_err(request, error);
        return;
    }
    made = begin(request, inode, length <= COPIED_MOST ? (size_t)length : 0);
    if (made == NULL)
        return;
    made->length = (size_t)length;
    node->file.write(node->file.context, (uint64_t)offset, keep_data(made, data, (size_t)length),
                     (size_t)length, made);
}

void fuse_on_fsync(fuse_req_t request, fuse_ino_t inode, int data_only, struct fuse_file_info *info)
{
    struct fuse_tree_node *node = fuse_node_of(request, inode);
    uint64_t length = 0;
    struct fuse_tree_request *made;

    (void)data_only;
    (void)info;
    if (!within(fuse_req_userdata(request), node, 0, &length) || node->file.flush == NULL) {
        fuse_reply_err(request, node->file.flush == NULL ? 0 : ENODEV);
        return;
    }
    made = begin(request, inode, 0);
    if (made != NULL)
        node->file.flush(node->file.context, made);
}

/* A disk is as large as it is, and everything of it is there. */
static int zero_kind(int mode, enum fuse_tree_zero *kind)
{
    if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
        *kind = FUSE_TREE_FREE;
    else if ((mode & ~FALLOC_FL_KEEP_SIZE) == FALLOC_FL_ZERO_RANGE)
        *kind = FUSE_TREE_ZERO;
    else
        return EOPNOTSUPP;
    return 0;
}

void fuse_on_fallocate(fuse_req_t request, fuse_ino_t inode, int mode, off_t offset, off_t length,
                       struct fuse_file_info *info)
{
    struct fuse_tree_node *node = fuse_node_of(request, inode);
    uint64_t left = (uint64_t)length;
    enum fuse_tree_zero kind = FUSE_TREE_ZERO;
    int error = node->file.zero == NULL ? EOPNOTSUPP : zero_kind(mode, &kind);
    struct fuse_tree_request *made;

    (void)info;
    if (error == 0 && !within(fuse_req_userdata(request), node, offset, &left))
        error = ENODEV;
    if (error == 0 && left < (uint64_t)length && !(mode & FALLOC_FL_KEEP_SIZE))
        error = ENOSPC;
    if (error != 0 || left == 0) {
        fuse_reply_err(request, error);
        return;
    }
    made = begin(request, inode, 0);
    if (made != NULL)
        node->file.zero(node->file.context, (uint64_t)offset, left, kind, made);
}
