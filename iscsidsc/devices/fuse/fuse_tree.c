#define FUSE_USE_VERSION 34

#include "devices/fuse/fuse_tree.h"

#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ROOT = 0, BLOCK = 512, TIMEOUT = 3600, MAX_TRANSFER = 1 << 20 };

struct fuse_tree_node {
    struct fuse_tree_node *parent;
    char *name;
    char *text; /* of a link */
    mode_t type;
    struct fuse_tree_file file;
};

struct fuse_tree {
    struct fuse_tree_node **nodes; /* by inode number, from 1 on; the root is the first */
    size_t count;
    struct fuse_session *session;
    bool mounted;
    time_t made;
};

struct fuse_tree_request {
    fuse_req_t request;
    size_t length; /* that is written */
    void *copy;    /* of the data, which libfuse takes back */
};

/* --- the tree --- */

static struct fuse_tree_node *add(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                  const char *name, mode_t type)
{
    struct fuse_tree_node **nodes =
        realloc(tree->nodes, (tree->count + 1) * sizeof(struct fuse_tree_node *));
    struct fuse_tree_node *node = calloc(1, sizeof *node);

    if (nodes != NULL)
        tree->nodes = nodes;
    if (node != NULL)
        node->name = strdup(name);
    if (nodes == NULL || node == NULL || node->name == NULL) {
        free(node != NULL ? node->name : NULL);
        free(node);
        return NULL;
    }
    node->parent = parent != NULL || tree->count == 0 ? parent : tree->nodes[ROOT];
    node->type = type;
    tree->nodes[tree->count++] = node;
    return node;
}

struct fuse_tree *fuse_tree_new(void)
{
    struct fuse_tree *tree = calloc(1, sizeof *tree);

    if (tree == NULL)
        return NULL;
    tree->made = time(NULL);
    if (add(tree, NULL, "", S_IFDIR) != NULL)
        return tree;
    fuse_tree_free(tree);
    return NULL;
}

void fuse_tree_free(struct fuse_tree *tree)
{
    if (tree == NULL)
        return;
    if (tree->mounted)
        fuse_session_unmount(tree->session);
    if (tree->session != NULL)
        fuse_session_destroy(tree->session);
    for (size_t i = 0; i < tree->count; i++) {
        free(tree->nodes[i]->name);
        free(tree->nodes[i]->text);
        free(tree->nodes[i]);
    }
    free(tree->nodes);
    free(tree);
}

struct fuse_tree_node *fuse_tree_directory(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                           const char *name)
{
    return add(tree, parent, name, S_IFDIR);
}

bool fuse_tree_link(struct fuse_tree *tree, struct fuse_tree_node *parent, const char *name,
                    const char *text)
{
    struct fuse_tree_node *node = add(tree, parent, name, S_IFLNK);

    if (node != NULL)
        node->text = strdup(text);
    return node != NULL && node->text != NULL;
}

bool fuse_tree_file(struct fuse_tree *tree, struct fuse_tree_node *parent, const char *name,
                    const struct fuse_tree_file *file)
{
    struct fuse_tree_node *node = add(tree, parent, name, S_IFREG);

    if (node != NULL)
        node->file = *file;
    return node != NULL;
}

/* --- inodes --- */

static struct fuse_tree_node *node_of(fuse_req_t request, fuse_ino_t inode)
{
    struct fuse_tree *tree = fuse_req_userdata(request);

    return inode >= 1 && inode <= tree->count ? tree->nodes[inode - 1] : NULL;
}

static struct stat describe(const struct fuse_tree *tree, fuse_ino_t inode)
{
    const struct fuse_tree_node *node = tree->nodes[inode - 1];
    bool file = S_ISREG(node->type);
    mode_t rights = file ? (node->file.read_only ? 0400 : 0600) : S_ISLNK(node->type) ? 0777 : 0500;
    struct stat stat = {.st_ino = inode, .st_mode = node->type | rights, .st_nlink = file ? 1 : 2};

    stat.st_uid = getuid();
    stat.st_gid = getgid();
    stat.st_mtime = stat.st_ctime = stat.st_atime = tree->made;
    stat.st_blksize = 4096;
    if (file) {
        stat.st_size = (off_t)node->file.size;
        stat.st_blocks = (blkcnt_t)(node->file.size / BLOCK);
    } else if (node->text != NULL) {
        stat.st_size = (off_t)strlen(node->text);
    }
    return stat;
}

static void on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    struct fuse_tree *tree = fuse_req_userdata(request);
    const struct fuse_tree_node *directory = node_of(request, parent);

    for (fuse_ino_t inode = 2; inode <= tree->count; inode++) {
        const struct fuse_tree_node *node = tree->nodes[inode - 1];

        if (node->parent == directory && strcmp(node->name, name) == 0) {
            struct fuse_entry_param entry = {.ino = inode,
                                             .attr = describe(tree, inode),
                                             .attr_timeout = TIMEOUT,
                                             .entry_timeout = TIMEOUT};

            fuse_reply_entry(request, &entry);
            return;
        }
    }
    fuse_reply_err(request, ENOENT);
}

static void on_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
    struct stat stat;

    (void)info;
    if (node_of(request, inode) == NULL) {
        fuse_reply_err(request, ENOENT);
        return;
    }
    stat = describe(fuse_req_userdata(request), inode);
    fuse_reply_attr(request, &stat, TIMEOUT);
}

/* A disk has its size: cutting it off is heard and does nothing, as for block devices. */
static void on_setattr(fuse_req_t request, fuse_ino_t inode, struct stat *stat, int what,
                       struct fuse_file_info *info)
{
    (void)stat;
    if (what & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
        fuse_reply_err(request, EPERM);
    else
        on_getattr(request, inode, info);
}

static void on_readlink(fuse_req_t request, fuse_ino_t inode)
{
    const struct fuse_tree_node *node = node_of(request, inode);

    if (node == NULL || node->text == NULL)
        fuse_reply_err(request, EINVAL);
    else
        fuse_reply_readlink(request, node->text);
}

/* --- directories --- */

struct listing {
    fuse_req_t request;
    char *bytes;
    size_t length;
    size_t room;
    off_t next;
};

/* False: there is no more room. */
static bool list_one(struct listing *listing, const char *name, fuse_ino_t inode, mode_t type)
{
    struct stat stat = {.st_ino = inode, .st_mode = type};
    size_t left = listing->room - listing->length;
    size_t used = fuse_add_direntry(listing->request, listing->bytes + listing->length, left, name,
                                    &stat, ++listing->next);

    if (used > left)
        return false;
    listing->length += used;
    return true;
}

/* The offset of an entry is its number, from 1 on: 1 and 2 are the directory and its parent. */
static void on_readdir(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                       struct fuse_file_info *info)
{
    struct fuse_tree *tree = fuse_req_userdata(request);
    const struct fuse_tree_node *directory = node_of(request, inode);
    struct listing listing = {.request = request, .room = size, .next = offset};
    bool more = true;
    off_t number = 2;

    (void)info;
    listing.bytes = malloc(size);
    if (listing.bytes == NULL || directory == NULL) {
        fuse_reply_err(request, directory == NULL ? ENOENT : ENOMEM);
        free(listing.bytes);
        return;
    }
    if (offset < 1)
        more = list_one(&listing, ".", inode, S_IFDIR);
    if (more && offset < 2)
        more = list_one(&listing, "..", 1, S_IFDIR);
    for (fuse_ino_t child = 2; more && child <= tree->count; child++) {
        if (tree->nodes[child - 1]->parent == directory && ++number > offset)
            more = list_one(&listing, tree->nodes[child - 1]->name, child,
                            tree->nodes[child - 1]->type);
    }
    fuse_reply_buf(request, listing.bytes, listing.length);
    free(listing.bytes);
}

/* --- files --- */

static void on_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
    const struct fuse_tree_node *node = node_of(request, inode);

    if (node == NULL || !S_ISREG(node->type))
        fuse_reply_err(request, EISDIR);
    else if (node->file.read_only && (info->flags & O_ACCMODE) != O_RDONLY)
        fuse_reply_err(request, EROFS);
    else
        fuse_reply_open(request, info);
}

/* NULL: out of memory, and that was said. */
static struct fuse_tree_request *begin(fuse_req_t request, const void *data, size_t length)
{
    struct fuse_tree_request *made = calloc(1, sizeof *made);

    if (made != NULL && data != NULL) {
        made->copy = malloc(length);
        if (made->copy != NULL)
            memcpy(made->copy, data, length);
    }
    if (made == NULL || (data != NULL && made->copy == NULL)) {
        free(made);
        fuse_reply_err(request, ENOMEM);
        return NULL;
    }
    made->request = request;
    made->length = data != NULL ? length : 0;
    return made;
}

static void end(struct fuse_tree_request *request)
{
    free(request->copy);
    free(request);
}

void fuse_tree_data(struct fuse_tree_request *request, const void *data, size_t length)
{
    fuse_reply_buf(request->request, data, length);
    end(request);
}

void fuse_tree_done(struct fuse_tree_request *request, int error)
{
    if (error == 0 && request->length > 0)
        fuse_reply_write(request->request, request->length);
    else
        fuse_reply_err(request->request, error);
    end(request);
}

/* Cut to what is there. */
static size_t within(const struct fuse_tree_file *file, off_t offset, size_t length)
{
    uint64_t at = (uint64_t)offset;

    if (offset < 0 || at >= file->size)
        return 0;
    return length < file->size - at ? length : (size_t)(file->size - at);
}

static void on_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                    struct fuse_file_info *info)
{
    const struct fuse_tree_file *file = &node_of(request, inode)->file;
    size_t length = within(file, offset, size);
    struct fuse_tree_request *made;

    (void)info;
    if (length == 0) {
        fuse_reply_buf(request, NULL, 0);
        return;
    }
    made = begin(request, NULL, 0);
    if (made != NULL)
        file->read(file->context, (uint64_t)offset, length, made);
}

static void on_write(fuse_req_t request, fuse_ino_t inode, const char *data, size_t size,
                     off_t offset, struct fuse_file_info *info)
{
    const struct fuse_tree_file *file = &node_of(request, inode)->file;
    size_t length = within(file, offset, size);
    struct fuse_tree_request *made;

    (void)info;
    if (length == 0) {
        fuse_reply_err(request, size == 0 ? 0 : ENOSPC);
        return;
    }
    made = begin(request, data, length);
    if (made != NULL)
        file->write(file->context, (uint64_t)offset, made->copy, length, made);
}

static void on_fsync(fuse_req_t request, fuse_ino_t inode, int data_only,
                     struct fuse_file_info *info)
{
    const struct fuse_tree_file *file = &node_of(request, inode)->file;
    struct fuse_tree_request *made = begin(request, NULL, 0);

    (void)data_only;
    (void)info;
    if (made != NULL)
        file->flush(file->context, made);
}

static void on_init(void *userdata, struct fuse_conn_info *connection)
{
    (void)userdata;
    connection->max_write = MAX_TRANSFER;
}

static const struct fuse_lowlevel_ops operations = {
    .init = on_init,
    .lookup = on_lookup,
    .getattr = on_getattr,
    .setattr = on_setattr,
    .readlink = on_readlink,
    .readdir = on_readdir,
    .open = on_open,
    .read = on_read,
    .write = on_write,
    .fsync = on_fsync,
};

/* --- the mount --- */

int fuse_tree_mount(struct fuse_tree *tree, const char *mount_point, const char *name, bool others)
{
    char options[300];
    char *words[] = {(char *)(uintptr_t) "fuse", (char *)(uintptr_t) "-o", options, NULL};
    struct fuse_args arguments = FUSE_ARGS_INIT(3, words);

    snprintf(options, sizeof options, "default_permissions,nodev,nosuid,fsname=%.200s%s", name,
             others ? ",allow_other" : "");
    tree->session = fuse_session_new(&arguments, &operations, sizeof operations, tree);
    fuse_opt_free_args(&arguments);
    if (tree->session == NULL)
        return EINVAL;
    errno = 0;
    if (fuse_session_mount(tree->session, mount_point) != 0)
        return errno != 0 ? errno : EACCES;
    tree->mounted = true;
    return 0;
}

int fuse_tree_serve(struct fuse_tree *tree)
{
    struct fuse_loop_config config = {.clone_fd = 0, .max_idle_threads = 8};
    int error;

    if (fuse_set_signal_handlers(tree->session) != 0)
        return ENOMEM;
    error = fuse_session_loop_mt(tree->session, &config);
    fuse_remove_signal_handlers(tree->session);
    /* A signal is a way to end as good as any. */
    return error < 0 ? -error : 0;
}
