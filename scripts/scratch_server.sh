# For scripts that want a server of their own, to be sourced: a scratch directory in $scratch, removed at the end of the
# script, and at most one server at a time, which ends with it.

scratch=$(mktemp -d)
server=

# Lets the server end by itself, and fails as it does.
stop_server() {
    local process=$server
    server=
    kill "$process" 2>/dev/null || true
    wait "$process"
}

clean_up() {
    [ -z "$server" ] || stop_server || true
    rm -rf "$scratch"
}
trap clean_up EXIT

# start_server STELE [FLAG...]: on a store in $scratch/data, which it goes on with; its address is in $address.
start_server() {
    : >"$scratch/server.log"
    "$1" server start-dev --port 0 --headless --db-filename "$scratch/data" "${@:2}" \
        >>"$scratch/server.log" 2>&1 &
    server=$!
    local attempt
    for ((attempt = 0; attempt < 300; ++attempt)); do
        # The line appears once the server answers.
        address=$(sed -n 's/^gRPC: *//p' "$scratch/server.log")
        [ -n "$address" ] && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    echo "$(basename "$0" .sh): the server did not start:" >&2
    cat "$scratch/server.log" >&2
    exit 1
}
