/* Tells the kernel of what has changed behind its back. */
#include "devices/fuse/fuse_internal.h"

#include <stdlib.h>
#include <string.h>

void fuse_notice(struct fuse_tree *tree, struct fuse_tree_node *node)
{
    struct notice *notice;

    if (!tree->notifies || node->lookups == 0)
        return; /* nobody, or nothing that the kernel knows */
    notice = calloc(1, sizeof *notice);
    if (notice == NULL)
        return; /* it finds out when it asks for the name again */
    notice->node = node;
    node->holds++;
    *tree->last_notice = notice;
    tree->last_notice = &notice->next;
    pthread_cond_signal(&tree->noticed);
}

/* Without the mutex: the kernel waits for locks that requests hold, which need it. */
static void tell(struct fuse_tree *tree, const struct fuse_tree_node *node, bool removed)
{
    fuse_ino_t inode = fuse_inode_of(tree, node);
    fuse_ino_t parent = fuse_inode_of(tree, node->parent);
    size_t length = strlen(node->name);

    if (!removed)
        fuse_lowlevel_notify_inval_inode(tree->session, inode, 0, 0);
    else if (fuse_lowlevel_notify_delete(tree->session, parent, inode, node->name, length) != 0)
        fuse_lowlevel_notify_inval_entry(tree->session, parent, node->name, length);
}

static struct notice *take(struct fuse_tree *tree)
{
    struct notice *notice = tree->notices;

    tree->notices = notice->next;
    if (tree->notices == NULL)
        tree->last_notice = &tree->notices;
    return notice;
}

static void *run(void *argument)
{
    struct fuse_tree *tree = argument;

    pthread_mutex_lock(&tree->mutex);
    while (tree->notifies || tree->notices != NULL) {
        struct notice *notice;
        bool removed;

        if (tree->notices == NULL) {
            pthread_cond_wait(&tree->noticed, &tree->mutex);
            continue;
        }
        notice = take(tree);
        removed = notice->node->removed;
        pthread_mutex_unlock(&tree->mutex);
        tell(tree, notice->node, removed);
        pthread_mutex_lock(&tree->mutex);
        fuse_node_release(tree, notice->node);
        free(notice);
    }
    pthread_mutex_unlock(&tree->mutex);
    return NULL;
}

bool fuse_notifier_start(struct fuse_tree *tree)
{
    tree->notifies = true;
    if (pthread_create(&tree->notifier, NULL, run, tree) == 0)
        return true;
    tree->notifies = false;
    return false;
}

void fuse_notifier_stop(struct fuse_tree *tree)
{
    pthread_mutex_lock(&tree->mutex);
    if (!tree->notifies) {
        pthread_mutex_unlock(&tree->mutex);
        return;
    }
    tree->notifies = false;
    pthread_cond_signal(&tree->noticed);
    pthread_mutex_unlock(&tree->mutex);
    pthread_join(tree->notifier, NULL);
}
