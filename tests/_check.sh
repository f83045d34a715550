# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Sourced by tests in shell. They end with "exit $bad".
# shellcheck disable=SC2034 # used by those
bad=0

# check SENTENCE COMMAND...: notes whether it holds, and goes on
check() {
  local sentence=$1
  shift
  if "$@"; then
    echo "ok: $sentence"
  else
    echo "NOT OK: $sentence"
    bad=1
  fi
}
