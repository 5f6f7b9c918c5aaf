/* What is done to objects. */
#include "imatool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- discovery addresses and static targets --- */

static int add_address(int count, char **arguments)
{
    IMA_TARGET_ADDRESS address;
    IMA_OID parent, made;
    char name[2200];
    if (!parse_target_address(arguments[0], &address))
        return EXIT_USAGE;
    if (!find_object(count > 1 ? arguments[1] : "lhba", &parent))
        return EXIT_FAILED;
    IMA_STATUS status = IMA_AddDiscoveryAddress(parent, address, &made);
    if (IMA_SUCCESS(status)) {
        object_name(made, 0, name, sizeof name);
        puts(name);
    }
    return finish(arguments[0], status);
}

/* HOST:PORT,TAG */
static bool parse_static_address(char *text, IMA_STATIC_DISCOVERY_TARGET *out)
{
    unsigned long tag = 0;
    char *comma = strrchr(text, ',');
    if (comma != NULL) {
        *comma = '\0';
        out->portalGroupTagValid = IMA_TRUE;
        if (!parse_number(comma + 1, 65535, &tag))
            return false;
    }
    out->portalGroupTag = (IMA_UINT16)tag;
    return parse_target_address(text, &out->targetAddress);
}

static int add_static(int count, char **arguments)
{
    static IMA_STATIC_DISCOVERY_TARGET target;
    IMA_OID parent, made;
    char name[2200];
    if (count < 2 || !to_wide(arguments[0], target.targetName, IMA_NODE_NAME_LEN) ||
        !parse_static_address(arguments[1], &target))
        return EXIT_USAGE;
    if (!find_object(count > 2 ? arguments[2] : "lhba", &parent))
        return EXIT_FAILED;
    IMA_STATUS status = IMA_AddStaticDiscoveryTarget(parent, target, &made);
    if (IMA_SUCCESS(status)) {
        object_name(made, 0, name, sizeof name);
        puts(name);
    }
    return finish(arguments[0], status);
}

int add(int count, char **arguments)
{
    if (strcmp(arguments[0], "address") == 0)
        return add_address(count - 1, arguments + 1);
    if (strcmp(arguments[0], "static") == 0)
        return add_static(count - 1, arguments + 1);
    fprintf(stderr, "imatool: an address or a static target can be added\n");
    return EXIT_USAGE;
}

int remove_object(int count, char **arguments)
{
    IMA_OID oid;
    (void)count;
    if (!find_object(arguments[0], &oid))
        return EXIT_FAILED;
    if (oid.objectType == IMA_OBJECT_TYPE_DISCOVERY_ADDRESS)
        return finish(arguments[0], IMA_RemoveDiscoveryAddress(oid));
    if (oid.objectType == IMA_OBJECT_TYPE_STATIC_DISCOVERY_TARGET)
        return finish(arguments[0], IMA_RemoveStaticDiscoveryTarget(oid));
    fprintf(stderr, "imatool: %s is neither an address nor a static target\n", arguments[0]);
    return EXIT_USAGE;
}

/* --- on one object --- */

static int apply(IMA_STATUS (*function)(IMA_OID oid), const char *name)
{
    IMA_OID oid;
    return find_object(name, &oid) ? finish(name, function(oid)) : EXIT_FAILED;
}

int expose(int count, char **arguments)
{
    (void)count;
    return apply(IMA_ExposeLu, arguments[0]);
}

int unexpose(int count, char **arguments)
{
    (void)count;
    return apply(IMA_UnexposeLu, arguments[0]);
}

int clean(int count, char **arguments)
{
    return apply(IMA_RemoveStaleData, count > 0 ? arguments[0] : "lhba");
}

/* --- images for PHBAs --- */

static const char *const image_types[] = {"firmware", "option-rom", "all"};

int image(int count, char **arguments)
{
    static IMA_WCHAR path[1024];
    IMA_PHBA_DOWNLOAD_IMAGE_PROPERTIES properties;
    IMA_OID oid;
    (void)count;
    if (!find_object(arguments[0], &oid) || !to_wide(arguments[1], path, 1024))
        return EXIT_FAILED;
    IMA_STATUS status = IMA_IsPhbaDownloadFile(oid, path, &properties);
    if (IMA_SUCCESS(status)) {
        line("type", "%s",
             (unsigned)properties.imageType < 3 ? image_types[properties.imageType] : "?");
        line_wide("version", properties.version, 32);
        line_wide("description", properties.description, 512);
        line_flag("is an upgrade", properties.upgrade);
    }
    return finish(arguments[1], status);
}

int download(int count, char **arguments)
{
    static IMA_WCHAR path[1024];
    IMA_OID oid;
    unsigned type = 0;
    (void)count;
    if (!find_object(arguments[0], &oid) || !to_wide(arguments[2], path, 1024))
        return EXIT_FAILED;
    while (type < 3 && strcmp(arguments[1], image_types[type]) != 0)
        type++;
    return finish(arguments[2], IMA_PhbaDownload(oid, (IMA_PHBA_DOWNLOAD_IMAGE_TYPE)type, path));
}

/* --- others --- */

int command(int count, char **arguments)
{
    IMA_BYTE out[4096];
    IMA_UINT length = sizeof out;
    IMA_OID plugin;
    unsigned long number;
    const char *text = count > 2 ? arguments[2] : NULL;
    if (!parse_number(arguments[1], 0xFFFFFFFF, &number))
        return EXIT_USAGE;
    if (!find_object(arguments[0], &plugin))
        return EXIT_FAILED;
    IMA_STATUS status = IMA_PluginIOctl(plugin, (IMA_UINT)number, text,
                                        text != NULL ? (IMA_UINT)strlen(text) : 0, out, &length);
    if (IMA_SUCCESS(status))
        hex_dump(out, length < sizeof out ? length : sizeof out);
    return finish(arguments[0], status);
}

int generate_name(int count, char **arguments)
{
    IMA_NODE_NAME name;
    char text[IMA_NODE_NAME_LEN * 4];
    (void)count;
    (void)arguments;
    IMA_STATUS status = IMA_GenerateNodeName(name);
    if (IMA_SUCCESS(status)) {
        to_utf8(name, IMA_NODE_NAME_LEN, text, sizeof text);
        puts(text);
    }
    return finish("generate-name", status);
}
