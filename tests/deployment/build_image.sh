#!/usr/bin/env bash
# Builds the image of the Dockerfile without Docker, and unpacks it: tests/deployment/build_image.sh FOLDER
#
# FOLDER/root is then its root file system and FOLDER/image.json its configuration. Needs root, and Debian's
# packages `buildah` and `mmdebstrap`. Debian's image cannot be pulled everywhere, so a Debian that is made of
# the same packages takes its name; after that buildah runs the Dockerfile's own steps.
set -euo pipefail

[ $# = 1 ] || { echo "usage: tests/deployment/build_image.sh FOLDER" >&2; exit 2; }
for tool in buildah mmdebstrap; do
    command -v "$tool" >/dev/null || { echo "$0: $tool is missing: apt-get install $tool" >&2; exit 1; }
done
repository=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
cd "$1"
base=$(sed -nE '1,/^FROM/s/^FROM +([^ ]+).*/\1/p' "$repository/Dockerfile")
suite=${base##*:} suite=${suite%-slim}

# What is stored is ours alone, and goes with the folder. chroot: no container's engine is needed.
buildah() { command buildah --storage-driver overlay --root "$PWD/storage" --runroot "$PWD/run" "$@"; }

mmdebstrap --quiet --variant=minbase --include=ca-certificates "$suite" debian.tar
container=$(buildah from scratch)
buildah add --quiet "$container" debian.tar / >/dev/null
buildah commit --quiet --format docker --rm "$container" "$base" >/dev/null
rm debian.tar

# The certificates are those that this machine trusts, for a registry that is reached by a proxy of its own.
buildah bud --isolation chroot --pull-never --format docker --volume /etc/ssl/certs:/etc/ssl/certs:ro \
    --tag whatsit "$repository"
buildah inspect --type image whatsit >image.json
container=$(buildah from --pull-never whatsit)
cp --archive "$(buildah mount "$container")" root
buildah rm --all >/dev/null
rm -rf storage run
