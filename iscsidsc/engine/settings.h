/* What is set once for all initiators: the node name and the CHAP secret. */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include "engine/model.h"

/* The name set; else that of the platform's configuration; else Windows' default. Statuses of the
 * store. */
enum status settings_node_name(struct engine *engine, char out[ISCSI_NAME_MAX + 1]);
/* Windows' default: made from the name of the computer. */
void settings_default_node_name(char out[ISCSI_NAME_MAX + 1]);

/* What a target must answer with in mutual CHAP: 0 or 12 to 16 bytes. Statuses of the store. */
enum status settings_chap_secret(struct engine *engine, uint8_t out[16], size_t *length);

#endif
