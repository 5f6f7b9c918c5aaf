/* What the files of the file system share. */
#ifndef DEVICES_FUSE_FUSE_INTERNAL_H
#define DEVICES_FUSE_FUSE_INTERNAL_H

#define FUSE_USE_VERSION 34

#include "devices/fuse/fuse_tree.h"

#include <fuse3/fuse_lowlevel.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <time.h>

enum {
    MAX_TRANSFER = 1 << 20,
    TRANSFER_ROOM = MAX_TRANSFER + 4096, /* with what the kernel puts before the data */
    THREADS_MOST = 16,
};

/*
 * Freed when it was removed and nobody holds it: neither the kernel, which names it by its address,
 * nor an open handle, nor a notice.
 */
struct fuse_tree_node {
    struct fuse_tree_node *parent; /* held */
    struct fuse_tree_node *next;   /* of the same directory, in the order of their numbers */
    struct fuse_tree_node *first;  /* below it */
    struct fuse_tree_node *older;  /* of all that there are */
    struct fuse_tree_node *newer;
    char *name;
    char *text; /* of a link */
    mode_t type;
    uint64_t number; /* given once */
    struct fuse_tree_file file;
    uint64_t lookups; /* by the kernel */
    unsigned holds;
    unsigned users;   /* handles of other processes */
    unsigned writers; /* handles that can write */
    struct handle *handles;
    time_t made;
    bool removed;
};

/* An open file. */
struct handle {
    struct handle *next; /* of the same node */
    bool others;         /* another process opened it */
    bool writes;
    size_t length;
    char *text; /* of a file that makes one */
};

struct notice {
    struct notice *next;
    struct fuse_tree_node *node; /* held, and by it its parent */
};

struct worker {
    struct fuse_tree *tree;
    pthread_t thread;
    int fd; /* of its own, or the session's */
    struct fuse_buf buffer;
};

struct fuse_tree {
    struct fuse_tree_rights rights;
    struct fuse_tree_node *root;
    struct fuse_tree_node *newest; /* of all nodes, those that were removed included */
    uint64_t numbers;
    pthread_mutex_t mutex; /* for all of the nodes, but for what never changes of them */

    struct fuse_session *session;
    bool mounted;
    struct worker workers[THREADS_MOST];
    unsigned worker_count;
    sem_t finish; /* a worker has ended by itself */

    /* The kernel is told by a thread of its own: it may have to wait for a request that is under
     * way, whose answer must not wait for that thread. */
    pthread_t notifier;
    bool notifies;
    pthread_cond_t noticed;
    struct notice *notices;
    struct notice **last_notice;

    struct buffer *buffers; /* that are free */
    unsigned buffer_count;
};

struct fuse_tree_request {
    fuse_req_t request;
    int fd; /* that it came by, and is answered by */
    struct fuse_tree *tree;
    struct fuse_tree_node *node;
    struct fuse_file_info info; /* of an `open` */
    size_t length;              /* that is written */
    void *data;
    bool large; /* `data` is a buffer, else it is part of this */
};

/* --- fuse_tree.c --- */

struct fuse_tree_node *fuse_node_of(fuse_req_t request, fuse_ino_t inode);
fuse_ino_t fuse_inode_of(const struct fuse_tree *tree, const struct fuse_tree_node *node);
/* With the mutex. */
void fuse_node_drop_lookups(struct fuse_tree *tree, struct fuse_tree_node *node, uint64_t count);
void fuse_node_release(struct fuse_tree *tree, struct fuse_tree_node *node);
/* fuse_files.c; with the mutex. */
void fuse_handle_free(struct fuse_tree_node *node, struct handle *handle);

/* --- fuse_names.c: directories and what is told of files --- */

void fuse_on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name);
void fuse_on_forget(fuse_req_t request, fuse_ino_t inode, uint64_t count);
void fuse_on_forget_many(fuse_req_t request, size_t count, struct fuse_forget_data *forgets);
void fuse_on_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info);
void fuse_on_setattr(fuse_req_t request, fuse_ino_t inode, struct stat *stat, int what,
                     struct fuse_file_info *info);
void fuse_on_readlink(fuse_req_t request, fuse_ino_t inode);
void fuse_on_readdir(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                     struct fuse_file_info *info);

/* --- fuse_files.c: what is done with open files --- */

void fuse_on_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info);
void fuse_on_release(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *info);
void fuse_on_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                  struct fuse_file_info *info);
void fuse_on_write(fuse_req_t request, fuse_ino_t inode, const char *data, size_t size,
                   off_t offset, struct fuse_file_info *info);
void fuse_on_fsync(fuse_req_t request, fuse_ino_t inode, int data_only,
                   struct fuse_file_info *info);
void fuse_on_fallocate(fuse_req_t request, fuse_ino_t inode, int mode, off_t offset, off_t length,
                       struct fuse_file_info *info);

/* --- fuse_serve.c --- */

/* The thread that calls is one of them; NULL: it is not. */
struct worker *fuse_worker(void);
/* What is answered by this thread from now on goes there; -1: where the worker's requests come
 * from. */
void fuse_answer_by(int fd);
/* Of TRANSFER_ROOM bytes. */
void *fuse_buffer_take(struct fuse_tree *tree);
void fuse_buffer_give(struct fuse_tree *tree, void *buffer);

/* --- fuse_notify.c --- */

/* With the mutex: the kernel is to be told that the node is gone, or has changed. */
void fuse_notice(struct fuse_tree *tree, struct fuse_tree_node *node);
bool fuse_notifier_start(struct fuse_tree *tree);
/* Without the mutex. */
void fuse_notifier_stop(struct fuse_tree *tree);

#endif
