#include "devices/links.h"
#include "os/block.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* --- names --- */

/* Text that a unit chose as part of a name: nothing that a shell or a path would take for more. */
static size_t put_text(char *out, size_t length, size_t room, const char *text, size_t most)
{
    for (size_t i = 0; i < most && text[i] != '\0' && length + 1 < room; i++) {
        unsigned char c = (unsigned char)text[i];
        bool plain = isalnum(c) || strchr("-.:_+", c) != NULL;
        out[length++] = (char)(plain && c < 0x80 ? c : '_');
    }
    out[length] = '\0';
    return length;
}

static void describe_id(struct links *links, const struct unit_facts *facts)
{
    char kind = (char)('0' + facts->identity[0]);
    size_t length = (size_t)snprintf(links->id, sizeof links->id, "scsi-%c", kind);
    switch (facts->identity_length > 1 ? facts->identity[0] : 0) {
    case SCSI_DESIGNATOR_T10:
        put_text(links->id, length, sizeof links->id, (const char *)facts->identity + 1,
                 facts->identity_length - 1u);
        break;
    case SCSI_DESIGNATOR_NAA:
    case SCSI_DESIGNATOR_EUI64:
        for (size_t i = 1; i < facts->identity_length; i++)
            length += (size_t)snprintf(links->id + length, sizeof links->id - length, "%02x",
                                       facts->identity[i]);
        break;
    default:
        links->id[0] = '\0';
    }
}

/* Without the blanks behind it. */
static size_t trimmed(const char *text)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return length;
}

static void describe_serial(struct links *links, const struct unit_facts *facts)
{
    const char *const parts[] = {facts->inquiry.vendor, facts->inquiry.product, facts->serial};
    size_t length = 0;
    links->serial[0] = '\0';
    if (trimmed(facts->serial) == 0)
        return;
    for (size_t i = 0; i < 3; i++) {
        if (i > 0)
            length = put_text(links->serial, length, sizeof links->serial, "_", 1);
        length = put_text(links->serial, length, sizeof links->serial, parts[i], trimmed(parts[i]));
    }
}

void links_describe(struct links *links, const char *place, const char *target,
                    const struct unit_facts *facts)
{
    char lun[24];
    size_t room = sizeof links->name - sizeof lun;
    const char *number = strstr(place, "/lun");
    *links = (struct links){0};
    snprintf(links->place, sizeof links->place, "%s", place);
    snprintf(lun, sizeof lun, "-lun-%.8s", number != NULL ? number + 4 : "0");
    size_t length = put_text(links->name, 0, room, target, strlen(target));
    put_text(links->name, length, sizeof links->name, lun, strlen(lun));
    describe_id(links, facts);
    describe_serial(links, facts);
}

/* --- each --- */

typedef void link_found(void *context, const char *name, const char *text);

/* Partition 0 is the whole disk. */
static void tell(const struct links *links, const char *name, unsigned partition, link_found *found,
                 void *context)
{
    char text[OS_PATH_ROOM];
    int length;
    if (links->disk == NULL && partition == 0)
        length = snprintf(text, sizeof text, "%s/%s/disk", links->files, links->place);
    else if (links->disk == NULL)
        length = snprintf(text, sizeof text, "%s/%s/part%u", links->files, links->place, partition);
    else if (partition == 0)
        length = snprintf(text, sizeof text, "%s", links->disk);
    else
        length = snprintf(text, sizeof text, "%sp%u", links->disk, partition);
    if (length > 0 && (size_t)length < sizeof text)
        found(context, name, text);
}

static void tell_named(const struct links *links, const char *kind, const char *of,
                       link_found *found, void *context)
{
    char name[LINK_NAME_ROOM + 32];
    for (unsigned i = 0; of[0] != '\0' && i <= LINKS_PARTITIONS; i++) {
        int length = snprintf(name, sizeof name, "%s/%s", kind, of);
        if (i > 0)
            snprintf(name + length, sizeof name - (size_t)length, "-part%u", i);
        tell(links, name, i, found, context);
    }
}

/* Who sees the last one finds all the others. */
void links_each(const struct links *links, link_found *found, void *context)
{
    char name[LINK_PLACE_ROOM + 16], text[OS_PATH_ROOM];
    for (unsigned i = 1; i <= LINKS_PARTITIONS; i++) {
        snprintf(name, sizeof name, "%s/part%u", links->place, i);
        tell(links, name, i, found, context);
    }
    snprintf(name, sizeof name, "%s/generic", links->place);
    int length = snprintf(text, sizeof text, "%s/%s/generic", links->files, links->place);
    if (length > 0 && (size_t)length < sizeof text)
        found(context, name, text);
    tell_named(links, "by-name", links->name, found, context);
    tell_named(links, "by-id", links->id, found, context);
    tell_named(links, "by-serial", links->serial, found, context);
    snprintf(name, sizeof name, "%s/disk", links->place);
    tell(links, name, 0, found, context);
}

/* --- making and removing --- */

struct making {
    const struct links *links;
    enum status status;
};

static bool join(char path[OS_PATH_ROOM], const char *directory, const char *name)
{
    int length = snprintf(path, OS_PATH_ROOM, "%s/%s", directory, name);
    return length > 0 && (size_t)length < OS_PATH_ROOM;
}

static void make(void *context, const char *name, const char *text)
{
    struct making *making = context;
    char path[OS_PATH_ROOM], there[OS_PATH_ROOM];
    if (!join(path, making->links->directory, name))
        return;
    if (os_link_text(path, there) && strcmp(there, text) == 0)
        return;
    enum status status = os_link_set(path, text);
    if (making->status == STATUS_OK)
        making->status = status;
}

struct claim {
    const struct links *links;
    const char *kind;
    char *of;
};

static void claim_one(void *context, const char *name, const char *text)
{
    const struct claim *claim = context;
    char path[OS_PATH_ROOM], wanted[LINK_NAME_ROOM + 32], there[OS_PATH_ROOM];
    snprintf(wanted, sizeof wanted, "%s/%s", claim->kind, claim->of);
    if (claim->of[0] == '\0' || strcmp(name, wanted) != 0 ||
        !join(path, claim->links->directory, name) || !os_link_text(path, there))
        return;
    if (strcmp(there, text) != 0 && os_leads_somewhere(path))
        claim->of[0] = '\0';
}

/* A name that is another unit's stays its. */
static void claim_names(struct links *links)
{
    struct claim claims[] = {{links, "by-name", links->name},
                             {links, "by-id", links->id},
                             {links, "by-serial", links->serial}};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        links_each(links, claim_one, &claims[i]);
}

enum status links_make(struct links *links)
{
    struct making making = {links, STATUS_OK};
    claim_names(links);
    links_each(links, make, &making);
    return making.status;
}

static void remove_empty(const char *directory, const char *below)
{
    char path[OS_PATH_ROOM];
    if (!join(path, directory, below))
        return;
    for (size_t least = strlen(directory); strlen(path) >= least; *strrchr(path, '/') = '\0') {
        os_remove_directory(path);
        if (strlen(path) == least)
            return;
    }
}

static void remove_one(void *context, const char *name, const char *text)
{
    const struct links *links = context;
    char path[OS_PATH_ROOM], there[OS_PATH_ROOM];
    if (join(path, links->directory, name) && os_link_text(path, there) && strcmp(there, text) == 0)
        os_remove_file(path);
}

static void remove_directories(const char *directory, const char *place)
{
    static const char *const kinds[] = {"by-name", "by-id", "by-serial"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        remove_empty(directory, kinds[i]);
    remove_empty(directory, place);
}

void links_remove(const struct links *links)
{
    struct links ours = *links;
    links_each(&ours, remove_one, &ours);
    remove_directories(ours.directory, ours.place);
}

/* --- what a process that was killed has left behind --- */

struct remains {
    const char *path; /* of a directory */
    const struct links_left *left;
    unsigned depth;
};

static bool is_left(const char *path, const struct links_left *left)
{
    char text[OS_PATH_ROOM];
    size_t length = strlen(left->files);
    if (!os_link_text(path, text))
        return false;
    for (size_t i = 0; i < left->count; i++) {
        if (os_loopback_owns(&left->loops[i], text))
            return true;
    }
    bool inside = strncmp(text, left->files, length) == 0 && text[length] == '/';
    return inside || !os_leads_somewhere(path);
}

static void remove_remains(void *context, const char *name)
{
    static const char *const kinds[] = {"bus", "target", "lun", ""};
    const struct remains *above = context;
    char path[OS_PATH_ROOM];
    unsigned depth = above->depth;
    if (!join(path, above->path, name))
        return;
    if (depth == 3) {
        if (is_left(path, above->left))
            os_remove_file(path);
        return;
    }
    bool by = depth == 0 && strncmp(name, "by-", 3) == 0;
    if (!by && strncmp(name, kinds[depth], strlen(kinds[depth])) != 0)
        return;
    struct remains below = {path, above->left, by ? 3 : depth + 1};
    os_list_directory(path, remove_remains, &below);
    os_remove_directory(path);
}

void links_remove_remains(const char *directory, const struct links_left *left)
{
    struct remains remains = {directory, left, 0};
    os_list_directory(directory, remove_remains, &remains);
    os_remove_directory(directory);
}
