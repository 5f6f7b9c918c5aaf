#include <stddef.h>

#include "iscsidsc.h"
#include "msapi/messages.h"

static const struct {
    ISDSC_STATUS status;
    const char *text;
} messages[] = {
#define MESSAGE(symbol, text) {(ISDSC_STATUS)(symbol), text},
    ISDSC_MESSAGES(MESSAGE) SYSTEM_MESSAGES(MESSAGE)
#undef MESSAGE
};

const char *GetIScsiStatusText(ISDSC_STATUS status)
{
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        if (messages[i].status == status)
            return messages[i].text;
    return "There is no text for this status.";
}
