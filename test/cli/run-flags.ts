/** What `docker run` and `docker create` do with their flags, and with what they cannot do. */
import { local, type Row, row } from './row.ts';

export const RUN_FLAGS: readonly Row[] = [
  row(
    'namespace modes that are none',
    'docker run --rm --net none --ipc nope busybox true; docker run --rm --net none --pid nope busybox true; docker run --rm --net none --uts nope busybox true; docker run --rm --net none --userns nope busybox true; docker run --rm --net none --cgroupns nope busybox true; docker run --rm --net none --userns host --cgroupns host busybox echo a',
  ),
  row(
    'run --isolation',
    'docker run --rm --net none --isolation default busybox echo a; docker run --rm --net none --isolation hyperv busybox echo a',
  ),
  local(
    'run memory limits that contradict',
    'docker run --rm --net none --oom-kill-disable busybox echo a; docker run --rm --net none --memory-swap 10m busybox echo a; docker run --rm --net none -m 20m --memory-swap 10m busybox echo a; docker run --rm --net none -m 20m --memory-reservation 30m busybox echo a; docker run --rm --net none --memory-reservation 1m busybox echo a; docker run --rm --net none --memory-swappiness 500 busybox true',
  ),
  local(
    'run --cpu-period and --cpu-quota',
    'docker run --rm --net none --cpu-period 50000 --cpu-quota 20000 busybox true; docker run --rm --net none --cpu-period 10 busybox true; docker run --rm --net none --cpu-quota 10 busybox true; docker run --rm --net none --cpus 1 --cpu-quota 5000 busybox true',
  ),
  local(
    'run --cpuset-mems',
    'docker run --rm --net none --cpuset-mems 0 busybox true; docker run --rm --net none --cpuset-mems 90 busybox true; docker run --rm --net none --cpuset-mems x busybox true; docker run --rm --net none --cpuset-cpus x busybox true',
  ),
  row(
    'run --storage-opt',
    'docker run --rm --net none --storage-opt size=1g busybox true; docker run --rm --net none --storage-opt nope=1 busybox true',
  ),
  row(
    'run --device-cgroup-rule',
    "docker run --rm --net none --device-cgroup-rule 'c 1:3 mr' busybox true; docker run --rm --net none --device-cgroup-rule 'nope' busybox true; docker create --net none --name cc --device-cgroup-rule 'c 42:* rmw' busybox >/dev/null; docker inspect -f '{{json .HostConfig.DeviceCgroupRules}}' cc",
  ),
  row(
    'run --oom-score-adj',
    'docker run --rm --net none --oom-score-adj 100 busybox cat /proc/self/oom_score_adj; docker run --rm --net none --oom-score-adj 2000 busybox true',
  ),
  local(
    'run --ulimit in its forms',
    "docker run --rm --net none --ulimit nofile=100 busybox sh -c 'ulimit -n; ulimit -Hn'; docker run --rm --net none --ulimit nope=1 busybox true; docker run --rm --net none --ulimit nofile=200:100 busybox true; docker run --rm --net none --ulimit nofile=x busybox true",
  ),
  row(
    'run --dns and its kin',
    'docker run --rm --net none --dns 9.9.9.9 --dns-search example.com --dns-option ndots:3 busybox cat /etc/resolv.conf; docker run --rm --net none --dns nope busybox true; docker run --rm --net none --dns 1.1.1.1 --dns-search . busybox cat /etc/resolv.conf',
  ),
  row(
    'run with an address in no network',
    'docker run --rm --net none --mac-address nope busybox true; docker run --rm --net none --ip 1.2.3.4 busybox true; docker run --rm --net none --ip nope busybox true',
  ),
  row(
    'run with links where they cannot be',
    'docker run -d --net none --name aa busybox sleep 100 >/dev/null; docker run --rm --net host --link aa busybox true; docker run --rm --net none --network-alias x busybox true; docker run --rm --net container:aa --link aa busybox true',
  ),
  row(
    'run with ports where there are none',
    'docker run --rm --net none -p 80:80 busybox echo a; docker run --rm --net host -p 80:80 busybox echo b; docker run --rm --net none -p nope busybox true; docker run --rm --net none -p 99999:1 busybox true; docker run --rm --net none -P busybox echo c; docker run --rm --net none --expose 80 busybox echo d; docker run --rm --net none --expose nope busybox true',
  ),
  row(
    'ports are kept',
    'docker create --net none --name cc -p 8080:80 -p 127.0.0.1:53:53/udp --expose 99 busybox >/dev/null; docker inspect -f "{{json .HostConfig.PortBindings}} {{json .Config.ExposedPorts}}" cc; docker port cc; docker port cc 80',
  ),
  row(
    'run --volumes-from',
    "docker create --net none --name vv -v /data -v keep:/k busybox >/dev/null; docker run --rm --net none --volumes-from vv busybox sh -c 'echo x >/data/f; ls -d /data /k'; docker run --rm --net none --volumes-from vv:ro busybox touch /data/g; docker run --rm --net none --volumes-from nosuch busybox true; docker run --rm --net none --volumes-from vv:nope busybox true",
  ),
  row(
    'run --mount volume',
    "docker run --rm --net none --mount type=volume,src=v1,dst=/m busybox sh -c 'echo hi >/m/f'; docker run --rm --net none --mount type=volume,src=v1,dst=/m,readonly busybox sh -c 'cat /m/f; touch /m/x'; docker run --rm --net none --mount type=volume,dst=/etc,volume-nocopy busybox ls /etc; docker run --rm --net none --mount type=nope,dst=/m busybox true; docker run --rm --net none --mount dst=/m,foo=1 busybox true; docker run --rm --net none --mount type=volume busybox true; docker run --rm --net none --mount type=bind,dst=/m busybox true",
  ),
  row(
    'run --env-file and --label-file',
    "d=$(mktemp -d); printf 'A=1\\n#c\\nB\\nC=x y\\n' >$d/e; B=fromshell docker run --rm --net none --env-file $d/e busybox sh -c 'echo $A $B $C'; docker run --rm --net none --env-file /no/such busybox true; printf 'l1=a\\nl2\\n' >$d/l; docker create --net none --name cc --label-file $d/l --label l3=c busybox >/dev/null; docker inspect -f '{{json .Config.Labels}}' cc; rm -r $d",
  ),
  row(
    'run --health-* and --no-healthcheck',
    "docker create --net none --health-cmd x --no-healthcheck busybox; docker create --net none --health-cmd x --health-interval 1us busybox; docker create --net none --health-cmd x --health-retries -1 busybox; docker create --name cc --net none --health-cmd 'test -f /ok' --health-interval 1s --health-retries 2 --health-timeout 3s --health-start-period 4s busybox >/dev/null 2>&1; docker inspect -f '{{json .Config.Healthcheck}}' cc; docker create --name dd --net none --no-healthcheck busybox >/dev/null; docker inspect -f '{{json .Config.Healthcheck}} {{json .State.Health}}' dd",
  ),
  row(
    'run --rm of what does not start leaves nothing',
    "docker run --rm --net none --name cc busybox nope; docker inspect --type container cc; docker run -d --rm --net none --name cc busybox /etc; docker inspect --type container cc; docker run -d --net none --name dd busybox nope; docker ps -a --format '{{.Names}} {{.Status}}'",
  ),
  row(
    'run -a with stdin',
    "docker run --rm --net none -a stdin -a stdout -i busybox cat <<<hello; docker run --rm --net none -a nope busybox true; docker run --rm -d -a stdout --net none busybox true; docker run --rm --net none -a stdout -a stderr busybox sh -c 'echo a; sleep 0.2; echo b >&2'",
  ),
  row(
    'run --sig-proxy=false keeps a signal',
    "docker run --net none --name cc --sig-proxy=false busybox sh -c 'trap \"echo got; exit 7\" TERM; while :; do sleep 0.1; done' & sleep 2; kill -TERM $!; sleep 0.5; docker inspect -f '{{.State.Running}}' cc; docker kill cc; wait $!; echo $?",
  ),
  row(
    'attach passes a signal on',
    'docker run -d --net none --name cc busybox sh -c \'trap "echo got; exit 7" TERM; while :; do sleep 0.1; done\' >/dev/null; sleep 0.5; docker attach cc & sleep 1; kill -TERM $!; wait $!; echo $?',
  ),
  row(
    'run --platform',
    'docker run --rm --net none --platform linux/amd64 busybox echo hi; docker run --rm --net none --platform linux/arm64 --pull never busybox echo hi; docker run --rm --net none --platform windows --pull never busybox true; docker run --rm --net none --platform nope/x/y/z busybox true',
  ),
  row(
    'run --pull',
    'docker run --rm --net none --pull never nosuch true; docker run --rm --net none --pull nope busybox true; docker run --rm --net none --pull missing busybox echo ok; docker create --pull never nosuch',
  ),
  row(
    'run with words that are none',
    "docker run --net none; docker run --nope busybox; docker run --rm --net none --name '' busybox echo a; docker run --rm --net none --stop-timeout -1 busybox echo a;  docker run --rm --net none '' true; docker run --rm --net none --entrypoint /nope busybox a; docker run --rm --net none -w /etc/passwd busybox true",
  ),
  row(
    'run --cap-add and --cap-drop in their forms',
    'docker run --rm --net none --cap-add CAP_SYS_ADMIN busybox grep CapEff /proc/self/status; docker run --rm --net none --cap-drop chown --cap-drop CAP_KILL busybox grep CapEff /proc/self/status',
  ),
  row(
    'run -v with names that are none',
    'docker run --rm --net none --volume-driver local -v x1:/x busybox true; docker run --rm --net none -v x1:/x:nocopy busybox true; docker run --rm --net none -v a/b:/x busybox true; docker run --rm --net none -v a%b:/x busybox true; docker run --rm --net none -v /:/ busybox true; docker run --rm --net none -v :/x busybox true; docker run --rm --net none -v /a:/b:ro,rw busybox true',
  ),
  row(
    'run --tmpfs with options that are none',
    'docker run --rm --net none --tmpfs /x:nope busybox true; docker run --rm --net none --tmpfs /x:a=b busybox true; docker run --rm --net none --tmpfs rel busybox true; docker run --rm --net none --tmpfs / busybox true; docker run --rm --net none --tmpfs /t:size=1m,uid=5,noexec busybox sh -c \'grep " /t " /proc/mounts\'',
  ),
  row(
    'run --hostname and --domainname',
    "docker run --rm --net none --hostname a.b.c busybox sh -c 'hostname; cat /proc/sys/kernel/domainname'; docker run --rm --net none --domainname dom busybox cat /proc/sys/kernel/domainname; docker run --rm --net host --hostname x busybox hostname; docker run --rm --net none --uts host --hostname x busybox hostname",
  ),
  row(
    'run in the namespaces of another container',
    'docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker run --rm --net container:cc busybox ls /sys/class/net; docker run --rm --net none --pid container:cc busybox ps -o comm; docker run --rm --net container:cc -p 80:80 busybox true; docker run --rm --net container:cc --hostname x busybox true; docker run --rm --net container:cc --expose 80 busybox true; docker run --rm --net container:cc --dns 1.1.1.1 busybox true; docker run --rm --net container:cc --add-host a:1.1.1.1 busybox true',
  ),
  row(
    'run in the namespaces of one that does not run',
    'docker run --rm --net container:nosuch busybox true; docker run --rm --net container: busybox true; docker create --name cc --net none busybox > /dev/null; docker run --rm --net container:cc busybox true; docker run --rm --pid container:nosuch --net none busybox true; docker run --rm --pid container:cc --net none busybox true',
  ),
  row(
    'run with log drivers and their options',
    "docker run --rm --net none --log-driver nope busybox true; docker run --rm --net none --log-opt mode=nope busybox true; docker run --rm --net none --log-opt mode=non-blocking --log-opt max-buffer-size=1m busybox echo ok; docker run --rm --net none --log-driver local --log-opt compress=false busybox echo ok; docker run --rm --net none --log-opt tag='{{.Name}}' busybox echo ok",
  ),
  row(
    'run --device in its forms',
    "docker run --rm --net none --device /dev/null:/dev/x:rz busybox true; docker run --rm --net none --device /dev/null:rel busybox true; docker run --rm --net none --device /dev/zero:/dev/z:r busybox sh -c 'head -c 3 /dev/z | wc -c; echo x >/dev/z'",
  ),
  row(
    'run --security-opt in its forms',
    'docker run --rm --net none --security-opt seccomp=/nope busybox true; docker run --rm --net none --security-opt label=disable busybox echo a; docker run --rm --net none --security-opt apparmor=unconfined busybox echo b; docker run --rm --net none --security-opt no-new-privileges:false busybox grep NoNew /proc/self/status; docker run --rm --net none --security-opt no-new-privileges:x busybox true',
  ),
  row(
    'run with a seccomp profile',
    'd=$(mktemp -d); cd $d; printf \'{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}\' >p; docker run --rm --net none --security-opt seccomp=p busybox mkdir /x; printf \'garbage\' >p; docker run --rm --net none --security-opt seccomp=p busybox true; rm -r $d',
  ),
  row(
    'run -u in its forms',
    "docker run --rm --net none -u '' busybox id -u; docker run --rm --net none -u 4294967296 busybox id; docker run --rm --net none -u -5 busybox id; docker run --rm --net none -u app:2000 busybox id; docker run --rm --net none --group-add nosuch busybox id; docker run --rm --net none -u 0:0 --group-add 5 busybox id",
  ),
  row(
    'inspect: limits that were not asked for',
    "docker create --net none --name cc busybox >/dev/null; docker inspect -f '{{json .HostConfig.MemorySwappiness}} {{json .HostConfig.PidsLimit}} {{json .Config.Volumes}}' cc",
  ),
];
