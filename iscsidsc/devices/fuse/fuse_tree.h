/*
 * A file system in user space of directories, symbolic links and files whose bytes somebody else
 * has: libfuse3's low-level interface behind few calls. Nodes come and go while it is mounted.
 * Knows nothing of iSCSI. Linux only.
 */
#ifndef DEVICES_FUSE_FUSE_TREE_H
#define DEVICES_FUSE_FUSE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fuse_tree;
/* A directory, a link or a file; the tree's own. */
struct fuse_tree_node;

/* What a file waits for: to be answered once, by one of the calls below, from any thread. */
struct fuse_tree_request;
void fuse_tree_data(struct fuse_tree_request *request, const void *data, size_t length);
/* 0: done (all that was to be written is), else an errno. */
void fuse_tree_done(struct fuse_tree_request *request, int error);
/* Answers an `open`: what this handle reads from now on. Copied. */
void fuse_tree_opened(struct fuse_tree_request *request, const char *text, size_t length);
/* Room for the bytes that are to be read, until the answer. NULL: out of memory. */
void *fuse_tree_room(struct fuse_tree_request *request);
/* The file's own part of the request, until the answer: `own` bytes, not cleared. */
void *fuse_tree_own(struct fuse_tree_request *request);
struct fuse_tree_request *fuse_tree_request_of(void *own);

enum fuse_tree_zero {
    FUSE_TREE_ZERO, /* the bytes are to be zeros */
    FUSE_TREE_FREE, /* the same, and whoever has them may take their space back */
};

/* Callbacks come from several threads at a time, and may answer from inside or later. NULL: the
 * file cannot do it. */
struct fuse_tree_file {
    uint64_t size;
    bool read_only;
    size_t own; /* bytes of a request that are the file's */
    void *context;
    bool takes; /* what is written is taken as it comes, wherever in the file */
    /* A file without size whose text is made when it is opened. */
    void (*open)(void *context, struct fuse_tree_request *request);
    /* Within the size. The data to be written is good until the answer. */
    void (*read)(void *context, uint64_t offset, size_t length, struct fuse_tree_request *request);
    void (*write)(void *context, uint64_t offset, const void *data, size_t length,
                  struct fuse_tree_request *request);
    /* What was written lasts. */
    void (*flush)(void *context, struct fuse_tree_request *request);
    void (*zero)(void *context, uint64_t offset, uint64_t length, enum fuse_tree_zero kind,
                 struct fuse_tree_request *request);
    /* Nobody has it open any more who could have written to it. */
    void (*closed)(void *context);
    /* None of the others is called any more. May not call anything of the tree. */
    void (*gone)(void *context);
};

/* Who has what is in it. Directories can be looked into by those who may read. */
struct fuse_tree_rights {
    uid_t owner;
    gid_t group;
    mode_t mode; /* of files: read and write bits */
};

/* All that return pointers: NULL when out of memory. `rights` NULL: this process' user alone. */
struct fuse_tree *fuse_tree_new(const struct fuse_tree_rights *rights);
/* Stops it, too. Whatever was asked must have been answered. */
void fuse_tree_free(struct fuse_tree *tree);

/* `parent` NULL: the root. Names and texts are copied. From any thread. */
struct fuse_tree_node *fuse_tree_directory(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                           const char *name);
struct fuse_tree_node *fuse_tree_link(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                      const char *name, const char *text);
/* NULL also when there is something of that name. */
struct fuse_tree_node *fuse_tree_file(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                      const char *name, const struct fuse_tree_file *file);
/* The child of that name; NULL: there is none. */
struct fuse_tree_node *fuse_tree_find(struct fuse_tree *tree, struct fuse_tree_node *parent,
                                      const char *name);
/* With all that is below it, and the directories above it that are empty then. Who has it open is
 * told ENODEV from now on. The node must not be used any more. */
void fuse_tree_remove(struct fuse_tree *tree, struct fuse_tree_node *node);
/* The file has another size or may be written or not, and its bytes may be others. */
void fuse_tree_change(struct fuse_tree *tree, struct fuse_tree_node *file, uint64_t size,
                      bool read_only);
/* How often other processes have the file open. */
unsigned fuse_tree_users(struct fuse_tree *tree, struct fuse_tree_node *file);

/* 0, or an errno. `others`: users besides this one may look into it. */
int fuse_tree_mount(struct fuse_tree *tree, const char *mount_point, const char *name, bool others);
/* Serves until it is unmounted, by whomever, or a signal to end comes. 0, or an errno. */
int fuse_tree_serve(struct fuse_tree *tree);
/* Serves in threads of its own until fuse_tree_stop, which unmounts it. 0, or an errno. */
int fuse_tree_start(struct fuse_tree *tree, unsigned threads);
void fuse_tree_stop(struct fuse_tree *tree);

#endif
