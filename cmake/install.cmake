# What `cmake --install` and cpack put where: headers, libraries, the package xtape that find_package finds, with components
# autograd and nn, and their pkg-config files. It builds nothing.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/xtape")
set(header_dir "${CMAKE_INSTALL_INCLUDEDIR}/xtape")

get_target_property(kind xtape_autograd TYPE)
set(static OFF)
if(kind STREQUAL "STATIC_LIBRARY")
    set(static ON)
endif()

# A component is a library with an export set of its own, so that who wants one need not have what another takes.
if(static)
    install(TARGETS xtape_blas EXPORT xtape-autograd)
endif()
foreach(component autograd nn)
    install(TARGETS xtape_${component} EXPORT xtape-${component} INCLUDES DESTINATION "${header_dir}")
    install(EXPORT xtape-${component} NAMESPACE xtape:: DESTINATION "${package_dir}")
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/${component}" DESTINATION "${header_dir}" FILES_MATCHING PATTERN *.hpp)
endforeach()
install(FILES "${PROJECT_BINARY_DIR}/include/autograd/base/version.hpp" DESTINATION "${header_dir}/autograd/base")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/CHANGELOG.md" "${PROJECT_SOURCE_DIR}/README.md"
    DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/doc/xtape")  # CMAKE_INSTALL_DOCDIR may be of a project around this one

# --- For CMake: what a static library was linked with is found again where it is used ---------------------------------

foreach(file xtape-config xtape-dependencies)
    configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/${file}.cmake.in" "${PROJECT_BINARY_DIR}/${file}.cmake"
        INSTALL_DESTINATION "${package_dir}")
endforeach()
# Before 1.0 a new minor version may change anything: CHANGELOG.md.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/xtape-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/xtape-config.cmake" "${PROJECT_BINARY_DIR}/xtape-config-version.cmake"
    "${PROJECT_BINARY_DIR}/xtape-dependencies.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/FindOpenBLAS.cmake" "${PROJECT_SOURCE_DIR}/cmake/FindOneDNN.cmake"
    DESTINATION "${package_dir}")

# --- For pkg-config ---------------------------------------------------------------------------------------------------

# Of the libraries that a target is linked with, those that are files, in the order for a linker.
function(xtape_linked_files target result)
    set(files)
    get_target_property(libraries ${target} INTERFACE_LINK_LIBRARIES)
    foreach(library IN LISTS libraries)
        string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" library "${library}")
        if(library MATCHES "^(/|-l)")
            list(APPEND files "${library}")
        elseif(NOT library OR library MATCHES "^\\$<")
            continue()
        elseif(TARGET "${library}")
            get_target_property(aliased "${library}" ALIASED_TARGET)
            get_target_property(type "${library}" TYPE)
            if(type STREQUAL "INTERFACE_LIBRARY")
                xtape_linked_files("${library}" more)
                list(APPEND files ${more})
            elseif(NOT aliased MATCHES "^xtape_")
                get_target_property(location "${library}" LOCATION)
                list(APPEND files "${location}")
            endif()
        else()
            list(APPEND files "-l${library}")
        endif()
    endforeach()
    set(${result} ${files} PARENT_SCOPE)
endfunction()

# What is installed may be moved, unless somebody has named folders by their whole paths.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(prefix "${CMAKE_INSTALL_PREFIX}")
    set(libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
    set(includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}/xtape")
else()
    string(REGEX REPLACE "[^/]+" ".." up "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
    set(prefix "\${pcfiledir}/${up}")
    set(libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(includedir "\${prefix}/${header_dir}")
endif()
set(requires_autograd "xtensor = ${xtensor_VERSION} xsimd")
set(requires_nn "xtape-autograd = ${PROJECT_VERSION}")
set(describes_autograd "reverse-mode automatic differentiation over xtensor arrays")
set(describes_nn "layers, losses and optimisers on xtape's tape")
foreach(component autograd nn)
    set(requires "${requires_${component}}")
    set(describes "${describes_${component}}")
    set(files)
    set(options)
    if(static)
        xtape_linked_files(xtape_${component} files)
    endif()
    if(component STREQUAL "autograd")
        list(APPEND options ${XTAPE_ARCH_FLAGS})
    endif()
    list(REMOVE_DUPLICATES files)
    list(JOIN files " " files)
    list(JOIN options " " options)
    configure_file("${PROJECT_SOURCE_DIR}/cmake/xtape.pc.in" "${PROJECT_BINARY_DIR}/xtape-${component}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/xtape-${component}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()

# --- The .deb, of the static libraries --------------------------------------------------------------------------------

# A project around this one has packages of its own.
if(PROJECT_IS_TOP_LEVEL AND static)
    set(CPACK_GENERATOR DEB)
    set(CPACK_PACKAGE_NAME libxtape-dev)
    set(CPACK_PACKAGE_VENDOR "the xtape maintainers")
    set(CPACK_PACKAGE_CONTACT "the xtape maintainers <maintainers@users.noreply.r-seed-134b1e07.example>")
    set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "reverse-mode automatic differentiation over xtensor arrays (development files)")
    set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
    set(CPACK_STRIP_FILES OFF)
    set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
    set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
    # What the package file asks for when it is found: of fmt the version that names its symbols.
    math(EXPR next_fmt "${fmt_VERSION_MAJOR} + 1")
    set(depends "libxtensor-dev (>= ${xtensor_VERSION})" "libxtensor-dev (<< ${xtensor_VERSION}.1)" libxsimd-dev libopenblas-dev
        "libfmt-dev (>= ${fmt_VERSION_MAJOR})" "libfmt-dev (<< ${next_fmt})" libpng-dev zlib1g-dev)
    if(XTAPE_ONEDNN_FOUND)
        list(APPEND depends libdnnl-dev)
    endif()
    if(XTAPE_BLAS MATCHES "^(BLIS|blis)$")
        list(APPEND depends libblis-dev)
    endif()
    list(JOIN depends ", " CPACK_DEBIAN_PACKAGE_DEPENDS)
    include(CPack)
endif()
