# Who may include whom, and which folder is the door to which library. Paths are relative
# to the root. Complains about an include that points up or aside, about a library outside
# its door, about a library that has no door yet, and about includes that name no layer.

BEGIN {
	may["base"] = "base"
	may["json"] = "json base"
	may["zone"] = "zone base"
	may["digest"] = "digest base"
	may["files"] = "files base digest"
	may["conf"] = "conf base json"
	may["loop"] = "loop base"
	may["lang"] = "lang base json zone"
	may["engine"] = "engine base json lang"
	may["httpc"] = "httpc base loop"
	may["queue"] = "queue base loop"
	may["store"] = "store base json loop engine"
	may["record"] = "record base engine files loop store"

	door["json-c/"] = "common/json"
	door["event2/"] = "common/loop"
	door["event.h"] = "common/loop"
	door["libpq-fe.h"] = "common/store"
	door["hiredis/"] = "common/queue"
	door["curl/"] = "common/httpc"
	door["yaml.h"] = "common/conf"
	door["glib.h"] = "common/zone"
	door["openssl/"] = "common/digest"
	door["wslay/"] = "supervisor/front"
	door["zlib.h"] = "supervisor/front"

	split("aio assert ctype dirent elf endian errno fcntl fenv float fnmatch getopt glob " \
	      "grp inttypes libgen limits locale math netdb paths poll pthread pwd regex " \
	      "sched setjmp signal spawn stdalign stdarg stdatomic stdbool stddef stdint " \
	      "stdio stdlib stdnoreturn string strings syslog termios time uchar unistd " \
	      "wchar wctype", names, " ")
	for (i in names)
		of_the_system[names[i] ".h"] = 1
}

# "common/json", "supervisor/front", "worker": where a file belongs.
function folder_of(path,    parts, count)
{
	count = split(path, parts, "/")
	if (parts[1] == "common" || (parts[1] == "supervisor" && count > 2))
		return parts[1] "/" parts[2]
	return parts[1]
}

# The door a library header has, "" for one of the system, "?" for an unknown one.
function door_of(header,    first)
{
	if (header in door)
		return door[header]
	first = header
	if (sub(/\/.*/, "/", first)) {
		if (first in door)
			return door[first]
		return first ~ /^(sys|net|netinet|arpa|linux|asm)\/$/ ? "" : "?"
	}
	return (header in of_the_system) ? "" : "?"
}

function check_library(folder, header,    right)
{
	right = door_of(header)
	if (right == "?")
		complain("<" header "> has no door: give it one in tests/lint/layers.awk")
	else if (right != "" && right != folder)
		complain("<" header "> is included in " right " only")
}

function check_common(layer, first, header)
{
	if (first == header)
		complain("\"" header "\" does not name its layer")
	else if (!(first in may))
		complain("common/" layer " may not include \"" header "\"")
	else if (index(" " may[layer] " ", " " first " ") == 0)
		complain("common/" layer " may not include \"" header "\"")
}

# A process may include all of common, and itself by paths from its own folder.
function check_process(folder, first, header)
{
	if (first ~ /^(supervisor|worker|scheduler|cli|common|tests|\.|\.\.)$/ && first != header)
		complain(folder " may not include \"" header "\"")
	else if (folder == "supervisor/front" && first == "pool")
		complain("front may not include \"" header "\"")
	else if (folder == "supervisor/pool" && first == "front")
		complain("pool may not include \"" header "\"")
}

# What is decided without the world is decided from what is pure.
function check_core(first, header)
{
	if (first ~ /^(base|json|lang|engine)$/ && header != "base/log.h")
		return
	if (header ~ /_core\.h$/ && (first == layer || first == "files" || !(first in may)))
		return
	complain("a core may not include \"" header "\"")
}

{
	line = $0
	code(line) # follows comments
	if (c_comment_before == 1 && FNR > 1) {
		c_comment_before = c_comment
		next
	}
	c_comment_before = c_comment
	if (line !~ /^[ \t]*#[ \t]*include[ \t]*[<"]/)
		next
	folder = folder_of(FILENAME)
	layer = folder
	sub(/^common\//, "", layer)
	header = line
	sub(/^[ \t]*#[ \t]*include[ \t]*/, "", header)
	kind = substr(header, 1, 1)
	header = substr(header, 2)
	sub(/[>"].*/, "", header)
	first = header
	sub(/\/.*/, "", first)
	if (kind == "<")
		check_library(folder, header)
	else if (folder ~ /^common\//)
		check_common(layer, first, header)
	else
		check_process(folder, first, header)
	if (kind == "\"" && FILENAME ~ /_core\.[ch]$/)
		check_core(first, header)
}
