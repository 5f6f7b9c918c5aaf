# A thin front: CMake does the work. Everything that a target lacks is installed first.
BUILD ?= build

.PHONY: all linux dll win64 win32 test demo bench fuzz test-x86 clean

all: linux

linux:
	@scripts/install-tools linux
	@cmake -S . -B $(BUILD)/linux -G Ninja >$(BUILD)/linux.log 2>&1 || { mkdir -p $(BUILD); cmake -S . -B $(BUILD)/linux -G Ninja; }
	@cmake --build $(BUILD)/linux
