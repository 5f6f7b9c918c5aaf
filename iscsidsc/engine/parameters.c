#include "engine/parameters.h"

#include <string.h>

const struct parameter_info parameter_table[PARAMETERS_COUNT] = {
#define PARAMETER_ROW(name, member, least, most, standard)                                         \
    {#name, offsetof(struct parameters, member), false, least, most, standard},
#define TEXT_ROW(name, member) {#name, offsetof(struct parameters, member), true, 0, 0, 0},
    PARAMETERS(PARAMETER_ROW) TEXT_PARAMETERS(TEXT_ROW)
#undef PARAMETER_ROW
#undef TEXT_ROW
};

void parameters_default(struct parameters *parameters)
{
    memset(parameters, 0, sizeof *parameters);
    for (size_t i = 0; i < PARAMETERS_COUNT; i++) {
        const struct parameter_info *info = &parameter_table[i];
        if (!info->is_text)
            memcpy((char *)parameters + info->offset, &info->standard, sizeof info->standard);
    }
}
