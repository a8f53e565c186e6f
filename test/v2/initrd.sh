#!/bin/busybox sh
# First program of the kernel that scripts/test-v2.ts boots: modules, then the disk with the checkout.
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done < /modules/order
tries=0
while [ ! -b /dev/vda ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 300 ]; then
    echo 'no disk'
    poweroff -f
  fi
  sleep 0.1
done
mount -t ext4 -o rw,noatime /dev/vda /disk
mount --move /dev /disk/dev
exec switch_root /disk /gantry/test/v2/machine.sh
