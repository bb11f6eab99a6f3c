#!/bin/sh
# Every C file, tests too, is as clang-format leaves it.
# usage: tests/lint/format.sh [ROOT]
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}" || exit 2
if [ -e .git ]; then
	files=$(git ls-files '*.c' '*.h')
else
	files=$(find . -name '*.[ch]' -not -path './build/*')
fi
if [ -z "$files" ]; then
	echo "no C files under $(pwd)" >&2
	exit 2
fi
# shellcheck disable=SC2086 # one word per file
exec clang-format --dry-run -Werror $files
