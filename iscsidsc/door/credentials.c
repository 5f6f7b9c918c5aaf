/* The files by which a client on loopback TCP finds the service and knows it. */
#include "door/handshake.h"
#include "os/crypto.h"
#include "os/system.h"

#include <stdio.h>
#include <string.h>

enum { KEY_TEXT = 2 * HANDSHAKE_KEY + 2, PORT_TEXT = 80 };

static void write_hex(const uint8_t *data, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        *out++ = digits[data[i] >> 4];
        *out++ = digits[data[i] & 15];
    }
    *out = '\0';
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly `length` bytes; returns what follows, NULL when it is not that. */
static const char *read_hex(const char *text, uint8_t *out, size_t length)
{
    for (size_t i = 0; i < length; i++, text += 2) {
        int high = digit_value(text[0]);
        int low = high >= 0 ? digit_value(text[1]) : -1;
        if (low < 0)
            return NULL;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return text;
}

/* --- the key --- */

static bool parse_key(const char *text, size_t length, uint8_t key[HANDSHAKE_KEY])
{
    const char *end = length == KEY_TEXT - 1 ? read_hex(text, key, HANDSHAKE_KEY) : NULL;
    return end != NULL && strcmp(end, "\n") == 0;
}

static void forget_text(char *text, size_t length)
{
    if (text != NULL)
        os_wipe(text, length);
    os_free(text);
}

static enum status publish_key(const struct door_credentials *credentials,
                               const struct os_place *place, uint32_t group)
{
    char path[OS_PATH_ROOM], text[KEY_TEXT];
    if (!os_place_path(place, ".key", path))
        return STATUS_STORE_FAILED;
    write_hex(credentials->key, sizeof credentials->key, text);
    strcat(text, "\n");
    enum status status = os_publish_file(path, text, group);
    os_wipe(text, sizeof text);
    return status;
}

/* A key that is there is kept: clients that have read it can go on. One that is damaged is
 * replaced. */
enum status door_credentials_make(struct door_credentials *credentials,
                                  const struct os_place *place)
{
    char path[OS_PATH_ROOM];
    char *text;
    size_t length;
    *credentials = (struct door_credentials){0};
    if (!os_place_path(place, ".key", path))
        return STATUS_STORE_FAILED;
    enum status status = os_read_own_file(path, &text, &length);
    if (status != STATUS_OK)
        return status;
    bool known = text != NULL && parse_key(text, length, credentials->key);
    forget_text(text, length);
    bool made = (known || os_random(credentials->key, sizeof credentials->key)) &&
                os_random(credentials->instance, sizeof credentials->instance);
    return made ? STATUS_OK : STATUS_INTERNAL;
}

/* --- the port --- */

enum status door_credentials_publish(const struct door_credentials *credentials,
                                     const struct os_place *place, uint32_t group)
{
    char path[OS_PATH_ROOM], instance[2 * HANDSHAKE_INSTANCE + 1], text[PORT_TEXT];
    if (!os_place_path(place, ".port", path))
        return STATUS_STORE_FAILED;
    enum status status = publish_key(credentials, place, group);
    if (status != STATUS_OK)
        return status;
    write_hex(credentials->instance, sizeof credentials->instance, instance);
    snprintf(text, sizeof text, "port %u\ninstance %s\n", credentials->port, instance);
    return os_publish_file(path, text, group);
}

void door_credentials_withdraw(const struct os_place *place)
{
    char path[OS_PATH_ROOM];
    if (os_place_path(place, ".port", path))
        os_remove_file(path);
}

static bool parse_port(const char *text, struct door_credentials *credentials)
{
    static const char before[] = "port ", between[] = "\ninstance ";
    uint32_t port = 0;
    if (strncmp(text, before, sizeof before - 1) != 0)
        return false;
    const char *at = text + sizeof before - 1;
    for (int i = 0; i < 5 && *at >= '0' && *at <= '9'; i++)
        port = port * 10 + (uint32_t)(*at++ - '0');
    if (port == 0 || port > UINT16_MAX || strncmp(at, between, sizeof between - 1) != 0)
        return false;
    credentials->port = (uint16_t)port;
    const char *end = read_hex(at + sizeof between - 1, credentials->instance, HANDSHAKE_INSTANCE);
    return end != NULL && strcmp(end, "\n") == 0;
}

/* --- both, for the client --- */

static enum status read_file(const struct os_place *place, const char *ending, char **text,
                             size_t *length)
{
    char path[OS_PATH_ROOM];
    *text = NULL;
    if (!os_place_path(place, ending, path))
        return STATUS_SERVICE_NOT_RUNNING;
    enum status status = os_read_file(path, text, length);
    if (status == STATUS_NO_MEMORY || status == STATUS_ACCESS_DENIED)
        return status;
    return *text != NULL ? STATUS_OK : STATUS_SERVICE_NOT_RUNNING;
}

enum status door_credentials_read(struct door_credentials *credentials,
                                  const struct os_place *place)
{
    char *text;
    size_t length;
    enum status status = read_file(place, ".port", &text, &length);
    if (status != STATUS_OK)
        return status;
    bool good = parse_port(text, credentials);
    os_free(text);
    if (!good)
        return STATUS_SERVICE_NOT_RUNNING;
    status = read_file(place, ".key", &text, &length);
    if (status != STATUS_OK)
        return status;
    good = parse_key(text, length, credentials->key);
    forget_text(text, length);
    return good ? STATUS_OK : STATUS_SERVICE_NOT_RUNNING;
}

void door_credentials_clear(struct door_credentials *credentials)
{
    os_wipe(credentials, sizeof *credentials);
}
