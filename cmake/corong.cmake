# What every target shares: the language, the warnings, the hardening, and the three shapes of target.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(CORONG_WERROR "warnings are errors (CI)" OFF)
set(CORONG_SANITIZE "" CACHE STRING "sanitizers, as in -fsanitize=")
option(CORONG_FUZZ "build the libFuzzer targets (clang)" OFF)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# asserts stay in release builds: they say what must be true
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")

add_library(corong_flags INTERFACE)
target_include_directories(corong_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(corong_flags INTERFACE _GNU_SOURCE
  CORONG_VERSION="${PROJECT_VERSION}")
target_compile_options(corong_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wno-sign-conversion
  -Wcast-qual -Wwrite-strings -Wformat=2 -Wvla -Wundef -Wimplicit-fallthrough
  -fno-strict-aliasing -fno-common)
if(CORONG_WERROR)
  target_compile_options(corong_flags INTERFACE -Werror)
endif()
if(CORONG_SANITIZE)
  target_compile_options(corong_flags INTERFACE -fsanitize=${CORONG_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(corong_flags INTERFACE -fsanitize=${CORONG_SANITIZE})
else()
  target_compile_options(corong_flags INTERFACE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
    -fstack-clash-protection -fcf-protection)
  target_link_options(corong_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# corong_library(NAME [EXCEPT a.c ...] [SOURCES a.c ...] LINK lib ...): all *.c of this folder as corong_NAME
function(corong_library name)
  cmake_parse_arguments(A "" "" "SOURCES;EXCEPT;LINK" ${ARGN})
  if(NOT A_SOURCES)
    file(GLOB A_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    foreach(e ${A_EXCEPT})
      list(REMOVE_ITEM A_SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/${e})
    endforeach()
  endif()
  add_library(corong_${name} STATIC ${A_SOURCES})
  target_link_libraries(corong_${name} PUBLIC corong_flags ${A_LINK})
endfunction()

# corong_tests(FOLDER lib ...): every test_*.c of tests/unit/FOLDER is one cmocka program
function(corong_tests folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/unit/${folder}/test_*.c)
  foreach(source ${sources})
    get_filename_component(stem ${source} NAME_WE)
    string(REPLACE "/" "_" prefix ${folder})
    add_executable(${prefix}_${stem} ${source})
    target_link_libraries(${prefix}_${stem} PRIVATE ${ARGN} cmocka)
    target_compile_definitions(${prefix}_${stem} PRIVATE
      CORONG_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${folder}/${stem} COMMAND ${prefix}_${stem})
    set_tests_properties(${folder}/${stem} PROPERTIES LABELS unit TIMEOUT 900)
  endforeach()
endfunction()
