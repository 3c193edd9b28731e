#!/bin/sh
# Runs the suites that are built, keeps quiet about what is well, shows the log of what is not, and counts.
#
#   sh tests/run.sh all     everything, also as an ordinary user and under the sanitizers (make test)
#   sh tests/run.sh fast    unit, conformance (make check)
#
# The last line is "tests: N passed, M failed", with what passed only alone behind it.
set -u
mode=${1:-all}
cd "$(dirname "$0")/.." || exit 2
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
chmod 755 "$logs"
# Whatever a test makes in a temporary directory it makes here, and has to take away again.
export TMPDIR="$logs/t" XDG_RUNTIME_DIR=
mkdir -m 1777 "$TMPDIR"
passed=0
failed=0
unsteady=0
times=
began=$(date +%s)

# What is on this machine before the suites must be all that is on it afterwards.
residue() {
    {
        awk 'NR > 1 { print "System V shared memory", $2 }' /proc/sysvipc/shm
        awk 'NR > 1 { print "System V semaphores", $2 }' /proc/sysvipc/sem
        awk 'NR > 1 { print "System V queue", $2 }' /proc/sysvipc/msg
        ls -d /dev/shm/* /tmp/ipclab-???????????????? "$TMPDIR"/ipclab-* 2>/dev/null
    } | LC_ALL=C sort
}

# failures_of LOG: of a report the failures alone, of a runner that died the end.
failures_of() {
    if grep -q '^# pass ' "$1"; then
        awk '/^not ok/ { shown = 1 } shown { print } /^  \.\.\.$/ { shown = 0 }' "$1"
    else
        sed -e 's/\x1b\[[0-9;]*m//g' "$1" | grep -aE '^\[(----|FAIL|CRSH|TIME|ERR )\]' || tail -n 40 "$1"
    fi | head -n 60
}

# passes_alone NAME LOG STATUS COMMAND…: what failed while other tests had the CPUs, is it well when it runs alone? Of
# few that may be so: they are counted for themselves, in the last line, and named.
passes_alone() {
    report=$2
    shift 3
    {
        sed -e 's/\x1b\[[0-9;]*m//g' "$report" |
            sed -nE 's/^\[(FAIL|CRSH|TIME)\] ([a-z_]+)::([a-z0-9_]+).*/\2\/\3/p'
        sed -nE "s|^ *location: '.*/tests/([a-z-]+/[a-z-]+\.test\.js):.*|\1|p" "$report"
    } | sort -u > "$logs/alone"
    [ -s "$logs/alone" ] && [ "$(wc -l < "$logs/alone")" -le 3 ] || return 1
    while read -r test; do
        case $test in
        *.test.js) (cd tests && timeout 900 node --test --test-reporter=tap "$test") ;;
        *) "$@" --filter "$test" -j1 ;;
        esac > "$logs/alone.log" 2>&1 < /dev/null || return 1
    done < "$logs/alone"
}

# count NAME LOG STATUS COMMAND…: adds a suite's tests up by its closing line.
count() {
    synthesis=$(sed -e 's/\x1b\[[0-9;]*m//g' "$2" | grep -E 'Tested: *[0-9]+' | tail -n 1)
    node_passed=$(sed -n 's/^# pass \([0-9]*\)$/\1/p' "$2" | tail -n 1)
    if [ -n "$synthesis" ]; then
        total=$(echo "$synthesis" | sed 's/.*Tested: *\([0-9]*\).*/\1/')
        good=$(echo "$synthesis" | sed 's/.*Passing: *\([0-9]*\).*/\1/')
    elif [ -n "$node_passed" ]; then
        good=$node_passed
        total=$((good + $(sed -n 's/^# fail \([0-9]*\)$/\1/p' "$2" | tail -n 1)))
    else
        good=$([ "$3" -eq 0 ] && echo 1 || echo 0)
        total=1
    fi
    # A runner that dies, or finds no test at all, has failed whatever it counted.
    if [ "$total" -eq 0 ] || { [ "$3" -ne 0 ] && [ "$good" -eq "$total" ]; }; then
        total=$((good + 1))
    fi
    if [ "$good" -ne "$total" ] && passes_alone "$@"; then
        { printf '%s:\n' "$1"; failures_of "$2"; } >> "$logs/unsteady"
        unsteady=$((unsteady + total - good))
        total=$good
    fi
    passed=$((passed + good))
    failed=$((failed + total - good))
    if [ "$good" -ne "$total" ]; then
        printf '\n==== %s: %d of %d failed (status %d)\n' "$1" $((total - good)) "$total" "$3"
        # Named again at the very end, where a log that was cut off still has it.
        { printf '%s:\n' "$1"; failures_of "$2"; } >> "$logs/failures"
        tail -n 120 "$2"
    fi
}

suite() { # name command…
    name=$1
    shift
    log=$logs/$(echo "$name" | tr ' /' '__')
    since=$(date +%s)
    "$@" > "$log" 2>&1
    status=$?
    times="$times${times:+, }$name $(($(date +%s) - since))"
    count "$name" "$log" $status "$@"
}

# Sanitizer reports do not change Criterion's status: any report file is a failure.
sanitized() { # name command…
    name=$1
    shift
    reports=$logs/reports.$$
    mkdir -p "$reports"
    chmod 777 "$reports"
    ASAN_OPTIONS="log_path=$reports/asan:detect_leaks=1" \
        UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:log_path=$reports/ubsan" \
        IPCLAB_BUILD="$PWD/build/sanitize" suite "$name" "$@"
    if [ -n "$(ls -A "$reports")" ]; then
        printf '\n==== %s: sanitizer reports\n' "$name"
        cat "$reports"/* | head -n 120
        failed=$((failed + 1))
    fi
    rm -rf "$reports"
}

# As an ordinary user, where this one is root: permissions bind, namespaces need a user namespace.
as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all env HOME=/tmp "$@"
}

# Two processes that wait for each other by looking want a CPU each: with less, most of their time is waiting for a turn.
pairs=$((($(nproc) + 1) / 2))
# Most tests of the server wait for it. Those that look at all that is on the machine go one after the other.
# What waits for something that never comes has to end too.
beside="timeout 900 node --test --test-concurrency=$(nproc) --test-reporter=tap"
alone='timeout 900 node --test --test-concurrency=1 --test-reporter=tap'
before=$(residue)
export IPCLAB_BUILD="$PWD/build"

suite 'unit' build/tests/unit -j2 --timeout 120
suite 'mechanisms' build/tests/conformance "-j$pairs" --timeout 120 --filter 'mechanisms/*'
suite 'crews' build/tests/conformance -j4 --timeout 120 --filter 'crew/*'
suite 'claims' build/tests/conformance -j4 --timeout 120 --filter '@(claims|enclosure)/*'
if [ "$mode" = all ]; then
    for program in build/tests/fault/*; do
        [ -x "$program" ] && suite "fault: $(basename "$program")" "$program"
    done
    if [ "$(id -u)" -eq 0 ]; then
        suite 'crews of an ordinary user' as_nobody build/tests/conformance -j4 --timeout 120 --filter 'crew/*'
        suite 'claims of an ordinary user' as_nobody build/tests/conformance -j4 --timeout 120 --filter '@(claims|enclosure)/*'
    fi
    sanitized 'unit with sanitizers' build/sanitize/tests/unit -j2 --timeout 240
    sanitized 'mechanisms with sanitizers' build/sanitize/tests/conformance "-j$pairs" --timeout 240 --filter 'mechanisms/*'
    sanitized 'crews with sanitizers' build/sanitize/tests/conformance -j4 --timeout 240 --filter 'crew/*'
    sanitized 'claims with sanitizers' build/sanitize/tests/conformance -j4 --timeout 240 --filter '@(claims|enclosure)/*'
    (cd tests && npm ci --silent --no-audit --no-fund) || exit 1
    suite 'labs' sh -c "cd tests && $beside labs/*.test.js"
    sanitized 'labs with sanitizers' sh -c "cd tests && $beside labs/labs.test.js"
    suite 'api' sh -c "cd tests && $beside api/*.test.js"
    suite 'kill -9' sh -c "cd tests && $alone fault/*.test.js"
    suite 'page, pure modules' sh -c "cd tests && $beside unit-web/*.test.js"
    suite 'page in a browser' sh -c "cd tests && $beside browser/*.test.js"
fi

left=$(residue)
if [ "$before" != "$left" ]; then
    printf '\n==== left behind on this machine (or made there by somebody else meanwhile):\n'
    echo "$before" > "$logs/before"
    echo "$left" | grep -vxF -f "$logs/before" | head -n 40
    failed=$((failed + 1))
fi
[ -f "$logs/unsteady" ] && printf '\n==== failed beside other tests, passed alone\n' && cat "$logs/unsteady"
[ -f "$logs/failures" ] && printf '\n==== what failed\n' && cat "$logs/failures"
printf '%d s: %s\n' $(($(date +%s) - began)) "$times"
echo "tests: $passed passed, $failed failed$([ "$unsteady" -eq 0 ] || echo ", $unsteady passed only alone")"
[ "$failed" -eq 0 ]
