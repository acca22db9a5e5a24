# Decides whether a run of the tests passed. tests/run sources this file; tests/runner/self_test tests it.
#
# A part counts when it exits with 0, its output has the closing line of its test runner, and that line counts no failure
# and at least as many tests as the table below asks for. A part that was asked for and was not judged is a failure.
# shellcheck shell=bash

# GROUP PART MINIMUM. The group `always` is part of each run. The minimum is the number of tests that passed or were
# skipped; raise it when tests are added, lower it only together with the commit that removes tests.
parts_table='
always         self-tests     50
rust           format         1
rust           rust           1300
rust           otel           1
rust           lints          1
browser        browser        120
clients        clients        170
oauth-clients  oauth-clients  22
schemathesis   schemathesis   32
ship           ship-forms     10
ship           ship-image     4
always         secrets        1
'

# Results: the names of the parts in each state, and the tests counted over all of them. `output` is the directory of the
# logs, `groups` the groups that were asked for, and `no_skips` is not empty where a skip is a failure.
runner=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
passed_parts=()
failed_parts=()
failed_logs=()
notes=()
skipped_parts=()
judged=' '
passed_tests=0
failed_tests=0
skipped_tests=0

step() { printf '\n== %s\n' "$*"; }

# count LOG: prints "PASSED FAILED SKIPPED" from the closing lines of nextest, cargo test, Node.js, unittest and our own
# scripts ("N passed, N failed, N skipped").
count() {
    awk '
        function number(before, after) {
            return match($0, before "[0-9]+" after) ? substr($0, RSTART + length(before)) + 0 : 0
        }
        /^ *Summary \[.*\] .*tests? run: / {
            passed += number("", " passed")
            failed += number("", " failed") + number("", " exec failed") + number("", " timed out")
            skipped += number("", " skipped")
        }
        /^test result: / {
            passed += number("", " passed;")
            failed += number("", " failed;")
            skipped += number("", " ignored;")
        }
        /^(# |ℹ )pass [0-9]+$/ { passed += $NF }
        /^(# |ℹ )(fail|cancelled) [0-9]+$/ { failed += $NF }
        /^(# |ℹ )(skipped|todo) [0-9]+$/ { skipped += $NF }
        /^Ran [0-9]+ tests? in / { ran = $2 }
        /^(OK|FAILED)( \(.*\))?$/ && ran != "" {
            wrong = number("failures=", "") + number("errors=", "") + number("unexpected successes=", "")
            passed += ran - wrong - number("skipped=", "")
            failed += wrong
            skipped += number("skipped=", "")
            ran = ""
        }
        /^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { passed += $1; failed += $3; skipped += $5 }
        END { print passed + 0, failed + 0, skipped + 0 }
    ' "$1"
}

# closing LOG: the lines that count tests, for people.
closing() {
    grep -aE '^( *Summary \[|test result: |(# |ℹ )(tests|pass|fail|skipped) |Ran [0-9]+ test|[0-9]+ passed, |(image|containers|syscalls|agree|schemathesis|python|node|life|table|secrets scan): )' "$1" || true
}

# unsteady NAME LOG: notes the tests that passed or failed at the second try alone (tests/runner/twice and nextest say so).
unsteady() {
    local test
    while read -r test; do
        notes+=("$1: $test")
    done < <(sed -nE -e 's/^ *FLAKY [^]]*\] +(\([^)]*\) )?(.*)/\2 passed only at the second try/p' \
        -e 's/^PASSED AT THE SECOND TRY: (.*)/\1 passed only at the second try/p' \
        -e 's/^FAILED ONLY AT THE SECOND TRY: (.*)/\1 failed only at the second try/p' "$2")
}

# what_failed LIMIT LOG: the tests that failed, with place and message, in at most LIMIT lines; else the end of the log.
what_failed() {
    local found
    found=$(awk -v "limit=$1" -f "$runner/failures.awk" "$2" 2>/dev/null || true)
    if [ -n "$found" ]; then echo "$found"; else tail -n "$1" "$2" 2>/dev/null | cut -c1-160; fi
}

# fail NAME REASON [FAILURES [LOG]]
fail_part() {
    failed_parts+=("$1: $2")
    [ -z "${4-}" ] || failed_logs+=("$1 $4")
    failed_tests=$((failed_tests + ${3:-1}))
    judged="$judged$1 "
    echo "FAILED: $1: $2"
}

# skip NAME REASON: something that was asked for cannot run on this machine.
skip() {
    skipped_parts+=("$1: $2")
    skipped_tests=$((skipped_tests + 1))
    judged="$judged$1 "
    echo "SKIPPED: $1: $2"
}

# judge NAME STATUS: the result of a part, by its exit code and its log.
judge() {
    local name=$1 status=$2 log=$output/$1.log passed failed skipped minimum
    step "$name"
    read -r passed failed skipped <<<"$(count "$log")"
    minimum=$(awk -v part="$name" '$2 == part { print $3 }' <<<"$parts_table")
    passed_tests=$((passed_tests + passed))
    closing "$log"
    [ ! -f "$log" ] || unsteady "$name" "$log"
    if [ "$status" != 0 ] || [ "$failed" != 0 ]; then
        tail -n 150 "$log"
        fail_part "$name" "exit code $status, $failed tests failed; the output is in $log" "$((failed ? failed : 1))" "$log"
    elif [ -z "$minimum" ]; then
        fail_part "$name" "it is not in the table of tests/runner/judge.sh"
    elif [ $((passed + skipped)) -lt "$minimum" ]; then
        fail_part "$name" "$((passed + skipped)) tests ran, and at least $minimum are expected; the output is in $log" 1 "$log"
    else
        passed_parts+=("$name")
        judged="$judged$name "
    fi
    if [ "$skipped" != 0 ]; then
        skipped_parts+=("$name: $skipped tests; see $log")
        skipped_tests=$((skipped_tests + skipped))
    fi
}

# result: the summary, then what failed (often only the end of the output is kept), and a last line that counts the tests. Its
# status is that of the run.
result() {
    local group part minimum log
    while read -r group part minimum; do
        case " always $groups " in *" $group "*) ;; *) continue ;; esac
        case $judged in *" $part "*) ;; *) fail_part "$part" "it did not run (at least $minimum tests are expected)" ;; esac
    done < <(grep . <<<"$parts_table")
    step "result"
    [ ${#passed_parts[@]} = 0 ] || echo "passed: ${passed_parts[*]}"
    [ ${#skipped_parts[@]} = 0 ] || printf 'skipped: %s\n' "${skipped_parts[@]}"
    if [ ${#skipped_parts[@]} != 0 ] && [ -n "$no_skips" ]; then
        failed_parts+=("skips are failures here")
        failed_tests=$((failed_tests + 1))
    fi
    [ ${#notes[@]} = 0 ] || printf 'note: %s\n' "${notes[@]}" |
        awk 'NR <= 10 { print } END { if (NR > 10) print "note: and " NR - 10 " more" }'
    [ ${#failed_parts[@]} = 0 ] || printf 'FAILED: %s\n' "${failed_parts[@]}"
    for log in "${failed_logs[@]+"${failed_logs[@]}"}"; do
        printf '\nwhat failed in %s:\n' "${log%% *}"
        what_failed $((36 / ${#failed_logs[@]})) "${log#* }"
    done
    echo "$passed_tests passed, $failed_tests failed, $skipped_tests skipped"
    [ ${#failed_parts[@]} = 0 ]
}
