# A script: installs what a build has made into a directory of its own, moves that, and uses it as a project outside of the tree
# does.
#   cmake -D XTAPE_SOURCE=... -D XTAPE_BUILD=... -D WORK=... -D COMPILER=... -P installed.cmake
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")
file(REMOVE_RECURSE "${WORK}")

# What is installed may be elsewhere afterwards: nothing in it names where it was.
run("xtape cannot be installed" "${CMAKE_COMMAND}" --install "${XTAPE_BUILD}" --prefix "${WORK}/first")
file(RENAME "${WORK}/first" "${WORK}/installed xtape")
set(prefix "${WORK}/installed xtape")
include("${CMAKE_CURRENT_LIST_DIR}/use.cmake")
