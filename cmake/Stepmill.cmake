# How a folder becomes a library or a program.

# stepmill_library(NAME DEPENDENCY...): common/NAME/*.c, linked with what is named only.
function(stepmill_library name)
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/common/${name}/*.c)
	set(libraries "")
	foreach(dependency ${ARGN})
		if(dependency MATCHES "::|^-l")
			list(APPEND libraries ${dependency})
		else()
			list(APPEND libraries sm_${dependency})
		endif()
	endforeach()
	if(sources)
		add_library(sm_${name} STATIC ${sources})
		target_include_directories(sm_${name} PUBLIC ${CMAKE_SOURCE_DIR}/common)
		target_link_libraries(sm_${name} PUBLIC ${libraries})
	else()
		add_library(sm_${name} INTERFACE)
		target_include_directories(sm_${name} INTERFACE ${CMAKE_SOURCE_DIR}/common)
		target_link_libraries(sm_${name} INTERFACE ${libraries})
	endif()
endfunction()

# stepmill_embed_sql(NAME): every sql/**/*.sql becomes a C string in the library.
function(stepmill_embed_sql name)
	file(GLOB statements CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sql/*.sql
		${CMAKE_SOURCE_DIR}/sql/migrations/*.sql)
	set(out ${CMAKE_BINARY_DIR}/generated/sql_embedded.c)
	add_custom_command(OUTPUT ${out}
		COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DROOT=${CMAKE_SOURCE_DIR}/sql
			-P ${CMAKE_SOURCE_DIR}/cmake/EmbedSql.cmake
		DEPENDS ${statements} ${CMAKE_SOURCE_DIR}/cmake/EmbedSql.cmake
		COMMENT "Embedding SQL")
	get_target_property(type sm_${name} TYPE)
	if(type STREQUAL "STATIC_LIBRARY")
		target_sources(sm_${name} PRIVATE ${out})
	endif()
endfunction()

# stepmill_embed_documents(NAME): docs/api/*.yaml become C strings of JSON in the library.
function(stepmill_embed_documents name)
	file(GLOB documents CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/api/*.yaml)
	set(out ${CMAKE_BINARY_DIR}/generated/documents_embedded.c)
	# Debian's own first: it is the one that python3-yaml was installed for.
	find_program(STEPMILL_PYTHON python3 HINTS /usr/bin REQUIRED)
	add_custom_command(OUTPUT ${out}
		COMMAND ${STEPMILL_PYTHON} ${CMAKE_SOURCE_DIR}/cmake/embed_documents.py
			${out} ${documents}
		DEPENDS ${documents} ${CMAKE_SOURCE_DIR}/cmake/embed_documents.py
		COMMENT "Embedding documents")
	target_sources(sm_${name} PRIVATE ${out})
endfunction()

# stepmill_embed_workflows(NAME): NAME/own/*.yaml become C strings in the library.
function(stepmill_embed_workflows name)
	file(GLOB workflows CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/own/*.yaml)
	set(out ${CMAKE_BINARY_DIR}/generated/own_workflows_embedded.c)
	find_program(STEPMILL_PYTHON python3 HINTS /usr/bin REQUIRED)
	add_custom_command(OUTPUT ${out}
		COMMAND ${STEPMILL_PYTHON} ${CMAKE_SOURCE_DIR}/cmake/embed_texts.py
			${out} front/own_workflows.h "struct own_text" own_texts ${workflows}
		DEPENDS ${workflows} ${CMAKE_SOURCE_DIR}/cmake/embed_texts.py
		COMMENT "Embedding workflows")
	target_sources(sm_${name} PRIVATE ${out})
endfunction()

# stepmill_program(BINARY FOLDER DEPENDENCY...): main.c is linked into the program; all
# other files of the folder form a library that unit tests link too.
function(stepmill_program binary folder)
	file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
	set(main ${CMAKE_SOURCE_DIR}/${folder}/main.c)
	list(REMOVE_ITEM sources ${main})
	list(FILTER sources EXCLUDE REGEX "/${folder}/init/[^/]*$")
	set(libraries "")
	foreach(dependency ${ARGN})
		list(APPEND libraries sm_${dependency})
	endforeach()
	if(sources)
		add_library(sm_${folder} STATIC ${sources})
		target_include_directories(sm_${folder} PUBLIC ${CMAKE_SOURCE_DIR}
			${CMAKE_SOURCE_DIR}/${folder})
		target_link_libraries(sm_${folder} PUBLIC ${libraries})
	endif()
	if(EXISTS ${main})
		add_executable(${binary} ${main})
		if(sources)
			target_link_libraries(${binary} PRIVATE sm_${folder})
		else()
			target_include_directories(${binary} PRIVATE ${CMAKE_SOURCE_DIR})
			target_link_libraries(${binary} PRIVATE ${libraries})
		endif()
	endif()
endfunction()

# stepmill-init, the first process of a step's child program: small, static, libc only, and
# never built with a sanitizer (it is process 1 of its namespace) nor with counters (it runs
# as who may not write them, and what it prints is the step's).
function(stepmill_init)
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/worker/init/*.c)
	add_executable(stepmill-init ${sources} ${CMAKE_SOURCE_DIR}/worker/descendants.c)
	target_include_directories(stepmill-init PRIVATE ${CMAKE_SOURCE_DIR}/worker)
	target_compile_options(stepmill-init PRIVATE -fno-sanitize=all -fno-profile-arcs
		-fno-test-coverage)
	target_link_options(stepmill-init PRIVATE -fno-sanitize=all -static)
	foreach(user stepmill-worker sm_worker)
		if(TARGET ${user})
			add_dependencies(${user} stepmill-init)
		endif()
	endforeach()
endfunction()
