/* iscsi.conf: any text is understood or refused, and no password that it sets is in what is told.
 */
#include "engine/configuration.h"
#include "os/memory.h"

#include <stdlib.h>
#include <string.h>

static char last[2048];

static void tell(void *context, bool warning, const char *text)
{
    (void)context;
    (void)warning;
    if (strlen(text) >= sizeof last || strncmp(text, "f:", 2) != 0)
        abort();
    strcpy(last, text);
}

static void look(const struct configuration *configuration, const char *address)
{
    const struct configuration_subject subject = {
        .target = "iqn.2026-11.org.example:a", .address = address, .discovery_address = address};
    struct scoped_parameters got;
    char value[PARAMETER_VALUE_ROOM];
    configuration_resolve(configuration, &subject, &got);
    for (int i = 0; i < SCOPED_COUNT; i++) {
        const struct scoped_info *info = &scoped_table[i];
        scoped_parameter_format(&got, (enum scoped_parameter)i, value);
        if (info->room > 0 && strlen((const char *)&got + info->offset) >= info->room)
            abort();
        if (info->kind == KIND_SECRET && value[0] != '\0' && strcmp(value, "(set)") != 0)
            abort();
        if ((got.origins[i].scope == SCOPE_DEFAULT) != (got.origins[i].line == 0))
            abort();
    }
    scoped_parameters_wipe(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct configuration_teller teller = {.tell = tell};
    struct configuration *configuration;
    char *text = os_alloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    last[0] = '\0';
    enum status status = configuration_parse(&configuration, text, "f", &teller);
    if (status == STATUS_CONFIGURATION && last[0] == '\0')
        abort(); /* refused without a word */
    if (status == STATUS_OK) {
        look(configuration, "10.0.0.1");
        look(configuration, "fd00::1");
        look(configuration, NULL);
    }
    configuration_free(configuration);
    os_free(text);
    return 0;
}
