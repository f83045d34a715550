#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# sallyctl web-password: a hash for web.login, and what it refuses.
set -u
sallyctl=${1:?the program}
# shellcheck source-path=SCRIPTDIR source=../../_check.sh
. "$(dirname "$0")/../../_check.sh"

makes() { [[ $(printf '%s\n' "$1" | "$sallyctl" web-password 2>/dev/null) =~ ^scrypt\$15\$8\$1\$[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}$ ]]; }
refuses() { # STATUS PASSWORD ARGUMENT...
  printf '%s\n' "$2" | "$sallyctl" web-password "${@:3}" >/dev/null 2>&1
  [ $? -eq "$1" ]
}
salted() { [ "$(echo correct-horse | "$sallyctl" web-password)" != "$(echo correct-horse | "$sallyctl" web-password)" ]; }

check "a password gets a hash" makes correct-horse
check "the same one gets another each time" salted
check "a short one is refused" refuses 1 short
check "a very long one is refused" refuses 1 "$(printf 'x%.0s' {1..1500})"
check "one on the command line is wrong usage" refuses 2 "" secret
check "help is there" "$sallyctl" web-password --help >/dev/null
exit "$bad"
