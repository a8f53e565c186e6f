#!/bin/sh
# run.sh [SECONDS]: builds the fuzz targets and runs each so long, 60 by default, from the seeds beside this file. What is
# found goes to drivers/libcontainer/native/build/fuzz/; fails at the first finding.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
native=$here/../../../drivers/libcontainer/native
make -s -C "$native" fuzz
cd "$native/build/fuzz"
for target in program users frames escape log tar; do
  mkdir -p "corpus/$target"
  "./$target" -max_total_time="${1:-60}" -max_len=65536 -print_final_stats=1 -artifact_prefix="$target-" \
    "corpus/$target" "$here/seeds/$target" 2>&1 | grep -E 'stat::|ERROR|SUMMARY|Test unit' || true
  if ls "$target"-* >/dev/null 2>&1; then exit 1; fi
  echo "$target: nothing found"
done
