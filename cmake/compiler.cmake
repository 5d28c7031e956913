# Compiler and linker settings shared by every target.

find_program(ND_CCACHE ccache)
if(ND_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ND_CCACHE})
  set(ENV{CCACHE_SLOPPINESS} "pch_defines,time_macros")
endif()

add_library(nd_flags INTERFACE)
target_compile_options(nd_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -fstack-protector-strong -fno-omit-frame-pointer -fPIE)
target_link_options(nd_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
target_compile_definitions(nd_flags INTERFACE
  ND_VERSION="${PROJECT_VERSION}"
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_TS_EXECUTORS)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(nd_flags INTERFACE -Wthread-safety -Wno-gnu-zero-variadic-macro-arguments)
  target_compile_options(nd_flags INTERFACE -Wno-unused-command-line-argument)
  target_link_options(nd_flags INTERFACE -fuse-ld=lld)
  # Without a time stamp in the precompiled header ccache can answer for the files that use it.
  target_compile_options(nd_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
else()
  target_compile_options(nd_flags INTERFACE -fpch-preprocess)  # for ccache, too
  # GCC 12 sees dangling and uninitialised objects in inlined coroutine frames and std::variant that are not there.
  target_compile_options(nd_flags INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-dangling-pointer -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_definitions(nd_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
if(ND_SANITIZE)
  target_compile_options(nd_flags INTERFACE -fsanitize=${ND_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(nd_flags INTERFACE -fsanitize=${ND_SANITIZE})
  if(ND_FUZZ)
    target_compile_options(nd_flags INTERFACE -fsanitize=fuzzer-no-link)
  endif()
endif()

function(nd_target name)
  target_link_libraries(${name} PRIVATE nd_flags)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
endfunction()
