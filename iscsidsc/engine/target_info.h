/* What is known of one target. */
#ifndef ENGINE_TARGET_INFO_H
#define ENGINE_TARGET_INFO_H

#include "engine/model.h"

/* Answers get_target from what is in the catalogue and in the store. */
void target_info_answer(struct engine_call *call);

#endif
