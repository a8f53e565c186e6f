#!/bin/busybox sh
# Pid 1 of a machine with cgroup v2 alone, set up as systemd does it: the specs run in a service of their own, below a
# slice, and the root gives its children what systemd gives them. Results leave by the second serial line.
export PATH=/bin:/usr/bin:/sbin HOME=/root TERM=dumb
/bin/busybox --install -s /bin
ln -s /bin/busybox /usr/bin/env
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t mqueue mqueue /dev/mqueue
mount -t tmpfs -o mode=755 run /run
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
mount --make-rshared /
ip link set lo up
hostname machine

cd /sys/fs/cgroup || poweroff -f
mkdir -p init.scope system.slice/gantry.service
echo 1 > init.scope/cgroup.procs
echo '+cpu +memory +pids' > cgroup.subtree_control
echo '+cpu +memory +pids' > system.slice/cgroup.subtree_control

cd /gantry || poweroff -f
echo "Linux $(uname -r), cgroup v2 with $(cat /sys/fs/cgroup/cgroup.controllers)"
(
  echo 0 > /sys/fs/cgroup/system.slice/gantry.service/cgroup.procs
  export GANTRY_COUNTS=/run/counts
  # A line a word: globs are the shell's, spaces are the word's own.
  IFS='
'
  # shellcheck disable=SC2046
  exec node node_modules/mocha/bin/mocha.js --require dist/test/v2/patience.js --reporter dist/test/reporter.js $(cat test/v2/words)
) < /dev/null
cat /run/counts > /dev/ttyS1
sync
poweroff -f
