# The simulation, see sim.c. Where no tests are built (release) it is built when asked
# for: cmake --build --preset release --target sim.
file(GLOB sim_rooms CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/sim/*.c)
set(sim_cores worker/finish_core.c worker/bulk_core.c worker/slot_core.c
	worker/slots_core.c scheduler/timers_core.c)
list(TRANSFORM sim_cores PREPEND ${CMAKE_SOURCE_DIR}/)
add_executable(sim ${sim_rooms} ${sim_cores})
set_target_properties(sim PROPERTIES
	RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests
	EXCLUDE_FROM_ALL $<NOT:$<BOOL:${STEPMILL_TESTS}>>)
target_include_directories(sim PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/worker)
target_link_libraries(sim PRIVATE sm_conf sm_engine)
if(STEPMILL_TESTS)
	foreach(seed 1 2 3)
		add_test(NAME sim_${seed} COMMAND sim --seed ${seed} --steps 100000)
		set_tests_properties(sim_${seed} PROPERTIES TIMEOUT 120 LABELS unit)
	endforeach()
endif()
