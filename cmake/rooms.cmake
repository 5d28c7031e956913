# nd_room(NAME [PCH] [ROOMS room...] [LIBS target...])
#
# One static library per room of src/, one test program per room. Sources are found by name:
# x.cc is product code, x_test.cc is its test. main.cc belongs to the program, not to a room.

if(ND_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  enable_testing()
endif()

function(nd_room name)
  cmake_parse_arguments(R "PCH" "" "ROOMS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")

  add_library(nd_${name} STATIC ${sources})
  target_include_directories(nd_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(nd_${name} PUBLIC nd_flags ${R_LIBS})
  foreach(room ${R_ROOMS})
    target_link_libraries(nd_${name} PUBLIC nd_${room})
  endforeach()
  if(R_PCH)
    # Asio is the heaviest header of the tree: read once, by the room that owns it.
    if(name STREQUAL "net")
      target_precompile_headers(nd_net PRIVATE ${PROJECT_SOURCE_DIR}/src/net/asio.h)
    else()
      target_precompile_headers(nd_${name} REUSE_FROM nd_net)
    endif()
  endif()

  if(ND_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src)
    target_compile_definitions(${name}_test PRIVATE ND_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name}_test PRIVATE nd_${name} GTest::gmock GTest::gtest_main)
    if(R_PCH)
      target_precompile_headers(${name}_test REUSE_FROM nd_net)
    endif()
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60)
  endif()
endfunction()
