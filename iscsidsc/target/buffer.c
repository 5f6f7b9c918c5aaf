/* Shared bytes, and a stock of buffers so that a busy target does not allocate. */
#include "target/internal.h"

enum { POOL_BYTES = 4 << 20, POOL_NONE = TARGET_POOL_CLASSES }; /* kept of each class */

static const size_t class_sizes[TARGET_POOL_CLASSES] = {256, 4096, 16384, 65536, 262144};

static uint8_t class_of(size_t length)
{
    uint8_t class = 0;

    while (class < TARGET_POOL_CLASSES && class_sizes[class] < length)
        class ++;
    return class;
}

static struct target_buffer *take_free(struct target_pool *pool, uint8_t class)
{
    struct target_buffer *buffer = pool->free[class];

    if (buffer != NULL) {
        pool->free[class] = buffer->next;
        pool->count[class]--;
    }
    return buffer;
}

struct target_buffer *target_buffer_new(struct target_pool *pool, size_t length)
{
    uint8_t class = pool != NULL ? class_of(length) : POOL_NONE;
    size_t room = class < TARGET_POOL_CLASSES ? class_sizes[class] : length;
    struct target_buffer *buffer = class < TARGET_POOL_CLASSES ? take_free(pool, class) : NULL;

    if (buffer == NULL)
        buffer = os_grow(NULL, sizeof *buffer + room);
    if (buffer == NULL)
        return NULL;
    buffer->references = 1;
    buffer->pool_class = class;
    buffer->pool = pool;
    buffer->next = NULL;
    buffer->length = length;
    return buffer;
}

struct target_buffer *target_buffer_zeros(size_t length)
{
    struct target_buffer *buffer =
        length <= SIZE_MAX - sizeof *buffer ? os_alloc(sizeof *buffer + length) : NULL;

    if (buffer == NULL)
        return NULL;
    buffer->references = 1;
    buffer->pool_class = POOL_NONE;
    buffer->length = length;
    return buffer;
}

struct target_buffer *target_buffer_copy(struct target_pool *pool, const void *data, size_t length)
{
    struct target_buffer *buffer = target_buffer_new(pool, length);

    if (buffer != NULL && length > 0)
        memcpy(buffer->bytes, data, length);
    return buffer;
}

void target_buffer_release(struct target_buffer *buffer)
{
    struct target_pool *pool;
    uint8_t class;

    if (buffer == NULL || --buffer->references > 0)
        return;
    pool = buffer->pool;
    class = buffer->pool_class;
    if (OS_MEMORY_WATCHED || class >= TARGET_POOL_CLASSES ||
        pool->count[class] * class_sizes[class] >= POOL_BYTES) {
        os_free(buffer);
        return;
    }
    buffer->next = pool->free[class];
    pool->free[class] = buffer;
    pool->count[class]++;
}

void target_pool_clear(struct target_pool *pool)
{
    for (uint8_t class = 0; class < TARGET_POOL_CLASSES; class ++) {
        struct target_buffer *buffer;

        while ((buffer = take_free(pool, class)) != NULL)
            os_free(buffer);
    }
}

/* --- stocks --- */

enum { STOCK_MOST = 4096 };

void *target_stock_take(struct target_stock *stock, size_t size)
{
    void *block = stock->first;

    if (block == NULL)
        return os_alloc(size);
    memcpy(&stock->first, block, sizeof stock->first);
    stock->count--;
    return memset(block, 0, size);
}

void target_stock_put(struct target_stock *stock, void *block)
{
    if (OS_MEMORY_WATCHED || stock->count >= STOCK_MOST) {
        os_free(block);
        return;
    }
    memcpy(block, &stock->first, sizeof stock->first);
    stock->first = block;
    stock->count++;
}

void target_stock_clear(struct target_stock *stock)
{
    while (stock->first != NULL) {
        void *block = stock->first;

        memcpy(&stock->first, block, sizeof stock->first);
        os_free(block);
    }
    stock->count = 0;
}
