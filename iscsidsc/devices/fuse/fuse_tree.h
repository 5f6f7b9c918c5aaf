/*
 * A file system in user space of directories, symbolic links and files whose bytes somebody else
 * has: libfuse3's low-level interface behind few calls. Knows nothing of iSCSI. Linux only.
 */
#ifndef DEVICES_FUSE_FUSE_TREE_H
#define DEVICES_FUSE_FUSE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuse_tree;
/* A directory; the tree's own. */
struct fuse_tree_node;

/* What a file waits for: to be answered once, by one of the two calls, from any thread. */
struct fuse_tree_request;
void fuse_tree_data(struct fuse_tree_request *request, const void *data, size_t length);
/* 0: done (all that was to be written is), else an errno. */
void fuse_tree_done(struct fuse_tree_request *request, int error);

/* Callbacks come from several threads at a time, and may answer from inside or later. */
struct fuse_tree_file {
    uint64_t size;
    bool read_only;
    void *context;
    /* Within the size. The data to be written is good until the answer. */
    void (*read)(void *context, uint64_t offset, size_t length, struct fuse_tree_request *request);
    void (*write)(void *context, uint64_t offset, const void *data, size_t length,
                  struct fuse_tree_request *request);
    /* What was written lasts. */
    void (*flush)(void *context, struct fuse_tree_request *request);
};

/* All that return pointers: NULL when out of memory. */
struct fuse_tree *fuse_tree_new(void);
void fuse_tree_free(struct fuse_tree *tree);
/* Before it is mounted. `parent` NULL: the root. Names and texts are copied. */
struct fuse_tree_node *fuse_tree_directory(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                           const char *name);
bool fuse_tree_link(struct fuse_tree *tree, struct fuse_tree_node *parent, const char *name,
                    const char *text);
bool fuse_tree_file(struct fuse_tree *tree, struct fuse_tree_node *parent, const char *name,
                    const struct fuse_tree_file *file);

/* 0, or an errno. `others`: users besides this one may look into it. */
int fuse_tree_mount(struct fuse_tree *tree, const char *mount_point, const char *name, bool others);
/* Serves until it is unmounted, by whomever, or a signal to end comes. 0, or an errno. */
int fuse_tree_serve(struct fuse_tree *tree);

#endif
