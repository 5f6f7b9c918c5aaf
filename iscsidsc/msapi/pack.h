/*
 * Builds what a function returns in a caller's buffer: arrays of structs first, then what they
 * point to. It grows as an image beside the buffer, with pointers as they will be in the buffer;
 * the buffer itself is written in one piece, and only if all of it fits. So neither its size nor
 * its alignment matters while the image is made.
 */
#ifndef MSAPI_PACK_H
#define MSAPI_PACK_H

#include "msapi/text.h"

#include "iscsidsc.h"

#include <stdint.h>

struct pack {
    uint8_t *image;
    size_t length;
    size_t room;
    void *buffer;       /* the caller's, may be NULL */
    enum status status; /* of the first failure; all that follows does nothing */
};

void pack_begin(struct pack *pack, void *buffer);

/* Zero-filled space; returns its offset. `align` is a power of two. */
size_t pack_space(struct pack *pack, size_t size, size_t align);
void pack_store(struct pack *pack, size_t offset, const void *data, size_t size);
/* Where the offset will be in the caller's buffer. */
void *pack_address(const struct pack *pack, size_t offset);

/* Append and return the address. No bytes: NULL. */
void *pack_bytes(struct pack *pack, const void *data, size_t length);
/* The whole text with its NUL. */
void *pack_text(struct pack *pack, enum text_form form, const char *utf8);

/*
 * Delivers and frees the image. `size` holds the room of the buffer in units of `unit` bytes,
 * ignored if the buffer is NULL; it becomes the size of the image, rounded up.
 * ERROR_INSUFFICIENT_BUFFER if it does not fit.
 */
ISDSC_STATUS pack_end(struct pack *pack, ULONG *size, size_t unit);

/* A whole string list in characters (2 for an empty one), from begin to end. */
struct text_list;
ISDSC_STATUS pack_text_list(enum text_form form, const struct text_list *list, ULONG *size,
                            void *buffer);

/* The user name goes into the image. The password stays behind: Password is NULL and its length 0,
 * though the bit that one is stored remains. */
struct login_options;
void pack_options(struct pack *pack, const struct login_options *options, ISCSI_LOGIN_OPTIONS *out);

#endif
