# Finds oneDNN as the target OneDNN::OneDNN; OneDNN_RUNTIME, what its threads are made by: OMP, SEQ, TBB or THREADPOOL; and
# OneDNN_STAYS_ON_THREAD, whether its calls can be held to the thread that makes them. Its own package file will not be read
# where OpenCL's headers are missing, which nothing here needs.
find_path(OneDNN_INCLUDE_DIR oneapi/dnnl/dnnl.h)
find_library(OneDNN_LIBRARY dnnl)
mark_as_advanced(OneDNN_INCLUDE_DIR OneDNN_LIBRARY)

if(OneDNN_INCLUDE_DIR)
    file(STRINGS "${OneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_config.h" OneDNN_RUNTIME
        REGEX "^#define DNNL_CPU_THREADING_RUNTIME DNNL_RUNTIME_")
    string(REGEX REPLACE ".*DNNL_RUNTIME_" "" OneDNN_RUNTIME "${OneDNN_RUNTIME}")
    set(OneDNN_STAYS_ON_THREAD OFF)
    if(OneDNN_RUNTIME MATCHES "^(OMP|SEQ)$")
        set(OneDNN_STAYS_ON_THREAD ON)
    endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OneDNN REQUIRED_VARS OneDNN_LIBRARY OneDNN_INCLUDE_DIR)

if(OneDNN_FOUND AND NOT TARGET OneDNN::OneDNN)
    add_library(OneDNN::OneDNN UNKNOWN IMPORTED)
    set_target_properties(OneDNN::OneDNN PROPERTIES
        IMPORTED_LOCATION "${OneDNN_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${OneDNN_INCLUDE_DIR}")
endif()
