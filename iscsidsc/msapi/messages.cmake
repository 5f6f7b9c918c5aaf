# The DLL's message table (MESSAGE_RESOURCE_DATA) as a resource script, from the texts of messages.h
# and the values of iscsierr.h. The message compiler cannot make it: the customer bit is a switch for
# its whole input, and message 0 must not have it.
#
# Layout: the number of blocks; for each block its lowest id, its highest id and the offset of its
# first entry; the entries. Ours have one entry each, in ascending order. An entry is its own length
# and the flag 1 (UTF-16) in 16 bits each, then the text with its NUL, filled up to 4 bytes.

function(message_value symbol header result)
    if(symbol STREQUAL "ERROR_SUCCESS")
        set(${result} 0x00000000 PARENT_SCOPE)
    elseif(header MATCHES "#define ${symbol} +\\(\\(ISDSC_STATUS\\)(0x[0-9A-F]+)L\\)")
        set(${result} ${CMAKE_MATCH_1} PARENT_SCOPE)
    else()
        message(FATAL_ERROR "messages.h: ${symbol} is not in iscsierr.h")
    endif()
endfunction()

function(message_entry text length_result entry_result)
    if(NOT text MATCHES "^[a-zA-Z0-9 ',.:-]+$")
        message(FATAL_ERROR "messages.h: this text needs characters that it must not have: ${text}")
    endif()
    string(LENGTH "${text}" characters)
    # "\r\n" and the NUL are part of the entry.
    math(EXPR length "4 + 2 * (${characters} + 3)")
    set(filler "")
    math(EXPR rest "${length} % 4")
    if(rest)
        set(filler "\\0")
        math(EXPR length "${length} + 2")
    endif()
    set(${length_result} ${length} PARENT_SCOPE)
    set(${entry_result} "    ${length}, 1, L\"${text}\\r\\n\\0${filler}\"" PARENT_SCOPE)
endfunction()

# Writes `output`, a .rc file.
function(message_table messages_h iscsierr_h output)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${messages_h} ${iscsierr_h})
    file(READ ${iscsierr_h} header)
    file(READ ${messages_h} list)
    string(REGEX MATCHALL "\n    M\\((ERROR_SUCCESS|ISDSC_[A-Z0-9_]+), [^\n]*\"\\)" lines "${list}")

    set(values "")
    list(LENGTH lines count)
    foreach(line IN LISTS lines)
        if(NOT line MATCHES "^\n    M\\(([A-Z0-9_]+), \"([^\"]*)\"\\)$")
            message(FATAL_ERROR "messages.h: not an entry: ${line}")
        endif()
        set(text "${CMAKE_MATCH_2}")
        message_value(${CMAKE_MATCH_1} "${header}" value)
        if(DEFINED text_${value})
            message(FATAL_ERROR "messages.h: ${value} is there twice")
        endif()
        set(text_${value} "${text}")
        list(APPEND values ${value})
    endforeach()
    list(SORT values)

    math(EXPR offset "4 + 12 * ${count}")
    set(blocks "")
    set(entries "")
    foreach(value IN LISTS values)
        message_entry("${text_${value}}" length entry)
        string(APPEND blocks "    ${value}L, ${value}L, ${offset}L,\n")
        string(APPEND entries "${entry},\n")
        math(EXPR offset "${offset} + ${length}")
    endforeach()
    string(REGEX REPLACE ",\n$" "\n" entries "${entries}")
    # 11 is RT_MESSAGETABLE; FormatMessage looks for the table with id 1.
    file(GENERATE OUTPUT ${output} CONTENT
        "LANGUAGE 0x09, 0x01\n1 11\nBEGIN\n    ${count}L,\n${blocks}${entries}END\n")
endfunction()
