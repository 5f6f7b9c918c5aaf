/* The names under which devices are found: what is in them, and what hostile units make of them. */
#include "os_test.h"

#include "devices/links.h"

#include <stdio.h>

static char found[60000];

static void on_link(void *context, const char *name, const char *text)
{
    size_t length = strlen(found);
    (void)context;
    snprintf(found + length, sizeof found - length, "%s -> %s\n", name, text);
}

static struct unit_facts facts_of(const char *serial, const void *identity, size_t length)
{
    struct unit_facts facts = {.identity_length = (uint8_t)length};
    strcpy(facts.inquiry.vendor, "ACME");
    strcpy(facts.inquiry.product, "Big disk");
    snprintf(facts.serial, sizeof facts.serial, "%s", serial);
    memcpy(facts.identity, identity, length);
    return facts;
}

static void list(struct links *links, const char *disk)
{
    links->directory = "/dev/iscsi";
    links->files = "/run/devices";
    links->disk = disk;
    found[0] = '\0';
    links_each(links, on_link, NULL);
}

static void assert_link(const char *line)
{
    char wanted[600];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    if (strncmp(found, wanted + 1, strlen(wanted) - 1) != 0 && strstr(found, wanted) == NULL)
        fail_msg("there is no link \"%s\" in\n%s", line, found);
}

static unsigned count(void)
{
    unsigned lines = 0;
    for (const char *c = found; *c != '\0'; c++)
        lines += *c == '\n';
    return lines;
}

static void links_lead_to_the_block_device(void **state)
{
    static const uint8_t naa[] = {3, 0x60, 1, 2, 0xab};
    struct unit_facts facts = facts_of("S 1  ", naa, sizeof naa);
    struct links links;
    (void)state;
    links_describe(&links, "bus0/target12/lun3", "iqn.2026-11.org.example:a", &facts);
    list(&links, "/dev/loop7");
    assert_link("bus0/target12/lun3/disk -> /dev/loop7");
    assert_link("bus0/target12/lun3/part1 -> /dev/loop7p1");
    assert_link("bus0/target12/lun3/part15 -> /dev/loop7p15");
    assert_link("bus0/target12/lun3/generic -> /run/devices/bus0/target12/lun3/generic");
    assert_link("by-name/iqn.2026-11.org.example:a-lun-3 -> /dev/loop7");
    assert_link("by-name/iqn.2026-11.org.example:a-lun-3-part2 -> /dev/loop7p2");
    assert_link("by-id/scsi-3600102ab -> /dev/loop7");
    assert_link("by-id/scsi-3600102ab-part1 -> /dev/loop7p1");
    assert_link("by-serial/ACME_Big_disk_S_1 -> /dev/loop7");
    assert_int_equal(count(), 17 + 3 * 16);
}

static void without_one_they_lead_to_the_files(void **state)
{
    struct unit_facts facts = facts_of("", "\001ACME    disk", 13);
    struct links links;
    (void)state;
    links_describe(&links, "bus1/target0/lun255", "iqn.2026-11.org.example:a", &facts);
    list(&links, NULL);
    assert_link("bus1/target0/lun255/disk -> /run/devices/bus1/target0/lun255/disk");
    assert_link("by-name/iqn.2026-11.org.example:a-lun-255-part15 -> "
                "/run/devices/bus1/target0/lun255/part15");
    assert_link("by-id/scsi-1ACME____disk -> /run/devices/bus1/target0/lun255/disk");
    assert_null(strstr(found, "by-serial"));
    assert_int_equal(count(), 17 + 2 * 16);
}

/* No name leaves its directory, whatever a unit says of itself. */
static void names_are_harmless(void **state)
{
    char target[400], serial[UNIT_SERIAL_ROOM];
    struct unit_facts facts = facts_of("../../../etc/passwd\n\x7f\xff", "\001/../..//", 9);
    struct links links;
    (void)state;
    links_describe(&links, "bus0/target0/lun0", "iqn.x:../\xc3\xa4 b", &facts);
    list(&links, "/dev/loop0");
    assert_link("by-name/iqn.x:..____b-lun-0 -> /dev/loop0");
    assert_link("by-id/scsi-1_.._..__ -> /dev/loop0");
    assert_link("by-serial/ACME_Big_disk_.._.._.._etc_passwd___ -> /dev/loop0");
    memset(target, 'x', sizeof target - 1);
    target[sizeof target - 1] = '\0';
    memset(serial, 'y', sizeof serial - 1);
    serial[sizeof serial - 1] = '\0';
    facts = facts_of(serial, "\003", 1);
    links_describe(&links, "bus0/target0/lun0", target, &facts);
    list(&links, "/dev/loop0");
    assert_non_null(strstr(links.name, "x-lun-0"));
    assert_string_equal(links.id, ""); /* says nothing */
    assert_int_equal(count(), 17 + 2 * 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_lead_to_the_block_device),
        cmocka_unit_test(without_one_they_lead_to_the_files),
        cmocka_unit_test(names_are_harmless),
    };
    return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
