# What the scripts of these tests have in common: running a command, and building a project of this folder in another one.
cmake_minimum_required(VERSION 3.25)

# run(<what a failure is called> <command>...): its output, of both kinds, as `output`.
macro(run what)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${what}:\n${output}")
    endif()
endmacro()

# A project of this folder and what it shares with the others, as files outside of the tree.
function(set_out_project name directory)
    file(REMOVE_RECURSE "${directory}")
    file(MAKE_DIRECTORY "${directory}")
    file(GLOB files "${CMAKE_CURRENT_LIST_DIR}/${name}/*" "${CMAKE_CURRENT_LIST_DIR}/program.cpp"
        "${CMAKE_CURRENT_LIST_DIR}/../plugin/*.cpp")
    file(COPY ${files} DESTINATION "${directory}")
endfunction()
