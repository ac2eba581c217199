#!/usr/bin/env bash
# Runs a command in a root file system as a container's engine would, in a namespace of mounts of its own:
#
#     unshare --mount tests/deployment/enter_root.sh ROOT UID:GID VOLUMES VARIABLE=VALUE... COMMAND...
#
# ROOT is read-only, /tmp is memory, and each folder in VOLUMES is mounted under its name. The command has no
# capabilities, cannot get any, and keeps this script's process id.
set -euo pipefail

root=$1 uid=${2%:*} gid=${2#*:} volumes=$3
shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o size=256m,mode=1777 tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mount --bind /proc "$root/proc"
mount --rbind --options ro /sys "$root/sys"
for volume in "$volumes"/*; do
    mount --bind "$volume" "$root/$(basename "$volume")"
done
exec chroot "$root" /usr/bin/setpriv --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs \
    --bounding-set=-all --inh-caps=-all /usr/bin/env --ignore-environment "$@"
