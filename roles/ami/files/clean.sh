#!/bin/sh
# Takes from a host what must not be in an image: whose host it was, who has been on it, what it was told.
# `sh clean.sh /`; every host of the image makes its own of all this at its first boot.
set -eu
root=${1:?Say which root is to be cleaned: / on a builder.}
root=${root%/}

rm -f "$root"/etc/ssh/ssh_host_*
rm -f "$root"/var/lib/dbus/machine-id "$root"/var/lib/systemd/random-seed "$root"/var/lib/systemd/credential.secret
if [ -e "$root/etc/machine-id" ]; then : >"$root/etc/machine-id"; fi # empty, systemd makes a new one
rm -rf "$root"/var/lib/cloud/* # cloud-init begins anew
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
