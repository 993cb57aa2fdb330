# Script: turns migrations/<engine>/NNNN_name.sql into one C++ file.
#   cmake -DFOLDER=... -DOUTPUT=... -DNAMESPACE=latchkey::storage::sqlite -DHEADER=... -P EmbedMigrations.cmake
file(GLOB files "${FOLDER}/*.sql")
list(SORT files)
set(entries "")
foreach(file IN LISTS files)
  get_filename_component(stem "${file}" NAME_WE)
  if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
    message(FATAL_ERROR "${file}: migrations are named NNNN_words.sql")
  endif()
  math(EXPR version "1${CMAKE_MATCH_1} - 10000")
  set(name "${CMAKE_MATCH_2}")
  file(READ "${file}" sql)
  string(APPEND entries "    {${version}, \"${name}\", R\"embedded(${sql})embedded\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"${HEADER}\"

namespace ${NAMESPACE} {

std::span<const Migration> Migrations() {
  static constexpr Migration kMigrations[] = {
${entries}  };
  return kMigrations;
}

}  // namespace ${NAMESPACE}
")
