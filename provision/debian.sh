#!/bin/sh
# Installs Hotline as a service on Debian 12, from the checkout that this file is in. Safe to run again:
# it updates the program and leaves configuration, database, journal and messages as they are.
#
#   sudo provision/debian.sh
set -eu

checkout=$(cd "$(dirname "$0")/.." && pwd)
program=/opt/hotline
settings=/etc/hotline
data=/var/lib/hotline

[ "$(id -u)" = 0 ] || { echo "run this as root: sudo $0" >&2; exit 1; }

echo "1/5 packages"
apt-get install -y -qq git make python3-venv >/dev/null

echo "2/5 user and folders"
id hotline >/dev/null 2>&1 || adduser --system --group --home "$data" --shell /usr/sbin/nologin hotline >/dev/null
install -d -o root -g hotline -m 0750 "$settings"
install -d -o hotline -g hotline -m 0755 "$data"

echo "3/5 program in $program"
install -d -o hotline -g hotline -m 0755 "$program"
git -C "$checkout" archive HEAD | tar -x -C "$program"
chown -R hotline:hotline "$program"
runuser -u hotline -- make -s -C "$program" .venv/installed
runuser -u hotline -- "$program/.venv/bin/python" -m compileall -q -x '/(\.venv|var|tests)/' "$program"

echo "4/5 settings in $settings"
if [ ! -e "$settings/appliance.yaml" ]; then
    cp -r "$program/flows" "$program/prompts" "$settings/"
    cat > "$settings/appliance.yaml" <<YAML
# All keys with their defaults: $program/appliance.yaml
switch:
  kind: simulated                     # freeswitch or asterisk: then run switch-config, and see docs/
  freeswitch: {password-file: $data/switch/freeswitch/event-socket-password}
  asterisk: {password-file: $data/switch/asterisk/ari-password}
database: {url: "sqlite:///$data/hotline.db"}
crm: {url: "sqlite:///$data/crm.db"}
data-dir: $data
YAML
    chown -R root:hotline "$settings"
    chmod 0640 "$settings/appliance.yaml"
fi
hotline() { runuser -u hotline -- "$program/appliance.py" --config "$settings/appliance.yaml" "$@"; }
hotline db init
hotline prompts build

echo "5/5 service"
install -m 0644 "$program/provision/hotline.service" /etc/systemd/system/hotline.service
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable --quiet hotline
    systemctl --no-block restart hotline  # it is ready when the switch is
else
    echo "no systemd runs here: start it with: $program/appliance.py --config $settings/appliance.yaml run"
fi
hotline doctor || true
