/* What the file system says of its nodes: names, directories and attributes. */
#include "devices/fuse/fuse_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 512,
    /* Seconds that the kernel need not ask again for: it is told of other sizes. Names it looks up
     * each time, so that one that is gone is so at once. */
    ATTRIBUTES_LAST = 3600,
};

/* Who may read a directory may look into it. */
static mode_t directory_mode(mode_t mode)
{
    mode_t reads = mode & (S_IRUSR | S_IRGRP | S_IROTH);

    return reads | reads >> 2;
}

static mode_t mode_of(const struct fuse_tree *tree, const struct fuse_tree_node *node)
{
    mode_t writes = S_IWUSR | S_IWGRP | S_IWOTH;

    if (S_ISDIR(node->type))
        return S_IFDIR | directory_mode(tree->rights.mode);
    if (S_ISLNK(node->type))
        return S_IFLNK | 0777;
    return S_IFREG | (node->file.read_only ? tree->rights.mode & ~writes : tree->rights.mode);
}

/* With the mutex. */
static struct stat describe(const struct fuse_tree *tree, const struct fuse_tree_node *node)
{
    struct stat stat = {.st_ino = node->number, .st_nlink = S_ISDIR(node->type) ? 2 : 1};

    stat.st_mode = mode_of(tree, node);
    stat.st_uid = tree->rights.owner;
    stat.st_gid = tree->rights.group;
    stat.st_mtime = stat.st_ctime = stat.st_atime = node->made;
    stat.st_blksize = 4096;
    if (S_ISREG(node->type)) {
        stat.st_size = (off_t)node->file.size;
        stat.st_blocks = (blkcnt_t)(node->file.size / BLOCK);
    } else if (node->text != NULL) {
        stat.st_size = (off_t)strlen(node->text);
    }
    return stat;
}

void fuse_on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    struct fuse_tree *tree = fuse_req_userdata(request);
    struct fuse_tree_node *node;
    struct fuse_entry_param entry = {.attr_timeout = ATTRIBUTES_LAST};

    pthread_mutex_lock(&tree->mutex);
    node = fuse_node_of(request, parent)->first;
    while (node != NULL && strcmp(node->name, name) != 0)
        node = node->next;
    if (node != NULL) {
        entry.ino = fuse_inode_of(tree, node);
        entry.generation = node->number;
        entry.attr = describe(tree, node);
        node->lookups++;
    }
    pthread_mutex_unlock(&tree->mutex);
    if (node == NULL) {
        fuse_reply_err(request, ENOENT);
    } else if (fuse_reply_entry(request, &entry) != 0) {
        /* Whoever asked did not wait for it. */
        pthread_mutex_lock(&tree->mutex);
        fuse_node_drop_lookups(tree, node, 1);
        pthread_mutex_unlock(&tree->mutex);
    }
}

static void forget(struct fuse_tree *tree, fuse_req_t request, fuse_ino_t inode, uint64_t count)
{
    if (inode != FUSE_ROOT_ID)
        fuse_node_drop_lookups(tree, fuse_node_of(request, inode), count);
}

void fuse_on_forget(fuse_req_t request, fuse_ino_t inode, uint64_t count)
{
    struct fuse_tree *tree = fuse_req_userdata(request);

    pthread_mutex_lock(&tree->mutex);
    forget(tree, request, inode, count);
    pthread_mutex_unlock(&tree->mutex);
    fuse_reply_none(request);
}

void fuse_on_forget_many(fuse_req_t request, size_t count, struct fuse_forget_data *forgets)
{
    struct fuse_tree *tree = fuse_req_userdata(request);

    pthread_mutex_lock(&tree->mutex);
    for (size_t i = 0; i < count; i++)
        forget(tree, request, forgets[i].ino, forgets[i].nlookup);
    pthread_mutex_unlock(&tree->mutex);
    fuse_reply_none(request);
}

void fuse_on_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info)
{
    struct fuse_tree *tree = fuse_req_userdata(request);
    struct stat stat;

    (void)info;
    pthread_mutex_lock(&tree->mutex);
    stat = describe(tree, fuse_node_of(request, inode));
    pthread_mutex_unlock(&tree->mutex);
    fuse_reply_attr(request, &stat, ATTRIBUTES_LAST);
}

/* A disk has its size: cutting it off is heard and does nothing, as for block devices. */
void fuse_on_setattr(fuse_req_t request, fuse_ino_t inode, struct stat *stat, int what,
                     struct fuse_file_info *info)
{
    (void)stat;
    if (what & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
        fuse_reply_err(request, EPERM);
    else
        fuse_on_getattr(request, inode, info);
}

void fuse_on_readlink(fuse_req_t request, fuse_ino_t inode)
{
    const struct fuse_tree_node *node = fuse_node_of(request, inode);

    if (node->text == NULL)
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
};

/* `next`: the offset behind it. False: there is no more room. */
static bool list_one(struct listing *listing, const char *name, uint64_t number, mode_t type,
                     off_t next)
{
    struct stat stat = {.st_ino = number, .st_mode = type};
    size_t left = listing->room - listing->length;
    size_t used = fuse_add_direntry(listing->request, listing->bytes + listing->length, left, name,
                                    &stat, next);

    if (used > left)
        return false;
    listing->length += used;
    return true;
}

/* The offset behind a child is 2 + its number, which stays when others come and go. */
static void list_children(struct listing *listing, const struct fuse_tree_node *directory,
                          off_t offset)
{
    const struct fuse_tree_node *above = directory->parent != NULL ? directory->parent : directory;
    bool more = true;

    if (offset < 1)
        more = list_one(listing, ".", directory->number, S_IFDIR, 1);
    if (more && offset < 2)
        more = list_one(listing, "..", above->number, S_IFDIR, 2);
    for (const struct fuse_tree_node *node = directory->first; more && node != NULL;
         node = node->next) {
        off_t next = 2 + (off_t)node->number;

        if (next > offset)
            more = list_one(listing, node->name, node->number, node->type, next);
    }
}

void fuse_on_readdir(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                     struct fuse_file_info *info)
{
    struct fuse_tree *tree = fuse_req_userdata(request);
    struct listing listing = {.request = request, .room = size};

    (void)info;
    listing.bytes = malloc(size);
    if (listing.bytes == NULL) {
        fuse_reply_err(request, ENOMEM);
        return;
    }
    pthread_mutex_lock(&tree->mutex);
    list_children(&listing, fuse_node_of(request, inode), offset);
    pthread_mutex_unlock(&tree->mutex);
    fuse_reply_buf(request, listing.bytes, listing.length);
    free(listing.bytes);
}
