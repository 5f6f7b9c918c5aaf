/* SCSI commands. */
#include "imatool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static IMA_BYTE data[65535], sense[252];
static IMA_UINT length, sense_length;

static bool begin(const char *name, IMA_OID *device)
{
    length = sizeof data;
    sense_length = sizeof sense;
    return find_object(name, device);
}

static int end(const char *name, IMA_STATUS status)
{
    if (status == IMA_ERROR_SCSI_STATUS_CHECK_CONDITION) {
        puts("sense data:");
        hex_dump(sense, sense_length);
    }
    return finish(name, status);
}

static void show_text(const char *name, size_t start, size_t size)
{
    if (length >= start + size)
        line(name, "%.*s", (int)size, (const char *)data + start);
}

int inquiry(int count, char **arguments)
{
    IMA_OID device;
    char none[] = "", *rest = none;
    unsigned long page = count > 1 ? strtoul(arguments[1], &rest, 16) : 0;
    bool command_data = count > 2 && strcmp(arguments[2], "cmddt") == 0;
    if (*rest != '\0' || page > 255 || (count > 2 && !command_data))
        return EXIT_USAGE;
    if (!begin(arguments[0], &device))
        return EXIT_FAILED;
    length = 255;
    IMA_STATUS status = IMA_LuInquiry(device, count == 2, command_data, (IMA_BYTE)page, data,
                                      &length, sense, &sense_length);
    if (IMA_SUCCESS(status) && count == 1) {
        show_text("vendor", 8, 8);
        show_text("product", 16, 16);
        show_text("revision", 32, 4);
    }
    if (IMA_SUCCESS(status))
        hex_dump(data, length);
    return end(arguments[0], status);
}

static uint64_t number_at(size_t at, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | data[at + i];
    return number;
}

int capacity(int count, char **arguments)
{
    IMA_OID device;
    unsigned long cdb = 10;
    if (count > 1 && !parse_number(arguments[1], 255, &cdb))
        return EXIT_USAGE;
    if (!begin(arguments[0], &device))
        return EXIT_FAILED;
    length = cdb == 16 ? 32 : 8;
    IMA_STATUS status =
        IMA_LuReadCapacity(device, (IMA_UINT)cdb, data, &length, sense, &sense_length);
    size_t size = cdb == 16 ? 8 : 4;
    if (IMA_SUCCESS(status) && length >= size + 4)
        line("capacity", "%" PRIu64 " blocks of %" PRIu64 " bytes", number_at(0, size) + 1,
             number_at(size, 4));
    return end(arguments[0], status);
}

int luns(int count, char **arguments)
{
    IMA_OID device;
    unsigned long select = 0;
    if (count > 1 && !parse_number(arguments[1], 255, &select))
        return EXIT_USAGE;
    if (count > 2 && strcmp(arguments[2], "well-known") != 0)
        return EXIT_USAGE;
    if (!begin(arguments[0], &device))
        return EXIT_FAILED;
    IMA_STATUS status =
        IMA_LuReportLuns(device, count > 2, (IMA_BYTE)select, data, &length, sense, &sense_length);
    for (size_t at = 8;
         IMA_SUCCESS(status) && length >= 8 && at + 8 <= length && at < 8 + number_at(0, 4);
         at += 8)
        printf("%016" PRIx64 "\n", number_at(at, 8));
    return end(arguments[0], status);
}
