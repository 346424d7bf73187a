# A script: a project in a path with spaces, with -ffast-math, unity builds, link-time optimisation, C++23 and several
# configurations, has xtape as a part.
#   cmake -D XTAPE_SOURCE=... -D "WORK=..." -D COMPILER=... [-D BUILD=ON] -P part.cmake
# configures it and reads which options each file gets; with BUILD it is built and run, which takes minutes.
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")
set(work "${WORK}/a path with spaces")
set_out_project(part "${work}")
file(CREATE_LINK "${XTAPE_SOURCE}" "${work}/its xtape" SYMBOLIC)

set(flags "-Ofast -ffast-math -funsafe-math-optimizations -ffinite-math-only")
run("the project cannot be configured" "${CMAKE_COMMAND}" -S "${work}" -B "${work}/build" -G "Ninja Multi-Config"
    "-DXTAPE_SOURCE=${work}/its xtape" "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${flags}"
    -DCMAKE_CXX_STANDARD=23 -DCMAKE_UNITY_BUILD=ON -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON)

file(READ "${work}/build/compile_commands.json" commands)
string(JSON count LENGTH "${commands}")
set(files 0)
math(EXPR last "${count} - 1")
foreach(i RANGE ${last})
    string(JSON file GET "${commands}" ${i} file)
    string(JSON command GET "${commands}" ${i} command)
    if(NOT file MATCHES "/(autograd|nn)/[^ ]*\\.cpp$")
        if(file MATCHES "/xtape_[a-z_]+\\.dir/Unity/")
            message(FATAL_ERROR "a unity build of xtape's own files: ${file}")
        endif()
        continue()
    endif()
    math(EXPR files "${files} + 1")
    if(NOT command MATCHES "-ffast-math.*-fno-fast-math.*-fno-unsafe-math-optimizations.*-fno-finite-math-only")
        message(FATAL_ERROR "compiled with the project's -ffast-math: ${command}")
    endif()
    if(NOT command MATCHES "-flto" OR NOT command MATCHES "-std=c\\+\\+(23|2b)")
        message(FATAL_ERROR "compiled without the project's standard or link-time optimisation: ${command}")
    endif()
endforeach()
if(files LESS 50)
    message(FATAL_ERROR "only ${files} of xtape's files are in the project")
endif()

if(BUILD)
    run("the project cannot be built" "${CMAKE_COMMAND}" --build "${work}/build" --config Release --target program)
    run("its program fails" "${work}/build/Release/program")
endif()
