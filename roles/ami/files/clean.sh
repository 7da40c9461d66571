#!/bin/sh
# Remove from an instance what must not be part of an AMI: host keys, machine id, logs, caches, histories, settings.
# Usage: sh clean.sh /    (each instance of the AMI creates its own at first boot)
set -eu
root=${1:?Usage: clean.sh ROOT (the root folder, / on a builder)}
root=${root%/}

rm -f "$root"/etc/ssh/ssh_host_*
rm -f "$root"/var/lib/dbus/machine-id "$root"/var/lib/systemd/random-seed "$root"/var/lib/systemd/credential.secret
if [ -e "$root/etc/machine-id" ]; then : >"$root/etc/machine-id"; fi # systemd creates a new id if the file is empty
rm -rf "$root"/var/lib/cloud/* # cloud-init then runs as at a first boot
rm -f "$root"/etc/caption-gallery/environment
rm -rf "$root"/var/lib/private/caption-gallery-logs "$root"/var/lib/caption-gallery-logs

for home in "$root"/root "$root"/home/*; do
  rm -rf "$home"/.ssh "$home"/.ansible "$home"/.cache
  rm -f "$home"/.*_history "$home"/.wget-hsts
done

rm -rf "$root"/var/log/journal/* "$root"/var/tmp/* "$root"/tmp/*
if [ -d "$root/var/log" ]; then find "$root/var/log" -type f -exec truncate -s 0 {} +; fi
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin
rm -f "$root"/var/cache/apt/archives/*.deb
sync
