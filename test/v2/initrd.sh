#!/bin/busybox sh
# First program of the kernel that scripts/test-v2.ts boots: modules, then the disk with the checkout.
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done < /modules/order
while [ ! -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 -o rw,noatime /dev/vda /disk
mount --move /dev /disk/dev
exec switch_root /disk /gantry/test/v2/machine.sh
