#include "devices/tree_texts.h"

#include <errno.h>
#include <string.h>

struct tree_source {
    void *of; /* for the engine's thread; NULL: gone */
    struct tree_queue *queue;
    atomic_uint holds;
};

/* Of a file. */
struct text {
    struct tree_source *source; /* held */
    tree_make *make;
    unsigned index;
    tree_take *take;
};

/* Part of a request of the file system. */
struct question {
    struct tree_call call;
    const struct text *text;
    const char *order;
    size_t length;
};

/* --- sources --- */

struct tree_source *tree_source_new(void *of, struct tree_queue *queue)
{
    struct tree_source *source = os_alloc(sizeof *source);
    if (source == NULL)
        return NULL;
    source->of = of;
    source->queue = queue;
    atomic_store(&source->holds, 1);
    return source;
}

static void release(struct tree_source *source)
{
    if (atomic_fetch_sub(&source->holds, 1) == 1)
        os_free(source);
}

void tree_source_end(struct tree_source *source)
{
    source->of = NULL;
    release(source);
}

/* --- on the engine's thread --- */

static int error_of(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return 0;
    case STATUS_NO_MEMORY:
        return ENOMEM;
    case STATUS_INVALID_PARAMETER:
    case STATUS_INVALID_ADDRESS:
        return EINVAL;
    case STATUS_SESSION_NOT_FOUND:
        return ENODEV;
    case STATUS_NO_PORTAL:
        return ENXIO;
    case STATUS_SESSION_BUSY:
        return EBUSY;
    default:
        return EIO;
    }
}

static void answer(struct tree_call *call)
{
    struct question *question = LIST_OWNER(call, struct question, call);
    struct fuse_tree_request *asked = fuse_tree_request_of(question);
    const struct text *text = question->text;
    struct os_arena arena = {0};
    const char *made = NULL;
    enum status status = STATUS_SESSION_NOT_FOUND;
    if (text->source->of != NULL)
        status = text->make(text->source->of, text->index, &arena, &made);
    if (status == STATUS_OK)
        fuse_tree_opened(asked, made, strlen(made));
    else
        fuse_tree_done(asked, error_of(status));
    os_arena_clear(&arena);
}

static void obey(struct tree_call *call)
{
    struct question *question = LIST_OWNER(call, struct question, call);
    const struct text *text = question->text;
    enum status status = STATUS_SESSION_NOT_FOUND;
    if (text->source->of != NULL)
        status = text->take(text->source->of, question->order, question->length);
    fuse_tree_done(fuse_tree_request_of(question), error_of(status));
}

/* --- on the threads of the file system --- */

static void ask(const struct text *text, void (*run)(struct tree_call *call), const char *order,
                size_t length, struct fuse_tree_request *asked)
{
    struct question *question = fuse_tree_own(asked);
    *question = (struct question){.call.run = run, .text = text, .order = order, .length = length};
    if (!tree_queue_push(text->source->queue, &question->call))
        fuse_tree_done(asked, ENODEV);
}

static void on_open(void *context, struct fuse_tree_request *asked)
{
    ask(context, answer, NULL, 0, asked);
}

static void on_write(void *context, uint64_t offset, const void *data, size_t length,
                     struct fuse_tree_request *asked)
{
    (void)offset;
    ask(context, obey, data, length, asked);
}

static void on_gone(void *context)
{
    struct text *text = context;
    release(text->source);
    os_free(text);
}

static bool add(struct fuse_tree *files, struct fuse_tree_node *parent, const char *name,
                const struct text *wanted, const struct fuse_tree_file *file)
{
    struct fuse_tree_file made = *file;
    struct text *text = os_copy(wanted, sizeof *wanted);
    if (text == NULL)
        return false;
    made.context = text;
    made.own = sizeof(struct question);
    made.gone = on_gone;
    atomic_fetch_add(&text->source->holds, 1);
    if (fuse_tree_file(files, parent, name, &made) != NULL)
        return true;
    on_gone(text);
    return false;
}

bool tree_text_add(struct fuse_tree *files, struct fuse_tree_node *parent, const char *name,
                   struct tree_source *source, tree_make *make, unsigned index)
{
    const struct text text = {.source = source, .make = make, .index = index};
    const struct fuse_tree_file file = {.read_only = true, .open = on_open};
    return add(files, parent, name, &text, &file);
}

bool tree_order_add(struct fuse_tree *files, struct fuse_tree_node *parent, const char *name,
                    struct tree_source *source, tree_take *take)
{
    const struct text text = {.source = source, .take = take};
    const struct fuse_tree_file file = {.takes = true, .write = on_write};
    return add(files, parent, name, &text, &file);
}
