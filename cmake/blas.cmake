# XTAPE_BLAS and XTAPE_LAPACK, the libraries that multiply and decompose matrices, as the interface target xtape_blas. Which
# of two that are linked multiplies, a program decides when it runs: autograd/kernels/blas.cpp.
set(XTAPE_BLAS auto CACHE STRING "Products of matrices: auto (oneDNN for float where it is found and quicker, else OpenBLAS), \
onednn (for all of float), openblas, or a vendor that CMake's FindBLAS knows, such as BLIS, for all")
set(XTAPE_LAPACK openblas CACHE STRING "Decompositions: openblas, or a vendor that CMake's FindLAPACK knows, such as Generic")
set_property(CACHE XTAPE_BLAS PROPERTY STRINGS auto onednn openblas BLIS)

# Others' spellings of what has a word here.
set(own_words "^(auto|onednn|openblas)$")
foreach(choice XTAPE_BLAS XTAPE_LAPACK)
    string(TOLOWER "${${choice}}" word)
    if(word MATCHES "${own_words}")
        set(${choice} ${word})
    endif()
endforeach()

add_library(xtape_blas INTERFACE)
set(XTAPE_BLAS_IS_OWN_CHOICE OFF)
if(NOT XTAPE_BLAS MATCHES "${own_words}")
    set(XTAPE_BLAS_IS_OWN_CHOICE ON)
endif()

if(XTAPE_BLAS STREQUAL "onednn" OR (XTAPE_BLAS STREQUAL "auto" AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$"))
    find_package(OneDNN QUIET)
    set(reason)
    if(NOT OneDNN_FOUND)
        set(reason "it is not found (Debian package libdnnl-dev)")
    elseif(NOT OneDNN_STAYS_ON_THREAD)
        set(reason "${OneDNN_LIBRARY} is made for ${OneDNN_RUNTIME}, whose threads cannot be held back")
    endif()
    if(NOT reason)
        set(XTAPE_ONEDNN_FOUND ON)
        # All of float where it is asked for by its name.
        target_compile_definitions(xtape_blas INTERFACE
            $<BUILD_INTERFACE:XTAPE_ONEDNN> $<BUILD_INTERFACE:$<$<STREQUAL:${XTAPE_BLAS},onednn>:XTAPE_ONEDNN_ALWAYS>>)
        target_link_libraries(xtape_blas INTERFACE OneDNN::OneDNN)
    elseif(XTAPE_BLAS STREQUAL "onednn")
        message(FATAL_ERROR "XTAPE_BLAS=onednn: ${reason}")
    else()
        message(STATUS "Products of matrices are by OpenBLAS alone. oneDNN is quicker for float on most processors, but ${reason}")
    endif()
endif()

if(XTAPE_BLAS_IS_OWN_CHOICE)
    set(BLA_VENDOR ${XTAPE_BLAS})
    if(XTAPE_BLAS MATCHES "^(BLIS|blis)$")  # which is what people call it, unlike CMake
        set(BLA_VENDOR FLAME)
    else()
        message(STATUS "XTAPE_BLAS=${XTAPE_BLAS}: xtape's tests have not been run with it, unlike BLIS")
    endif()
    find_package(BLAS QUIET)
    if(NOT BLAS_FOUND)
        message(FATAL_ERROR "XTAPE_BLAS=${XTAPE_BLAS}: CMake finds no such BLAS. auto, onednn and openblas are xtape's own words; "
            "of others CMake's FindBLAS has the list.")
    endif()
    target_compile_definitions(xtape_blas INTERFACE "$<BUILD_INTERFACE:XTAPE_BLAS_VENDOR=\"${XTAPE_BLAS}\">")
    target_link_libraries(xtape_blas INTERFACE ${BLAS_LIBRARIES})
endif()

# Ahead of a LAPACK that may bring another BLAS with it.
if(XTAPE_LAPACK STREQUAL "openblas" OR NOT XTAPE_BLAS_IS_OWN_CHOICE)
    target_link_libraries(xtape_blas INTERFACE OpenBLAS::OpenBLAS)
endif()
if(NOT XTAPE_LAPACK STREQUAL "openblas")
    set(BLA_VENDOR ${XTAPE_LAPACK})
    find_package(LAPACK QUIET)
    if(NOT LAPACK_FOUND)
        message(FATAL_ERROR "XTAPE_LAPACK=${XTAPE_LAPACK}: CMake finds no such LAPACK. openblas is xtape's own word; "
            "of others CMake's FindLAPACK has the list.")
    endif()
    target_link_libraries(xtape_blas INTERFACE ${LAPACK_LIBRARIES})
endif()
target_link_libraries(xtape_blas INTERFACE ${CMAKE_DL_LIBS})
