# corong_embed(TARGET NAME [BASE folder] FILES ...): files compiled into TARGET, with nothing but cmake and the compiler.
#
# Makes `struct embed_file NAME_files[]` (core/embed.h), ended by a row without a path. A row's path is the file's path below
# BASE (default: its own name). Where a file x.gz stands beside x it is listed as x's gzip form. Content comes in by .incbin, so
# the compiler never parses it; a changed file rebuilds the table. No files: an empty table and a warning.
function(corong_embed target name)
  cmake_parse_arguments(A "" "BASE" "FILES" ${ARGN})
  if(NOT A_FILES)
    message(WARNING "corong_embed(${name}): there are no files to embed; the table is empty")
  endif()
  set(assembly "")
  set(rows "")
  set(externs "")
  set(n 0)
  foreach(file ${A_FILES})
    get_filename_component(file ${file} ABSOLUTE)
    if(file MATCHES "\\.gz$")
      continue() # comes with the file it is the form of
    endif()
    if(A_BASE)
      file(RELATIVE_PATH path ${A_BASE} ${file})
    else()
      get_filename_component(path ${file} NAME)
    endif()
    corong__content_type(${path} type)
    string(APPEND assembly "CORONG_INCBIN(${name}_${n}, \"${file}\")\n")
    string(APPEND externs "extern const char ${name}_${n}[], ${name}_${n}_end[];\n")
    set(gzip "NULL, NULL")
    if("${file}.gz" IN_LIST A_FILES)
      string(APPEND assembly "CORONG_INCBIN(${name}_${n}_gz, \"${file}.gz\")\n")
      string(APPEND externs "extern const char ${name}_${n}_gz[], ${name}_${n}_gz_end[];\n")
      set(gzip "${name}_${n}_gz, ${name}_${n}_gz_end")
    endif()
    string(APPEND rows "    {\"${path}\", \"${type}\", ${name}_${n}, ${name}_${n}_end, ${gzip}},\n")
    math(EXPR n "${n} + 1")
  endforeach()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embed_${name}.c)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT [[/* Made by cmake/embed.cmake. */
#include "core/embed.h"

#define CORONG_INCBIN(symbol, file)                                                                \
    __asm__(".section .rodata\n.balign 16\n.global " #symbol "\n" #symbol ":\n.incbin \"" file     \
            "\"\n.global " #symbol "_end\n" #symbol "_end:\n.byte 0\n.previous\n");

@assembly@
@externs@
extern const struct embed_file @name@_files[];
const struct embed_file @name@_files[] = {
@rows@    {NULL, NULL, NULL, NULL, NULL, NULL},
};
]])
  set_source_files_properties(${out} PROPERTIES OBJECT_DEPENDS "${A_FILES}")
  target_sources(${target} PRIVATE ${out})
endfunction()

function(corong__content_type path out)
  set(${out} application/octet-stream PARENT_SCOPE)
  foreach(row "html=text/html| charset=utf-8" "js=text/javascript| charset=utf-8" "mjs=text/javascript| charset=utf-8"
      "css=text/css| charset=utf-8" "json=application/json" "map=application/json" "svg=image/svg+xml" "png=image/png"
      "jpg=image/jpeg" "webp=image/webp" "gif=image/gif" "ico=image/x-icon" "woff2=font/woff2" "txt=text/plain| charset=utf-8"
      "webmanifest=application/manifest+json")
    string(FIND "${row}" "=" at)
    string(SUBSTRING "${row}" 0 ${at} ending)
    math(EXPR at "${at} + 1")
    string(SUBSTRING "${row}" ${at} -1 type)
    string(REPLACE "|" ";" type "${type}")
    if(path MATCHES "\\.${ending}$")
      set(${out} "${type}" PARENT_SCOPE)
    endif()
  endforeach()
endfunction()
