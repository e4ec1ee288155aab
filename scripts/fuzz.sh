#!/usr/bin/env bash
# Fuzzes every parser of outside bytes, each for a time, and prints one table.
#
#   scripts/fuzz.sh 10m                 every Fuzz function in the tree
#   scripts/fuzz.sh 10m camera liveness only packages below these folders
#   scripts/fuzz.sh 10m camera/onvif:FuzzReply   only this one (several may be named)
#
# FUZZ_JOBS (default: one a core) functions run at once, each with one worker.
# Inputs that reached new code are kept in bin/fuzz/corpus for the next run; an input that crashes is
# written to the package's testdata/fuzz, where `go test` runs it from then on: fix the cause, keep the file.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = --run ]; then # one function of the list: how this script calls itself
	one=$3:$4
	shift
fi
time=${1:?how long for each, like 30s or 10m}
shift
jobs=${FUZZ_JOBS:-$(nproc)}
out=$PWD/bin/fuzz
mkdir -p "$out"

# found prints "folder function" for each Fuzz function of the tree that was asked for.
found() {
	git ls-files '*_test.go' | xargs grep -H '^func Fuzz' |
		sed -E 's|^(.*)/[^/]*_test\.go:func (Fuzz[A-Za-z0-9_]*)\(.*|\1 \2|' | sort -u |
		while read -r folder function; do
			[ $# -gt 0 ] || { echo "$folder $function"; continue; }
			for want; do
				case "$want" in
				"$folder:$function" | "$folder") echo "$folder $function" ;;
				*:*) ;;
				*) [ "${folder#"$want"/}" = "$folder" ] || echo "$folder $function" ;;
				esac
			done
		done
}

# run fuzzes one function and prints its row.
run() {
	local folder=$1 function=$2 name=${1//\//_} verdict=ok executions fresh total
	local log=$out/$name.$function.log
	(cd "$folder" && exec "$out/$name.test" -test.run "^$function\$" -test.fuzz "^$function\$" -test.fuzztime "$time" \
		-test.parallel 1 -test.fuzzcachedir "$out/corpus/$folder" -test.timeout 0) >"$log" 2>&1 || verdict="FAILED: $log"
	executions=$(sed -nE 's/.* execs: ([0-9]+) .*/\1/p' "$log" | tail -1)
	fresh=$(sed -nE 's/.* new interesting: ([0-9]+) .*/\1/p' "$log" | tail -1)
	total=$(sed -nE 's/.* \(total: ([0-9]+)\).*/\1/p' "$log" | tail -1)
	echo "| $folder | $function | ${executions:-0} | ${fresh:-0} | ${total:-0} | $verdict |" | tee -a "$out/rows"
}

if [ -n "${one:-}" ]; then
	run "${one%:*}" "${one#*:}"
	exit
fi

list=$(found "$@")
[ -n "$list" ] || { echo "no Fuzz function is called $*" >&2; exit 1; }
# Every package is built before the first runs: the tree may be edited meanwhile.
for folder in $(echo "$list" | cut -d' ' -f1 | uniq); do
	go test -c -fuzz . -o "$out/${folder//\//_}.test" "./$folder"
done
: >"$out/rows"
echo "| package | function | executions | new inputs | corpus | verdict |"
echo "|---|---|---|---|---|---|"
echo "$list" | xargs -L 1 -P "$jobs" "$0" --run "$time"
! grep -q FAILED "$out/rows"
