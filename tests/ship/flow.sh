# The way of an OAuth client and a browser, by curl: sourced by tests/ship. The caller sets
#   url              where the broker is reached
#   browser=(…)      curl with what it takes to get there
#   simulator=(…)    curl with what it takes to reach the simulator
#   simulator_url    where that is
# and finds in access_token and refresh_token what the client got. Nothing secret is printed.
# shellcheck shell=bash disable=SC2154

client_id=5a11ced0c0ffee0000000001
client_secret=51a11a7ed5ec4e7000000000000001
callback=https://client.example/callback

# field NAME: a text of the JSON on standard input.
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# must WHAT VALUE: ends the test when there is none.
must() { [ -n "$2" ] || { echo "flow: $1 is missing" >&2 && exit 1; }; }

# connect: authorization request, Link by the simulator's sandbox, code, tokens.
connect() {
    local jar page handle request public_token redirect_to code answer
    jar=$(mktemp)
    page=$("${browser[@]}" --cookie-jar "$jar" --get "$url/" --data-urlencode response_type=code \
        --data-urlencode "client_id=$client_id" --data-urlencode "redirect_uri=$callback" --data-urlencode state=s-1)
    handle=$(sed -n 's/.*data-handle="\([^"]*\)".*/\1/p' <<<"$page")
    must "the handle of the Link page" "$handle"
    request=$(sed -n 's/.*data-request="\([^"]*\)".*/\1/p' <<<"$page")
    must "the request of the Link page" "$request"
    # Only when the broker knows that it is reached by https, so this also shows that it believes its proxy.
    [ "${url%%:*}" = http ] || must "the cookie's __Host- prefix" "$(grep -o '__Host-' "$jar" | head -n 1)"
    must "a link token" "$(call "$jar" "$handle" /api/create_link_token "{\"request\":\"$request\"}" | field link_token)"

    public_token=$(plaid /sandbox/public_token/create '"institution_id":"ins_109508","initial_products":["auth"]' | field public_token)
    must "a public token" "$public_token"
    redirect_to=$(call "$jar" "$handle" /api/set_access_token \
        "{\"public_token\":\"$public_token\",\"metadata\":{\"institution\":{\"name\":\"First Platypus Bank\",\"institution_id\":\"ins_109508\"}}}" |
        field redirect_to)
    rm -f "$jar"
    code=$(sed -n 's/.*[?&]code=\([^&]*\).*/\1/p' <<<"$redirect_to")
    must "a code" "$code"

    answer=$(token grant_type=authorization_code "code=$code" "redirect_uri=$callback")
    access_token=$(field access_token <<<"$answer")
    refresh_token=$(field refresh_token <<<"$answer")
    must "an access token" "$access_token"
    must "a refresh token" "$refresh_token"
    must "the accounts behind the access token" \
        "$(plaid /accounts/get "\"access_token\":\"$access_token\"" | field account_id)"
}

# refresh: the refresh token has to give the same access token again.
refresh() {
    local again
    again=$(token grant_type=refresh_token "refresh_token=$refresh_token" | field access_token)
    [ "$again" = "$access_token" ] || { echo "flow: the refresh token does not give the access token again" >&2 && exit 1; }
}

# call JAR HANDLE PATH BODY: one of the page's own calls.
call() {
    "${browser[@]}" --cookie "$1" --header "x-broker-handle: $2" --header "sec-fetch-site: same-origin" \
        --header "content-type: application/json" --data "$4" "$url$3"
}

# token PARAMETER…: a token request.
token() {
    local parameter parameters=()
    for parameter; do
        parameters+=(--data-urlencode "$parameter")
    done
    "${browser[@]}" --user "$client_id:$client_secret" "${parameters[@]}" "$url/oauth/token"
}

# plaid PATH FIELDS: one of Plaid's calls, at the simulator.
plaid() {
    "${simulator[@]}" --header "content-type: application/json" \
        --data "{\"client_id\":\"$client_id\",\"secret\":\"$client_secret\",$2}" "$simulator_url$1"
}
