#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every test of Sallyport, in one command: see usage below.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

usage() {
  cat <<EOF
Usage: sudo tests/run.sh [--suite NAME] [--sanitize] [--fuzz [SECONDS]] [--list] [--help]

Installs what the tests need (Debian 12 packages), builds into build-test, and runs the tests. Ends
with the line "N passed, N failed"; the log of each failed test is shown before it.

  --suite NAME   only one suite: unit, vectors, differential, threats-media, integration, operate (packages,
                 units, upgrades), or threats-sip (those of unit and integration that attack the
                 signalling)
  --sanitize     instead: all but integration and operate under AddressSanitizer and UBSan (gcc), and the
                 lock-free table with threads, and PostgreSQL's thread, under ThreadSanitizer
                 (clang)
  --fuzz [N]     instead: each libFuzzer target for N seconds (default 60) from its seeds; a normal run
                 gives each 6 seconds
  --list         name the tests, run none
  --help         this text

Exit status: 0 all passed, 1 some failed or nothing could be run, 2 usage.
EOF
}

suites="unit vectors differential threats-media integration operate" sanitize=no list=no fuzz=6 only_fuzz=no
while [ $# -gt 0 ]; do
  case $1 in
    --suite)
      [ $# -gt 1 ] || { usage >&2; exit 2; }
      suites=$2
      shift
      ;;
    --sanitize) sanitize=yes ;;
    --fuzz)
      only_fuzz=yes fuzz=60
      case ${2:-} in
        [1-9]*) fuzz=$2; shift ;;
      esac
      ;;
    --list) list=yes ;;
    -h | --help) usage; exit 0 ;;
    *) echo "run.sh: what is \"$1\"?" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
for suite in $suites; do
  case $suite in
    unit | vectors | differential | threats-media | threats-sip | integration | operate) ;;
    *) echo "run.sh: there is no suite \"$suite\"" >&2; exit 2 ;;
  esac
done
if [ "$(id -u)" -ne 0 ]; then
  echo "run.sh: run it as root (sudo): it installs packages, and the integration tests make network namespaces" >&2
  exit 1
fi

passed=0 failed=0
losers=$(mktemp) # what failed, and the end of its log: told once more at the end
trap 'rm -f "$losers"' EXIT

# finish: the last words
finish() {
  [ "$failed" -eq 0 ] || { echo "== what failed, once more"; cat "$losers"; }
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}

fail() {
  echo "run.sh: $*" >&2
  failed=$((failed + 1))
  finish
  exit 1
}

# build FOLDER [MESON_OPTION]...: all of it, or what $build_only names
build() {
  local folder=$1
  shift
  echo "== building ${folder##*/}"
  if [ ! -f "$folder/build.ninja" ]; then
    meson setup "$folder" "$root" "$@" >"$folder.log" 2>&1 </dev/null || {
      tail -20 "$folder.log" >&2
      return 1
    }
  fi
  ninja -C "$folder" ${build_only:+"$build_only"} 2>&1 </dev/null | tee "$folder.log" | awk 'NR % 25 == 0 { print "   " $1, $2; fflush() }'
  [ "${PIPESTATUS[0]}" -eq 0 ] || {
    grep -E -A12 "error|FAILED" "$folder.log" | tail -40 >&2
    return 1
  }
  rm -f "$folder.log"
}

# run_tests FOLDER [MESON_TEST_ARGUMENT]...: runs, counts, shows what failed
run_tests() {
  local folder=$1 counts
  shift
  rm -f "$folder/meson-logs/testlog.json"
  meson test -C "$folder" --no-rebuild --print-errorlogs "$@" </dev/null 2>&1 |
    grep -vE '^(ninja:|Full log written|Expected Fail|Unexpected Pass|$)'
  [ -f "$folder/meson-logs/testlog.json" ] || fail "no test ran in $folder"
  # a skipped test has shown nothing: it is not passed
  counts=$(jq -rs '[([.[] | select(.result == "OK" or .result == "EXPECTEDFAIL")] | length),
    ([.[] | select(.result != "OK" and .result != "EXPECTEDFAIL")] | length)] | @tsv' \
    "$folder/meson-logs/testlog.json")
  passed=$((passed + $(cut -f1 <<<"$counts")))
  failed=$((failed + $(cut -f2 <<<"$counts")))
  jq -rs '.[] | select(.result != "OK" and .result != "EXPECTEDFAIL") | "-- \(.name): \(.result)",
    (((.stdout // "") + (.stderr // "")) | split("\n") | .[-25:][])' "$folder/meson-logs/testlog.json" >>"$losers"
}

# fuzz_one FOLDER NAME SECONDS: a target from its seeds and its corpus, what long runs found, in the tree; what breaks it is kept in its
# folder, and breaks it again the next time
fuzz_one() {
  local folder=$1 name=$2 log=$1/$2.log place inputs=()
  for place in "$folder/seeds/$name" "$here/fuzz/corpus/$name"; do
    [ -d "$place" ] && inputs+=("$place")
  done
  mkdir -p "$folder/found/$name"
  echo "-- fuzz $name: it did not end" >"$folder/$name.failed"
  if ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$folder/tests/fuzz/fuzz_$name" \
    -max_total_time="$3" -rss_limit_mb=4096 -timeout=20 -max_len=2000 -print_final_stats=1 -artifact_prefix="$folder/found/$name/" \
    "$folder/found/$name" "${inputs[@]}" >"$log" 2>&1 </dev/null; then
    rm -f "$folder/$name.failed"
    echo "   fuzz $name: $(grep -ac NEW "$log") new inputs, $(sed -n 's/stat::number_of_executed_units: *//p' "$log") runs"
    return
  fi
  # the reason first: what the target itself said, and the sanitizer; then what broke it, and where
  {
    echo "-- fuzz $name"
    grep -vaE '^#[0-9]+|^INFO' "$log" | grep -aE -m 1 -B 1 'ERROR: |runtime error: |DEADLYSIGNAL'
    grep -aE '^artifact_prefix' "$log"
    grep -vaE '^#[0-9]+|^INFO|^stat::|^0x' "$log" | tail -15
  } | cut -c1-300 >"$folder/$name.failed"
}

# fuzz SECONDS: all targets, two at a time
run_fuzzers() {
  local target name names=() folder=$root/build-fuzz
  build_only=fuzzers CC=clang build "$folder" -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false || fail "the fuzzers' build failed"
  python3 "$here/fuzz/make_corpus.py" "$folder/seeds" "$root/deploy/sallyport.yaml" || fail "the fuzzers have no seeds"
  for target in "$folder"/tests/fuzz/fuzz_*; do
    [ -f "$target" ] && [ -x "$target" ] && names+=("${target##*/fuzz_}")
  done
  echo "== fuzz: ${#names[@]} targets, $1 s each"
  for name in "${names[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
    fuzz_one "$folder" "$name" "$1" &
  done
  wait
  for name in "${names[@]}"; do
    if [ -f "$folder/$name.failed" ]; then
      echo "FAIL: fuzz $name"
      tee -a "$losers" <"$folder/$name.failed"
      failed=$((failed + 1))
    else
      passed=$((passed + 1))
    fi
  done
}

echo "== packages"
"$root/deploy/packages.sh" build test || fail "packages are missing"

if [ "$only_fuzz" = yes ]; then
  run_fuzzers "$fuzz"
elif [ "$sanitize" = yes ]; then
  build "$root/build-asan" -Db_sanitize=address,undefined -Db_lundef=false -Dwerror=true ||
    fail "the ASan build failed"
  build_tsan() {
    CC=clang build "$root/build-tsan" -Db_sanitize=thread -Db_lundef=false -Dwerror=true
  }
  build_tsan || fail "the TSan build failed"
  # DPDK's memory and OpenSSL's one-time tables live as long as the process
  export ASAN_OPTIONS=abort_on_error=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  export LSAN_OPTIONS=suppressions=$here/lsan.supp:print_suppressions=0
  run_tests "$root/build-asan" --suite unit --suite vectors --suite differential --suite threats-media -t 4
  run_tests "$root/build-tsan" port_table_threads users_postgres -t 4
else
  build "$root/build-test" -Dwerror=true || fail "the build failed"
  if [ "$list" = yes ]; then
    meson test -C "$root/build-test" --list 2>/dev/null
    exit 0
  fi
  ran=() # a test of two suites runs once
  for suite in $suites; do
    echo "== suite $suite"
    run_tests "$root/build-test" --suite "$suite" "${ran[@]}"
    ran+=(--no-suite "$suite")
  done
  case $suites in
    *\ *) run_fuzzers "$fuzz" ;;
  esac
fi
[ $((passed + failed)) -gt 0 ] || fail "there was no test to run"
finish
