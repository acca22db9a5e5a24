# Finds the tests that failed in the output of Node.js (TAP), nextest, cargo test, unittest, the compiler, rustfmt and our own
# scripts, and prints for each its name, its place and the first lines of its message:
#
#   awk -f failures.awk [-v list=tests|files] [-v limit=LINES] LOG
#
# list=tests: one line for each, NAME (PLACE); list=files: the files that they are in. A test of nextest that passed at the
# second try is not listed.

function begin(name) {
    if (!(name in number)) {
        number[name] = ++count
        names[count] = name
    }
    current = number[name]
    fresh = 1
}

function add(text) {
    gsub(/\033\[[0-9;]*m/, "", text)
    sub(/^[ \t]+/, "", text)
    # Of several tries the message of the last one.
    if (fresh) used[current] = 0
    fresh = 0
    if (current && text != "" && used[current] < 6) {
        message[current, ++used[current]] = substr(text, 1, 160)
    }
}

function indent(text) {
    match(text, /^ */)
    return RLENGTH
}

function rest(text, pattern) {
    sub(pattern, "", text)
    return text
}

# Node.js: "not ok 3 - name", then a block of YAML.
/^ *not ok [0-9]+ - / && !/ # (SKIP|TODO)/ {
    begin(rest($0, "^ *not ok [0-9]+ - "))
    mode = "tap"
    next
}
mode == "block" {
    if ($0 ~ /^ *$/) next
    if (indent($0) > edge) {
        add($0)
        next
    }
    mode = "tap"
}
mode == "tap" {
    if (/^ *location: /) {
        place[current] = rest(rest($0, "^ *location: '?(file://)?"), "'$")
    } else if (/^ *failureType: 'subtestsFailed'/) {
        left_out[current] = 1
    } else if (/^ *error: [|>]/) {
        mode = "block"
        edge = indent($0)
    } else if (/^ *error: /) {
        add(rest(rest($0, "^ *error: '?"), "'$"))
    } else if (/^ *stack: /) {
        if (getline > 0) add("at " rest(rest($0, "^ *"), "file://"))
    } else if (/^ *\.\.\.$/) {
        mode = ""
        current = 0
    }
    next
}

# nextest: its output of a test is indented, and so is that of the test.
/^ *(TRY [0-9]+ )?(FAIL|TIMEOUT|ABORT|XFAIL|SIG[A-Z]+) +\[/ {
    begin(rest($0, "^[^]]*\\] +(\\([^)]*\\) )?"))
    mode = "rust"
    next
}
/^ *FLAKY [0-9]/ {
    begin(rest($0, "^[^]]*\\] +(\\([^)]*\\) )?"))
    left_out[current] = 1
}
/^ *(PASS|SLOW|LEAK|FLAKY|TRY [0-9]+ [A-Z]+) +\[/ || /^ *Summary \[/ {
    mode = ""
    current = 0
    next
}

# cargo test.
/^test .* \.\.\. FAILED$/ {
    begin(rest(rest($0, "^test "), " \\.\\.\\. FAILED$"))
    current = 0
    next
}
/^---- .* stdout ----$/ {
    begin(rest(rest($0, "^---- "), " stdout ----$"))
    mode = "rust"
    next
}

# A panic, or the error of a test that returns a Result.
mode == "rust" && / panicked at / {
    place[current] = rest(rest($0, "^.* panicked at "), ":$")
    mode = "panic"
    next
}
mode == "rust" && /^ *Error: / { add($0) }
mode == "panic" {
    if (/^ *$/ || /stack backtrace:/ || /^ *note: /) mode = "rust"
    else add($0)
    next
}

# unittest: the last place and the last line of the traceback count.
/^(FAIL|ERROR): / {
    begin(rest($0, "^(FAIL|ERROR): "))
    mode = "unittest"
    next
}
mode == "unittest" {
    if (/^(=====|Ran )/) {
        mode = ""
        current = 0
    } else if (/^  File "/) {
        place[current] = rest(rest($0, "^  File \""), ", in .*$")
        sub(/", line /, ":", place[current])
    } else if (!/^(-----|Traceback| )/) {
        add($0)
    }
    next
}

# The compiler and its lints, rustfmt, our own scripts.
/^error(\[E[0-9]+\])?: / && !/: (test run failed|could not compile|aborting due|doctest failed)/ && !/ target(s)? failed/ {
    begin($0)
    mode = "compiler"
    next
}
mode == "compiler" && /^ *--> / {
    if (!(current in place)) place[current] = rest($0, "^ *--> ")
    mode = ""
    next
}
/^Diff in / {
    begin($0)
    current = 0
}
/^(FAILED|FAIL)[: ] *[^ (]/ {
    begin(rest($0, "^FAIL(ED)?:? *"))
    current = 0
}

END {
    for (at = 1; at <= count; at++) {
        if (left_out[at]) continue
        if (list == "files") {
            file = place[at]
            sub(/:[0-9]+(:[0-9]+)?$/, "", file)
            if (file != "" && !seen[file]++) print file
            continue
        }
        lines = list == "tests" ? 0 : used[at]
        if (limit && printed + 1 + lines > limit) {
            hidden++
            continue
        }
        print names[at] (place[at] == "" ? "" : " (" place[at] ")")
        for (line = 1; line <= lines; line++) print "    " message[at, line]
        printed += 1 + lines
    }
    if (hidden) print "and " hidden " more"
}
