"""Reads what a test wants to know of a PE image and of a COFF import library."""
import struct


def text_at(data, offset):
    return data[offset:data.index(b"\0", offset)].decode("ascii")


class Image:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:2] != b"MZ":
            raise ValueError(path + ": not a PE image")
        pe = self.u32(0x3C)
        if self.data[pe:pe + 4] != b"PE\0\0":
            raise ValueError(path + ": no PE header")
        self.machine, section_count = struct.unpack_from("<HH", self.data, pe + 4)
        optional_size, self.characteristics = struct.unpack_from("<HH", self.data, pe + 20)
        optional = pe + 24
        self.pe32plus = self.u16(optional) == 0x20B
        directory = optional + (112 if self.pe32plus else 96)
        count = self.u32(directory - 4)
        self.directories = [struct.unpack_from("<II", self.data, directory + 8 * i) for i in range(count)]
        table = optional + optional_size
        self.sections = []
        for i in range(section_count):
            size, address, raw_size, raw = struct.unpack_from("<IIII", self.data, table + 40 * i + 8)
            self.sections.append((address, max(size, raw_size), raw))

    def u16(self, offset):
        return struct.unpack_from("<H", self.data, offset)[0]

    def u32(self, offset):
        return struct.unpack_from("<I", self.data, offset)[0]

    def offset(self, rva):
        for address, size, raw in self.sections:
            if address <= rva < address + size:
                return rva - address + raw
        raise ValueError("address 0x%x is in no section" % rva)

    def exports(self):
        """(DLL name, {name: ordinal}, number of addresses that are not empty)"""
        base = self.offset(self.directories[0][0])
        name, first, address_count, name_count, addresses, names, ordinals = struct.unpack_from("<7I", self.data, base + 12)
        found = {}
        for i in range(name_count):
            exported = text_at(self.data, self.offset(self.u32(self.offset(names) + 4 * i)))
            found[exported] = first + self.u16(self.offset(ordinals) + 2 * i)
        used = sum(1 for i in range(address_count) if self.u32(self.offset(addresses) + 4 * i))
        return text_at(self.data, self.offset(name)), found, used

    def imports(self):
        """names of the DLLs, lower case; the delay-load table's as well"""
        found = set()
        for index, size, name in ((1, 20, 12), (13, 32, 4)):
            if index >= len(self.directories) or not self.directories[index][0]:
                continue
            entry = self.offset(self.directories[index][0])
            while self.u32(entry + name):
                found.add(text_at(self.data, self.offset(self.u32(entry + name))).lower())
                entry += size
        return found

    def resources(self):
        """{(type, id, language): bytes}; only numbered ones"""
        base = self.offset(self.directories[2][0])
        found = {}

        def walk(directory, path):
            named, numbered = struct.unpack_from("<HH", self.data, base + directory + 12)
            for i in range(named + numbered):
                key, value = struct.unpack_from("<II", self.data, base + directory + 16 + 8 * i)
                if value & 0x80000000:
                    walk(value & 0x7FFFFFFF, path + (key,))
                else:
                    rva, size = struct.unpack_from("<II", self.data, base + value)
                    start = self.offset(rva)
                    found[path + (key,)] = self.data[start:start + size]

        walk(0, ())
        return found


def message_table(resource):
    """{id: text} of an RT_MESSAGETABLE resource"""
    found = {}
    for block in range(struct.unpack_from("<I", resource)[0]):
        low, high, offset = struct.unpack_from("<III", resource, 4 + 12 * block)
        for number in range(low, high + 1):
            length, flags = struct.unpack_from("<HH", resource, offset)
            if length % 4 or offset + length > len(resource):
                raise ValueError("message 0x%x: length %d at %d of %d" % (number, length, offset, len(resource)))
            text = resource[offset + 4:offset + length].decode("utf-16-le" if flags & 1 else "ascii")
            if "\0" not in text:
                raise ValueError("message 0x%x does not end" % number)
            if number in found:
                raise ValueError("message 0x%x is there twice" % number)
            found[number] = text[:text.index("\0")]
            offset += length
    return found


def version_strings(resource):
    """(file version, product version, {name: value}) of an RT_VERSION resource"""
    strings = {}
    fixed = []

    def walk(start):
        length, value_length, is_text = struct.unpack_from("<HHH", resource, start)
        end = start + length
        at = start + 6
        key = ""
        while resource[at:at + 2] != b"\0\0":
            key += resource[at:at + 2].decode("utf-16-le")
            at += 2
        at = (at + 2 + 3) & ~3
        if key == "VS_VERSION_INFO":
            signature, _, high, low, product_high, product_low = struct.unpack_from("<6I", resource, at)
            if signature != 0xFEEF04BD:
                raise ValueError("VS_FIXEDFILEINFO: signature 0x%x" % signature)
            for pair in ((high, low), (product_high, product_low)):
                fixed.append(tuple(half for word in pair for half in (word >> 16, word & 0xFFFF)))
        elif is_text and value_length:
            strings[key] = resource[at:at + 2 * value_length].decode("utf-16-le").rstrip("\0")
        at = (at + value_length * (2 if is_text else 1) + 3) & ~3
        while at < end:
            at = (at + walk(at) + 3) & ~3
        return length

    walk(0)
    return fixed[0], fixed[1], strings


def import_library(path):
    """external symbols that the members of an archive of COFF objects define, and all .idata$7 texts"""
    with open(path, "rb") as file:
        data = file.read()
    if data[:8] != b"!<arch>\n":
        raise ValueError(path + ": not an archive")
    symbols, dll_names = set(), set()
    at = 8
    while at < len(data):
        name, size = data[at:at + 16], int(data[at + 48:at + 58])
        if name.rstrip() not in (b"/", b"//"):  # "/123" is a member with a long name
            member_symbols(data[at + 60:at + 60 + size], symbols, dll_names)
        at += 60 + size + size % 2
    return symbols, dll_names


def member_symbols(member, symbols, dll_names):
    _, section_count, _, table, count = struct.unpack_from("<HHIII", member)
    long_names = table + 18 * count
    i = 0
    while i < count:
        name, _, section, _, storage, extra = struct.unpack_from("<8sIhHBB", member, table + 18 * i)
        if name[:4] == b"\0\0\0\0":
            name = text_at(member, long_names + struct.unpack("<I", name[4:])[0])
        else:
            name = name.rstrip(b"\0").decode("ascii")
        if section > 0 and storage == 2:
            symbols.add(name)
        i += 1 + extra
    for i in range(section_count):
        name, _, _, size, raw = struct.unpack_from("<8sIIII", member, 20 + 40 * i)
        content = member[raw:raw + size].rstrip(b"\0") if raw else b""
        if name == b".idata$7" and b"." in content:
            dll_names.add(content.decode("ascii"))
