# How a test program is registered, in every build variant.
#
#   add_program_test(KIND name TARGET [PEERS list] [TIMEOUT seconds] [ARGS ...] [LABELS ...] [SERIAL] [SERVICE] [RESULTS])
#
# registers KIND.<variant>.name, which runs TARGET by tests/harness/run.py with the peers wanted. The variant is `native`,
# `asan`, `tsan`, `wine` (win64) or `wine32` (win32, run by make test-x86 alone).
set(TEST_VARIANT "linux" CACHE STRING "linux, asan, tsan, win64, win32 or fuzz: how the tests of this build are named")
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(harness_run ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/run.py)
set(test_variant_linux native)
set(test_variant_asan asan)
set(test_variant_tsan tsan)
set(test_variant_win64 wine)
set(test_variant_win32 wine32)
set(test_variant ${test_variant_${TEST_VARIANT}})

# Wine boots for 10 s: once, before the first test that needs it.
if(WIN32)
    set(harness_wine ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/wineprefix.py)
    add_test(NAME harness.${test_variant}.start COMMAND ${harness_wine} start)
    add_test(NAME harness.${test_variant}.stop COMMAND ${harness_wine} stop)
    set_tests_properties(harness.${test_variant}.start PROPERTIES FIXTURES_SETUP ${test_variant} TIMEOUT 180)
    set_tests_properties(harness.${test_variant}.stop PROPERTIES FIXTURES_CLEANUP ${test_variant} TIMEOUT 60)
endif()

function(add_program_test kind name target)
    cmake_parse_arguments(PARSE_ARGV 3 test "SERIAL;SERVICE;RESULTS" "PEERS;TIMEOUT" "ARGS;LABELS")
    if(NOT test_TIMEOUT)
        set(test_TIMEOUT 120)
    endif()
    math(EXPR hard_limit "${test_TIMEOUT} + 60") # run.py ends the program itself, and says what it was waiting for
    set(options --timeout ${test_TIMEOUT} --build ${CMAKE_BINARY_DIR})
    if(test_PEERS)
        list(APPEND options --peers ${test_PEERS})
    endif()
    if(WIN32)
        list(APPEND options --wine)
    endif()
    if(test_SERVICE) # through a native service instead of in its own process
        list(APPEND options --service)
    endif()
    set(full_name ${kind}.${test_variant}.${name})
    if(test_RESULTS) # what it leaves in results.csv is kept in the build tree
        list(APPEND options --results ${CMAKE_BINARY_DIR}/results/${full_name}.csv)
    endif()
    add_test(NAME ${full_name} COMMAND ${harness_run} ${options} -- $<TARGET_FILE:${target}> ${test_ARGS})
    set_tests_properties(${full_name} PROPERTIES TIMEOUT ${hard_limit} LABELS "${kind};${test_variant};${test_LABELS}")
    if(WIN32)
        set_tests_properties(${full_name} PROPERTIES FIXTURES_REQUIRED ${test_variant})
    endif()
    if(test_SERIAL)
        set_tests_properties(${full_name} PROPERTIES RUN_SERIAL ON)
    endif()
endfunction()
