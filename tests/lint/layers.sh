#!/bin/sh
# Includes point down only, and each library's header stays behind its door.
# usage: tests/lint/layers.sh [ROOT]
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}" || exit 2
files=$("$here/c_files") || exit 2
# shellcheck disable=SC2086 # one word per file
exec awk -f "$here/c_text.awk" -f "$here/layers.awk" $files
