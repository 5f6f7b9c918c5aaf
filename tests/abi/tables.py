"""The tables of this directory and the texts of messages.h."""
import csv
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


def rows(name):
    with open(os.path.join(HERE, name), newline="") as file:
        return list(csv.DictReader(file))


def exports():
    """name -> ordinal"""
    return {row["name"]: int(row["ordinal"]) for row in rows("exports.csv")}


def functions():
    """name -> (x86 bytes, [parameter types])"""
    return {row["name"]: (int(row["x86_bytes"]), row["parameters"].split(", ")) for row in rows("functions.csv")}


def statuses():
    """name -> value"""
    return {row["name"]: int(row["value_hex"], 16) for row in rows("iscsierr.csv")}


def messages(path):
    """symbol -> text, of the list that goes into the message table"""
    found = {}
    with open(path) as file:
        for match in re.finditer(r'^    M\((ERROR_SUCCESS|ISDSC_\w+), "([^"]*)"\)', file.read(), re.M):
            found[match[1]] = match[2]
    return found


def ima_functions():
    return [row["name"] for row in rows("ima_functions.csv")]


def ima_exports():
    return set(ima_functions()) | {"IMA_PluginIOCtl"}
