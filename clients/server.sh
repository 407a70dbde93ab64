# Sourced by scripts that need a server of their own: `start_server path/to/reeve` sets `endpoint`, `credentials` and `scratch`;
# the server stops with the script.

servers=() folders=()
stop_servers() {
    local pid
    for pid in "${servers[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" || true
    done
    rm -rf "${folders[@]}"
    servers=() folders=()
}
trap stop_servers EXIT

# Starts a program in the background and waits for the line with which it says where it is ready.
start() {
    local line=$1
    shift
    # It is there before it is read, however late the program begins.
    : >"$scratch/stdout"
    "$@" >"$scratch/stdout" 2>"$scratch/stderr" &
    servers+=($!)
    endpoint=
    for _ in {1..300}; do
        endpoint=$(sed -n "s/^$line //p" "$scratch/stdout")
        [[ -z $endpoint ]] && kill -0 "${servers[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    if [[ -z $endpoint ]]; then
        echo "$1 did not become ready:" >&2
        cat "$scratch/stderr" >&2
        exit 1
    fi
}

start_server() {
    scratch=$(mktemp -d)
    folders+=("$scratch")
    credentials=$scratch/credentials
    start "reeve is ready on" "$1" serve --listen 127.0.0.1:0 --data-dir "$scratch/data" \
        --credentials-file "$credentials" --root-key-file "$scratch/root-key"
}
