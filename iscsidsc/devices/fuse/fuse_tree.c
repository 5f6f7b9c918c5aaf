#include "devices/fuse/fuse_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- who holds nodes --- */

fuse_ino_t fuse_inode_of(const struct fuse_tree *tree, const struct fuse_tree_node *node)
{
    return node == tree->root ? FUSE_ROOT_ID : (fuse_ino_t)(uintptr_t)node;
}

/* The kernel names what it was told of and has not forgotten. */
struct fuse_tree_node *fuse_node_of(fuse_req_t request, fuse_ino_t inode)
{
    struct fuse_tree *tree = fuse_req_userdata(request);

    return inode == FUSE_ROOT_ID ? tree->root : (struct fuse_tree_node *)(uintptr_t)inode;
}

static void free_node(struct fuse_tree *tree, struct fuse_tree_node *node)
{
    if (node->newer != NULL)
        node->newer->older = node->older;
    else
        tree->newest = node->older;
    if (node->older != NULL)
        node->older->newer = node->newer;
    while (node->handles != NULL)
        fuse_handle_free(node, node->handles);
    if (node->file.gone != NULL)
        node->file.gone(node->file.context);
    free(node->name);
    free(node->text);
    free(node);
}

static void free_unheld(struct fuse_tree *tree, struct fuse_tree_node *node)
{
    while (node != NULL && node->removed && node->lookups == 0 && node->holds == 0) {
        struct fuse_tree_node *parent = node->parent;

        free_node(tree, node);
        if (parent != NULL)
            parent->holds--;
        node = parent;
    }
}

void fuse_node_drop_lookups(struct fuse_tree *tree, struct fuse_tree_node *node, uint64_t count)
{
    node->lookups -= count < node->lookups ? count : node->lookups;
    free_unheld(tree, node);
}

void fuse_node_release(struct fuse_tree *tree, struct fuse_tree_node *node)
{
    node->holds--;
    free_unheld(tree, node);
}

/* --- the tree --- */

static struct fuse_tree_node *new_node(const char *name, const char *text, mode_t type)
{
    struct fuse_tree_node *node = calloc(1, sizeof *node);

    if (node == NULL)
        return NULL;
    node->name = strdup(name);
    node->text = text != NULL ? strdup(text) : NULL;
    node->type = type;
    node->made = time(NULL);
    if (node->name != NULL && (text == NULL || node->text != NULL))
        return node;
    free(node->name);
    free(node->text);
    free(node);
    return NULL;
}

static struct fuse_tree_node *child_of(const struct fuse_tree_node *parent, const char *name)
{
    struct fuse_tree_node *node = parent->first;

    while (node != NULL && strcmp(node->name, name) != 0)
        node = node->next;
    return node;
}

static struct fuse_tree_node *add(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                  const char *name, const char *text, mode_t type,
                                  const struct fuse_tree_file *file)
{
    struct fuse_tree_node *node = new_node(name, text, type);
    struct fuse_tree_node **last;

    if (node == NULL)
        return NULL;
    if (file != NULL)
        node->file = *file;
    pthread_mutex_lock(&tree->mutex);
    node->number = ++tree->numbers;
    node->older = tree->newest;
    if (node->older != NULL)
        node->older->newer = node;
    tree->newest = node;
    node->parent = parent != NULL ? parent : tree->root;
    if (node->parent != NULL) {
        last = &node->parent->first;
        while (*last != NULL)
            last = &(*last)->next;
        *last = node;
        node->parent->holds++;
        node->parent->made = node->made;
    }
    pthread_mutex_unlock(&tree->mutex);
    return node;
}

struct fuse_tree_node *fuse_tree_directory(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                           const char *name)
{
    return add(tree, parent, name, NULL, S_IFDIR, NULL);
}

struct fuse_tree_node *fuse_tree_link(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                      const char *name, const char *text)
{
    return add(tree, parent, name, text, S_IFLNK, NULL);
}

struct fuse_tree_node *fuse_tree_file(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                      const char *name, const struct fuse_tree_file *file)
{
    return fuse_tree_find(tree, parent, name) != NULL
               ? NULL
               : add(tree, parent, name, NULL, S_IFREG, file);
}

struct fuse_tree_node *fuse_tree_find(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                      const char *name)
{
    struct fuse_tree_node *node;

    pthread_mutex_lock(&tree->mutex);
    node = child_of(parent != NULL ? parent : tree->root, name);
    pthread_mutex_unlock(&tree->mutex);
    return node;
}

/* --- what goes and changes --- */

static void unlink_node(struct fuse_tree_node *node)
{
    struct fuse_tree_node **place = &node->parent->first;

    while (*place != node)
        place = &(*place)->next;
    *place = node->next;
    node->next = NULL;
    node->parent->made = time(NULL);
}

/* What is below a directory goes before it. */
static void remove_node(struct fuse_tree *tree, struct fuse_tree_node *node)
{
    while (node->first != NULL)
        remove_node(tree, node->first);
    unlink_node(node);
    node->removed = true;
    fuse_notice(tree, node);
    free_unheld(tree, node);
}

void fuse_tree_remove(struct fuse_tree *tree, struct fuse_tree_node *node)
{
    struct fuse_tree_node *parent;

    pthread_mutex_lock(&tree->mutex);
    do {
        parent = node->parent;
        remove_node(tree, node);
        node = parent;
    } while (node != tree->root && node->first == NULL);
    pthread_mutex_unlock(&tree->mutex);
}

void fuse_tree_change(struct fuse_tree *tree, struct fuse_tree_node *file, uint64_t size,
                      bool read_only)
{
    pthread_mutex_lock(&tree->mutex);
    file->file.size = size;
    file->file.read_only = read_only;
    fuse_notice(tree, file);
    pthread_mutex_unlock(&tree->mutex);
}

unsigned fuse_tree_users(struct fuse_tree *tree, struct fuse_tree_node *file)
{
    unsigned users;

    pthread_mutex_lock(&tree->mutex);
    users = file->users;
    pthread_mutex_unlock(&tree->mutex);
    return users;
}

/* --- the begin and the end --- */

struct fuse_tree *fuse_tree_new(const struct fuse_tree_rights *rights)
{
    struct fuse_tree *tree = calloc(1, sizeof *tree);

    if (tree == NULL)
        return NULL;
    pthread_mutex_init(&tree->mutex, NULL);
    pthread_cond_init(&tree->noticed, NULL);
    sem_init(&tree->finish, 0, 0);
    tree->rights =
        rights != NULL ? *rights : (struct fuse_tree_rights){getuid(), getgid(), S_IRUSR | S_IWUSR};
    tree->last_notice = &tree->notices;
    tree->root = add(tree, NULL, "", NULL, S_IFDIR, NULL);
    if (tree->root != NULL)
        return tree;
    fuse_tree_free(tree);
    return NULL;
}

void fuse_tree_free(struct fuse_tree *tree)
{
    if (tree == NULL)
        return;
    fuse_tree_stop(tree);
    while (tree->newest != NULL)
        free_node(tree, tree->newest);
    sem_destroy(&tree->finish);
    pthread_cond_destroy(&tree->noticed);
    pthread_mutex_destroy(&tree->mutex);
    free(tree);
}
