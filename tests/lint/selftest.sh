#!/bin/sh
# shellcheck disable=SC2016 # "$1" stands in planted statements
# Plants each kind of violation in a small tree of its own: a check that does not find it,
# at its file and line, fails here. A clean tree must pass.
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT
failures=0
planted=0

say_failed() { # WHAT
	echo "tests/lint/selftest.sh: $1" >&2
	failures=$((failures + 1))
}

clean_tree() {
	rm -rf "${tree:?}"/*
	mkdir -p "$tree/common/base" "$tree/common/json" "$tree/common/engine" \
		"$tree/common/store" "$tree/supervisor/front" "$tree/supervisor/pool" \
		"$tree/worker/actions"
	cp "$here/../../.clang-format" "$tree/"
	printf '#include <string.h>\n#include <sys/socket.h>\n' >"$tree/common/base/a.c"
	printf '#include "base/a.h"\n#include <json-c/json.h>\n' >"$tree/common/json/a.c"
	cat >"$tree/common/engine/a_core.c" <<-'C'
	#include "base/a.h"
	#include "engine/b_core.h"
	#include "json/a.h"
	/* time(NULL), #include "store/a.h", "select a from b" */
	static const int table[] = { 1 };
	static int helper(const char *text);
	// read(1)
	int
	f(struct ops *ops)
	{
		ops->read(1);
		return helper("time(NULL); printf(\"x\")") + do_read(ops) + table[0];
	}
	C
	cat >"$tree/common/store/a.c" <<-'C'
	#include <libpq-fe.h>
	/* delete from a where b */
	const char *text = "select a workflow", *more = "update the list from it",
		   *name = "steps_select", *commit_hash = "commits";
	C
	printf '#include "front/b.h"\n#include "store/a.h"\n' >"$tree/supervisor/front/a.c"
	printf '#include "pool/b.h"\n' >"$tree/supervisor/pool/a.c"
	printf '#include "front/a.h"\n#include "pool/a.h"\n' >"$tree/supervisor/main.c"
	printf '#include "a.h"\n#include "b_core.h"\n' >"$tree/worker/actions/a.c"
}

expect_clean() { # CHECK
	output=$("$here/$1.sh" "$tree" 2>&1) ||
		say_failed "$1 complains about a clean tree: $output"
}

# The line is appended to the file; the check must fail and name the place.
expect_found() { # CHECK FILE TEXT
	clean_tree
	mkdir -p "$tree/$(dirname "$2")"
	printf '%s\n' "$3" >>"$tree/$2"
	line=$(($(wc -l <"$tree/$2")))
	planted=$((planted + 1))
	if output=$("$here/$1.sh" "$tree" 2>&1); then
		say_failed "$1 passes: $2: $3"
	elif ! printf '%s\n' "$output" | grep -q "^\(\./\)\?$2:$line:"; then
		say_failed "$1 does not name $2:$line: $output"
	fi
}

clean_tree
for check in layers purity sql_in_c; do
	expect_clean "$check"
done

layers() { expect_found layers "$1" "#include $2"; }
layers common/base/a.c '"json/json.h"'
layers common/json/a.c '"zone/zone.h"'
layers common/zone/a.c '"json/json.h"'
layers common/digest/a.c '"json/json.h"'
layers common/conf/a.c '"engine/workflow.h"'
layers common/loop/a.c '"json/json.h"'
layers common/lang/a.c '"engine/workflow.h"'
layers common/engine/a.c '"store/runs.h"'
layers common/engine/a.c '"zone/zone.h"'
layers common/httpc/a.c '"json/json.h"'
layers common/queue/a.c '"store/pg.h"'
layers common/store/a.c '"queue/queue.h"'
layers common/store/a.c '"worker.h"'
layers common/store/a.c '"../queue/queue.h"'
layers common/new/a.c '"base/err.h"'
layers worker/a.c '"supervisor/front/route.h"'
layers worker/a.c '"../cli/dev.h"'
layers worker/actions/a.c '"../worker.h"'
layers cli/a.c '"worker/slot.h"'
layers scheduler/a.c '"common/base/err.h"'
layers supervisor/front/a.c '"pool/pool.h"'
layers supervisor/pool/a.c '"front/front.h"'
layers common/base/a.c '<json-c/json.h>'
layers common/store/a.c '<event2/event.h>'
layers supervisor/front/a.c '<libpq-fe.h>'
layers worker/a.c '<hiredis/hiredis.h>'
layers worker/a.c '<curl/curl.h>'
layers common/engine/a.c '<yaml.h>'
layers common/lang/a.c '<glib.h>'
layers common/base/a.c '<openssl/evp.h>'
layers supervisor/pool/a.c '<wslay/wslay.h>'
layers common/base/a.c '<zlib.h>'
layers common/base/a.c '"zlib.h"'
layers common/engine/a_core.c '"base/log.h"'
layers worker/finish_core.c '"store/finishes.h"'
layers worker/finish_core.c '"zone/zone.h"'
layers worker/finish_core.h '"worker.h"'
layers common/queue/queue_core.c '"loop/loop.h"'
expect_found layers common/base/a.c '  #  include  "json/json.h"'
expect_found layers common/base/a.c '/* a
   comment */
#include "json/json.h"'

purity() { expect_found purity "$1" "$2"; }
purity common/engine/a_core.c 'x = time(NULL);'
purity common/engine/b.c '	return clock_gettime(CLOCK_REALTIME, &now);'
purity common/lang/a.c 'log_info("a.b", F_INT("n", 1));'
purity common/lang/a.h '	printf("x");'
purity worker/a_core.c 'n = read (fd, data, len);'
purity worker/a_core.c 'a("(", b ? open(path, 0) : 1);'
purity worker/a_core.c '/* text */ close(fd); /* more */'
purity worker/a_core.c "if (c == '\"') write(1, c, 1);"
purity worker/actions/a_core.c 'home = getenv("HOME");'
purity scheduler/a_core.c 'id = uuid7_new(now);'
purity scheduler/a_core.c 'POINT("a.b");'
purity scheduler/a_core.c 'localtime_r(&now, &tm);'
purity supervisor/front/a_core.c '#include <unistd.h>'
purity supervisor/front/a_core.h '#include <poll.h>'
purity supervisor/pool/a_core.c '	static int count;'
purity supervisor/pool/a_core.c 'static struct map *seen = NULL;'
purity supervisor/pool/a_core.c 'static _Thread_local int count;'

sql() { expect_found sql_in_c "$1" "$2"; }
sql common/store/a.c 'q = "select id from steps where a = $1";'
sql common/store/a.c 'q = "SELECT now()";'
sql common/store/a.c 'q = "select 1";'
sql common/store/a.c 'q = "  insert into steps values ($1)";'
sql worker/a.c 'q = "update steps set a = 1";'
sql worker/a.c 'q = "update steps as s set a = 1";'
sql cli/a.c 'q = "delete from steps";'
sql scheduler/a.c 'q = "with a as (select 1) select 2";'
sql cli/a.c 'q = "create table a (b int)";'
sql cli/a.c 'q = "drop database a";'
sql cli/a.c 'q = "listen events";'
sql common/store/a.c 'q = "set statement_timeout = 5";'
sql common/store/a.c 'q = "begin";'
sql common/store/a.h '#define Q f("select a " "from b");'

# A statement in pieces over several lines, found where it starts.
clean_tree
printf 'q = "insert "\n    "into steps "\n    "values";\n' >"$tree/worker/b.c"
planted=$((planted + 1))
output=$("$here/sql_in_c.sh" "$tree" 2>&1) && say_failed "sql_in_c passes SQL in pieces"
case $output in
worker/b.c:1:*) ;;
*) say_failed "sql_in_c does not name worker/b.c:1: $output" ;;
esac

# Format: a tree of one file, good and bad.
rm -rf "${tree:?}"/*
cp "$here/../../.clang-format" "$tree/"
mkdir -p "$tree/common/base"
printf 'static int\nf(void)\n{\n\treturn 1;\n}\n' >"$tree/common/base/a.c"
expect_clean format
printf 'static int f(void) { return 1; }\n' >"$tree/common/base/a.c"
planted=$((planted + 1))
"$here/format.sh" "$tree" 2>&1 | grep -q 'common/base/a.c:1:' ||
	say_failed "format does not name common/base/a.c:1"
"$here/format.sh" "$tree" >/dev/null 2>&1 && say_failed "format passes"

# A check that finds nothing to look at must not pass.
rm -rf "${tree:?}"/*
for check in layers purity sql_in_c format; do
	"$here/$check.sh" "$tree" >/dev/null 2>&1 && say_failed "$check passes without files"
done

if [ "$failures" -gt 0 ]; then
	exit 1
fi
echo "all $planted planted violations were found"
