#!/bin/sh
# No SQL in C: one statement per file under sql/.
# usage: tests/lint/sql_in_c.sh [ROOT]
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}" || exit 2
files=$("$here/c_files") || exit 2
# shellcheck disable=SC2086 # one word per file
exec awk -f "$here/c_text.awk" -f "$here/sql_in_c.awk" $files
