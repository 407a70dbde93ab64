#!/usr/bin/env bash
# Runs the main job in Python and in Node, and a person's way through sign-in in Python and at a terminal, against a server
# that it starts for them and stops again.
#
#   clients/run.sh target/debug/reeve
set -euo pipefail

reeve=$(realpath "${1:?the path of the reeve binary is missing}")
cd "$(dirname "$0")"
python/prepare.sh
node/prepare.sh

scratch=$(mktemp -d)
server=
stop() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" || true
    fi
    rm -rf "$scratch"
}
trap stop EXIT

"$reeve" serve --listen 127.0.0.1:0 --data-dir "$scratch/data" \
    --credentials-file "$scratch/credentials" --root-key-file "$scratch/root-key" \
    >"$scratch/stdout" 2>"$scratch/stderr" &
server=$!
endpoint=
for _ in {1..300}; do
    endpoint=$(sed -n 's/^reeve is ready on //p' "$scratch/stdout")
    [[ -z $endpoint ]] && kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
if [[ -z $endpoint ]]; then
    echo "the server did not become ready:" >&2
    cat "$scratch/stderr" >&2
    exit 1
fi

echo "Python:"
python/.venv/bin/python python/main_job.py --endpoint "$endpoint" --credentials "$scratch/credentials"
python/.venv/bin/python python/people.py --endpoint "$endpoint" --credentials "$scratch/credentials"
echo "Terminal:"
python3 terminal/hire.py --reeve "$reeve" --endpoint "$endpoint" --credentials "$scratch/credentials"
echo "Node:"
node node/main_job.js --endpoint "$endpoint" --credentials "$scratch/credentials"
