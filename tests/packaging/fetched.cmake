# A script: a project fetches xtape and builds it as shared libraries; then these are installed, and used from outside.
#   cmake -D XTAPE_SOURCE=... -D WORK=... -D COMPILER=... -P fetched.cmake
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")
file(REMOVE_RECURSE "${WORK}")
set(fetched "${WORK}/fetched")
set_out_project(fetched "${fetched}")
run("the project cannot be configured" "${CMAKE_COMMAND}" -S "${fetched}" -B "${fetched}/build" -G Ninja
    "-DFETCHCONTENT_SOURCE_DIR_XTAPE=${XTAPE_SOURCE}" "-DCMAKE_CXX_COMPILER=${COMPILER}" -DCMAKE_BUILD_TYPE=Release
    -DXTAPE_INSTALL=ON -DXTAPE_WERROR=ON)
run("the project cannot be built" "${CMAKE_COMMAND}" --build "${fetched}/build")
run("its program fails" "${fetched}/build/program")

set(prefix "${WORK}/installed")
run("what was fetched cannot be installed" "${CMAKE_COMMAND}" --install "${fetched}/build" --prefix "${prefix}")
file(GLOB_RECURSE library "${prefix}/*/libxtape_nn.so.0.2")
if(NOT library)
    message(FATAL_ERROR "no libxtape_nn.so.0.2 is installed")
endif()
include("${CMAKE_CURRENT_LIST_DIR}/use.cmake")
