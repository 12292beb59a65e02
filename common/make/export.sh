#!/bin/sh
# Write a chapter to a folder that builds and runs without the repository.
#
# usage: export.sh FOLDER CHAPTER FILE...    (run at the top of the repository)
# exit 1 and a sentence if the folder holds anything already
set -eu

folder=$1
chapter=$2
shift 2

if [ -e "$folder" ] && [ -n "$(ls -A "$folder" 2>&1)" ]; then
    echo "export: $folder is not an empty folder: name a new one with DIR=" >&2
    exit 1
fi
mkdir -p "$folder"
tar -cf "$folder/files.tar" --exclude=__pycache__ "$@"
(cd "$folder" && tar -xf files.tar && rm files.tar)

cat >"$folder/Makefile" <<END
# First Light, chapter $chapter, on its own: make, make run, make screen, make debug

chapter := $chapter
include common/make/alone.mk
END
echo "$folder: chapter $chapter. In there: make run"
