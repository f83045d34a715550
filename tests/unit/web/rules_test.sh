#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The alert rules and the dashboard: promtool reads every expression, each alert fires when it should and is quiet
# when not, each tells what to do, and no metric is named that the program's sources do not name.
set -u
root=$(cd "$(dirname "$0")/../../.." && pwd)
rules=$root/deploy/prometheus/sallyport.rules.yaml board=$root/deploy/grafana/sallyport.json
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source-path=SCRIPTDIR source=../../_check.sh
. "$(dirname "$0")/../../_check.sh"

# the dashboard's expressions as recording rules, with what Grafana puts in for its variables
expressions() {
  jq -r '.panels[].targets[]?.expr' "$board" | sed 's/\$__rate_interval/5m/g; s/\$instance/.*/g'
}
{
  echo "groups:"
  echo "  - name: board"
  echo "    rules:"
  expressions | jq -Rr '"      - {record: \"board:\(input_line_number)\", expr: \(. | @json)}"'
} >"$dir/board.yaml"
check "the rules are good" promtool check rules "$rules"
check "the alerts fire when they should, and only then" promtool test rules "$root/tests/unit/web/alerts.yaml"
check "the dashboard has expressions" [ "$(expressions | wc -l)" -gt 20 ]
check "and they are good" promtool check rules "$dir/board.yaml"
check "each alert tells what to do" [ "$(grep -c 'alert:' "$rules")" -eq "$(grep -c 'runbook: ".\{40,\}"' "$rules")" ]
panels_are_apart() { [ "$(jq '[.panels[].id] | length - (unique | length)' "$board")" -eq 0 ]; }
check "no two panels have one number" panels_are_apart
unknown() {
  grep -oh 'sallyport_[a-z_]*' "$rules" "$board" | sed -E 's/_(bucket|sum|count)$//' | sort -u | while read -r name; do
    grep -qrF "\"$name\"" "$root"/web/*.c || echo "$name is no metric"
  done
}
check "each metric that they name is one" [ -z "$(unknown)" ]
unknown
exit "$bad"
