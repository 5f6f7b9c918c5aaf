/* Files whose text is made on the engine's thread each time that they are opened, and files that
 * take orders there. */
#ifndef DEVICES_TREE_TEXTS_H
#define DEVICES_TREE_TEXTS_H

#include "devices/fuse/fuse_tree.h"
#include "devices/tree_queue.h"
#include "os/memory.h"

/* What texts are made of; shared by files. */
struct tree_source;
/* NULL: out of memory. */
struct tree_source *tree_source_new(void *of, struct tree_queue *queue);
/* On the engine's thread: that is gone. Files that there still are can be opened no more. */
void tree_source_end(struct tree_source *source);

/* The text; `index` tells which of the files it is. */
typedef enum status tree_make(void *of, unsigned index, struct os_arena *arena, const char **text);
/* What was written at once. */
typedef enum status tree_take(void *of, const char *text, size_t length);

/* `parent` NULL: the root. False: out of memory. */
bool tree_text_add(struct fuse_tree *files, struct fuse_tree_node *parent, const char *name,
                   struct tree_source *source, tree_make *make, unsigned index);
bool tree_order_add(struct fuse_tree *files, struct fuse_tree_node *parent, const char *name,
                    struct tree_source *source, tree_take *take);

#endif
