# A thin front: CMake and the scripts do the work. Every target first installs the packages it lacks.
BUILD ?= build
export BUILD

.PHONY: all linux dll win64 win32 install test soak demo bench fuzz test-x86 format clean

all: linux

linux:
	@scripts/install-tools linux
	@scripts/build linux

dll: win64 win32

win64 win32:
	@scripts/install-tools dll
	@scripts/build $@

# Into CMAKE_INSTALL_PREFIX (/usr/local), below DESTDIR if that is set.
install: linux
	@cmake --install $(BUILD)/linux

# The Linux, sanitizer and Windows builds, and one run of all their tests. TESTS='-R name' picks some.
test: linux dll
	@scripts/install-tools test
	@scripts/build asan
	@scripts/build tsan
	@scripts/run-tests $(TESTS)

# What takes minutes: scripts/soak tells what there is.
soak: linux
	@scripts/install-tools test
	@scripts/build tsan
	@scripts/soak

demo: linux win64
	@scripts/install-tools test
	@scripts/demo

bench: linux dll
	@scripts/install-tools test bench
	@scripts/build linux benchmarks
	@scripts/build win64 benchmarks
	@tests/bench/run

# FUZZ_SECONDS=60 for each fuzzer.
fuzz:
	@scripts/install-tools linux fuzz
	@scripts/build fuzz fuzzers
	@scripts/run-fuzzers

# The Wine suite with the 32-bit DLL, in a root of its own that has 32-bit Wine.
test-x86: linux win32
	@scripts/install-tools test test-x86
	@scripts/test-x86

format:
	@scripts/install-tools format
	@scripts/check-format -i

clean:
	@scripts/stop-wine
	@rm -rf $(BUILD)
