/* What is wrong with a parameter whatever object it is for: the last column of functions.h. */
#ifndef IMA_CHECKS_H
#define IMA_CHECKS_H

#include "ima.h"

#include <stdbool.h>

bool ima_is_bool(IMA_BOOL value);
/* A type that there is. */
bool ima_is_object_type(IMA_OBJECT_TYPE type);
bool ima_is_image_type(IMA_PHBA_DOWNLOAD_IMAGE_TYPE type);
/* An authentication method that has parameters. */
bool ima_has_parameters(IMA_AUTHMETHOD method);

/* Not of zeros, and of a family that there is. */
bool ima_is_ip_address(const IMA_IP_ADDRESS *address);
bool ima_is_host(const IMA_HOST_ID *host);
bool ima_is_target_address(const IMA_TARGET_ADDRESS *address);
bool ima_is_static_target(const IMA_STATIC_DISCOVERY_TARGET *target);
/* Both may be NULL. */
bool ima_is_dns_pair(const IMA_IP_ADDRESS *primary, const IMA_IP_ADDRESS *alternate);
bool ima_is_isns_choice(IMA_BOOL enable, IMA_ISNS_DISCOVERY_METHOD method, const IMA_HOST_ID *host);

/* Room for a list of methods: none, if there is no list. */
bool ima_is_method_room(const IMA_UINT *count, const IMA_AUTHMETHOD *list);
/* Methods to be set: at least one, none twice. */
bool ima_is_method_list(IMA_UINT count, const IMA_AUTHMETHOD *list);

/* Buffers with lengths. */
bool ima_is_room(const IMA_BYTE *buffer, const IMA_UINT *length);
bool ima_is_sense_room(const IMA_BYTE *buffer, const IMA_UINT *length);
bool ima_is_ioctl(const void *input, IMA_UINT input_length, const void *output,
                  const IMA_UINT *output_length);

#endif
