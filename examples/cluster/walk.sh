#!/bin/sh
# Two workers share runs on one machine, one of them is killed, and all runs end.
#
#   docker run -d -p 5432:5432 -e POSTGRES_PASSWORD=secret postgres:16     (or any PostgreSQL you have)
#   F0CI_ENGINE=postgresql://postgres:secret@127.0.0.1/postgres sh examples/cluster/walk.sh
set -eu
: "${F0CI_ENGINE:?name a database: F0CI_ENGINE=postgresql://user:password@host/database}"
F0CI="${F0CI:-f0ci}"

folder="$(mktemp -d)"
pids=""
trap 'kill $pids 2>/dev/null || true; wait; rm -rf "$folder"' EXIT

# a repository with a recipe that takes some seconds, and a release of it
git init -q --bare "$folder/origin"
git clone -q "$folder/origin" "$folder/work" 2>/dev/null
cd "$folder/work"
$F0CI init >/dev/null
cat > recipes/nightly.yaml <<'RECIPE'
metadata:
  name: nightly
  version: "1.0"
  description: Three steps that take a second each, and say where they ran
  author: you
steps:
  - name: extract
    run: sleep 1; echo "extracted on $(hostname)"
  - name: load
    depends_on: [extract]
    run: sleep 1; echo "loaded as $F0CI_IDEMPOTENCY_KEY"
  - name: report
    depends_on: [load]
    run: sleep 1; echo "reported"
RECIPE
git add -A
git -c user.name=you -c user.email=you@example.com commit -qm "a nightly recipe"
git push -q origin HEAD
$F0CI release create

# two workers, each in a clone of its own, as on two machines
for number in 1 2; do
    git clone -q "$folder/origin" "$folder/clone-$number"
    $F0CI -C "$folder/clone-$number" worker --grace 1 2>"$folder/worker-$number.log" &
    pids="$pids $!"
done

for number in 1 2 3 4 5 6; do
    $F0CI run recipes/nightly.yaml --queue default --release latest --run-id "nightly-$number" --detach
done
until grep -q "takes runs" "$folder/worker-1.log" && grep -q "takes runs" "$folder/worker-2.log" &&
    $F0CI runs --state running 2>/dev/null | grep -q nightly; do sleep 0.2; done
echo "--- two workers"
$F0CI worker --list

victim="${pids##* }"
echo "--- kill -9 $victim"
kill -9 "$victim"

for number in 1 2 3 4 5 6; do
    $F0CI run --resume "nightly-$number" --quiet >/dev/null
done
echo "--- all runs ended"
$F0CI runs --recipe recipes/nightly.yaml
