#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Only the files that are for wide registers may hold instructions that not every x86-64-v2 CPU has: anything
# else that did would end the relay with an illegal instruction there. Reads the object files of the
# build folder that is named.
set -u
build=${1:?the build folder}
bad=0 looked=0 wide=0
wide_registers='%[yz]mm|%k[0-7]|sha1rnds4'

while IFS= read -r object; do
  looked=$((looked + 1))
  case $object in
    *libwide_*)
      wide=$((wide + 1))
      objdump -d --no-show-raw-insn "$object" | grep -qE "$wide_registers" && continue
      echo "NOT OK: $object has none of its instructions: is the test blind?"
      bad=1
      ;;
    *)
      objdump -d --no-show-raw-insn "$object" | grep -E -m 3 "$wide_registers" || continue
      echo "NOT OK: $object has instructions that not every CPU has"
      bad=1
      ;;
  esac
done < <(find "$build/dataplane" "$build/relay" "$build/control" -name '*.o')
echo "$looked object files, $wide of them with wide instructions"
[ "$wide" -eq 5 ] && [ "$looked" -gt 60 ] && [ "$bad" -eq 0 ]
