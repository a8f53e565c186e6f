import { local, type Row, row } from './row.ts';
import { RUN_FLAGS } from './run-flags.ts';
import { WATCHING } from './watching.ts';

const RUN: readonly Row[] = [
  row('run prints what the command prints', 'docker run --rm --net none busybox echo hi'),
  row('run takes the command of the image', 'docker run --rm --net none app'),
  row(
    'run keeps stdout and stderr apart',
    'docker run --rm --net none busybox sh -c "echo out; echo err >&2" 2>/dev/null',
  ),
  row('run ends with the exit code of the command', 'docker run --rm --net none busybox sh -c "exit 42"'),
  row('run ends with 128+n after a signal', 'docker run --rm --net none --init busybox sh -c "kill -TERM \\$\\$"'),
  row('run of a missing program ends with 127', 'docker run --rm --net none busybox nope'),
  row('run -d --rm of a missing program ends with 127', 'docker run -d --rm --net none busybox nope >/dev/null'),
  row(
    'run of a missing program, kept, ends with 127',
    'docker run --net none busybox nope; echo $?; docker ps -aq | wc -l',
  ),
  row(
    'events of one that does not start',
    'sleep 1.1; since=$(date +%s); docker run --rm --net none --name cc busybox nope 2>/dev/null; docker events --since $since --until $(($(date +%s) + 1)) -f type=container -f type=network --format "{{.Type}} {{.Action}}"',
  ),
  row('run of a missing path ends with 127', 'docker run --rm --net none busybox /no/such/program'),
  row('run of a file that is no program ends with 126', 'docker run --rm --net none busybox /etc/passwd'),
  row('run of a folder ends with 126', 'docker run --rm --net none busybox /etc'),
  row('run of an unknown user ends with 125', 'docker run --rm --net none -u nosuch busybox true'),
  row('run of an unknown group ends with 125', 'docker run --rm --net none -u root:nosuch busybox true'),
  row('run passes a pipe to stdin', 'printf "a\\nb\\n" | docker run --rm -i --net none busybox cat'),
  row('run without -i has an empty stdin', 'echo lost | docker run --rm --net none busybox cat'),
  row(
    'run -t gives a terminal',
    'script -qec "docker run --rm -t --net none busybox sh -c \'test -t 0 && test -t 1 && echo tty; tty\'" /dev/null </dev/null',
  ),
  row(
    'run -it takes the size of the terminal',
    'script -qec "stty rows 33 cols 99; docker run --rm -it --net none busybox sh -c \'sleep 0.5; stty size\'" /dev/null',
  ),
  row(
    'run -e sets, passes on and unsets',
    'A=from-shell docker run --rm --net none -e A -e B=2 -e PATH=/bin busybox sh -c "echo \\$A \\$B \\$PATH"',
  ),
  row('run sets the usual environment', 'docker run --rm --net none --hostname box busybox env | sort'),
  row('run as a user has its home', 'docker run --rm --net none -u app busybox env | sort | grep -v HOSTNAME'),
  row('run -w makes and enters the folder', 'docker run --rm --net none -w /some/new/dir busybox pwd'),
  row('run -w refuses a relative path', 'docker run --rm --net none -w some busybox pwd'),
  row(
    'run -u takes names and numbers',
    'for u in app app:root 1000:1000 1234 :extra; do docker run --rm --net none -u $u busybox id; done',
  ),
  row('run --group-add', 'docker run --rm --net none -u app --group-add extra --group-add 777 busybox id'),
  row(
    'run --entrypoint',
    'docker run --rm --net none --entrypoint /bin/echo app changed; docker run --rm --net none --entrypoint "" busybox echo none',
  ),
  row(
    'run --hostname and the host name inside',
    'docker run --rm --net none --hostname box busybox sh -c "hostname; cat /etc/hostname; tail -1 /etc/hosts"',
  ),
  row('run --add-host', 'docker run --rm --net host --add-host db:10.1.2.3 busybox grep db /etc/hosts'),
  row('run --read-only', 'docker run --rm --net none --read-only busybox touch /x'),
  row(
    'run --tmpfs',
    "docker run --rm --net none --tmpfs /t:size=1m,mode=1770 busybox sh -c \"grep ' /t ' /proc/mounts | cut -d' ' -f1-3; stat -c %a /t\"",
  ),
  row(
    'run -v binds a folder, -v :ro only to read',
    'd=$(mktemp -d); echo one >$d/f; docker run --rm --net none -v $d:/d busybox sh -c "cat /d/f; echo two >/d/g"; cat $d/g; docker run --rm --net none -v $d:/d:ro busybox touch /d/h; rm -r $d',
  ),
  row(
    'run -v binds a file',
    'd=$(mktemp); echo one >$d; docker run --rm --net none -v $d:/etc/motd busybox cat /etc/motd; rm $d',
  ),
  row(
    'run -v makes a missing host folder',
    'd=$(mktemp -d); docker run --rm --net none -v $d/a/b:/d busybox true; ls -d $d/a/b | sed "s,$d,D,"; rm -r $d',
  ),
  row(
    'run -v of a named volume keeps its content',
    'docker run --rm --net none -v keep:/k busybox sh -c "echo kept >/k/f"; docker run --rm --net none -v keep:/k busybox cat /k/f',
  ),
  row('run -v fills a new volume from the image', 'docker run --rm --net none -v fresh:/etc busybox ls /etc/passwd'),
  row('run -v refuses a relative target', 'docker run --rm --net none -v /tmp:rel busybox true'),
  row('run -v refuses too many colons', 'docker run --rm --net none -v /tmp:/a:ro:b busybox true'),
  row('run -v refuses an unknown mode', 'docker run --rm --net none -v /tmp:/a:nope busybox true'),
  row('run -v refuses one target twice', 'docker run --rm --net none -v /tmp:/a -v /var:/a busybox true'),
  row(
    'run --mount bind',
    'd=$(mktemp -d); echo m >$d/f; docker run --rm --net none --mount type=bind,src=$d,dst=/m,readonly busybox sh -c "cat /m/f; touch /m/x"; rm -r $d',
  ),
  row(
    'run --mount refuses a missing source',
    'docker run --rm --net none --mount type=bind,src=/no/such,dst=/m busybox true',
  ),
  row(
    'run --mount tmpfs',
    "docker run --rm --net none --mount type=tmpfs,dst=/m,tmpfs-size=1m busybox sh -c \"grep ' /m ' /proc/mounts | cut -d' ' -f1-3\"",
  ),
  local(
    'run -m limits memory',
    'docker run --rm --net none -m 32m busybox cat /sys/fs/cgroup/memory/memory.limit_in_bytes',
  ),
  row('run -m below the least is refused', 'docker run --rm --net none -m 1m busybox true'),
  row(
    'run -m is killed when over it',
    'docker run --net none --name oom -m 8m busybox sh -c "a=x; while :; do a=\\$a\\$a; done"; docker inspect -f "{{.State.OOMKilled}} {{.State.ExitCode}}" oom',
  ),
  local(
    'run --cpus',
    'docker run --rm --net none --cpus 0.5 busybox sh -c "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us"',
  ),
  local('run --cpus over what is there is refused', 'docker run --rm --net none --cpus 1000 busybox true'),
  local('run --cpu-shares', 'docker run --rm --net none --cpu-shares 512 busybox cat /sys/fs/cgroup/cpu/cpu.shares'),
  local(
    'run --cpuset-cpus',
    'docker run --rm --net none --cpuset-cpus 0 busybox cat /sys/fs/cgroup/cpuset/cpuset.cpus; docker run --rm --net none --cpuset-cpus 900 busybox true',
  ),
  local('run --pids-limit', 'docker run --rm --net none --pids-limit 20 busybox cat /sys/fs/cgroup/pids/pids.max'),
  local('run --ulimit', 'docker run --rm --net none --ulimit nofile=100:200 busybox sh -c "ulimit -n; ulimit -Hn"'),
  row('run --shm-size', 'docker run --rm --net none --shm-size 1m busybox sh -c "grep /dev/shm /proc/mounts"'),
  row(
    'run --sysctl',
    'docker run --rm --net none --sysctl net.ipv4.ip_forward=1 busybox cat /proc/sys/net/ipv4/ip_forward; docker run --rm --net none --sysctl kernel.nope=1 busybox true',
  ),
  row(
    'run --init has an init as pid 1',
    'docker run --rm --net none --init busybox sh -c "cat /proc/1/comm; test \\$\\$ != 1 && echo not 1"',
  ),
  row(
    'run --cidfile',
    'd=$(mktemp -d); docker run --rm --net none --cidfile $d/c busybox true; wc -c <$d/c; docker run --rm --net none --cidfile $d/c busybox true 2>&1 | sed "s,$d,D,"; rm -r $d',
  ),
  row(
    'run --cap-drop and --cap-add',
    'docker run --rm --net none busybox grep Cap /proc/self/status; docker run --rm --net none --cap-drop ALL --cap-add CHOWN busybox grep Cap /proc/self/status; docker run --rm --net none --cap-add NOPE busybox true',
  ),
  row(
    'run as another user has no capabilities',
    'docker run --rm --net none -u app busybox grep Cap /proc/self/status',
  ),
  row(
    'run --security-opt',
    'docker run --rm --net none --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status; docker run --rm --net none --security-opt seccomp=unconfined busybox grep Seccomp: /proc/self/status; docker run --rm --net none --security-opt nope busybox true',
  ),
  row(
    'run has a seccomp filter',
    'docker run --rm --net none busybox grep Seccomp: /proc/self/status; docker run --rm --net none busybox unshare -m true',
  ),
  local(
    'run hides and protects paths of proc',
    'docker run --rm --net none busybox sh -c "cat /proc/kcore | wc -c; ls /proc/acpi /sys/firmware; echo 1 >/proc/sys/kernel/domainname; echo b >/proc/sysrq-trigger"',
  ),
  row(
    'run has the usual devices',
    'docker run --rm --net none busybox sh -c "ls -l /dev | awk \'{print \\$1, \\$NF}\' | sort"',
  ),
  // /proc/interrupts is masked since Docker 28.
  local(
    'run has the usual mounts',
    'docker run --rm --net none busybox sh -c "cut -d\' \' -f2,3 /proc/mounts | grep -v -e /sys/fs/cgroup/ -e /proc/interrupts | sort"',
  ),
  row(
    'run --device',
    'docker run --rm --net none --device /dev/full:/dev/myfull:rw busybox sh -c "ls -l /dev/myfull | cut -c1-10; echo x >/dev/myfull"; docker run --rm --net none --device /dev/nope busybox true',
  ),
  local(
    'run in the host network sees its links',
    'docker run --rm --net host busybox sh -c "ls /sys/class/net" | sort',
  ),
  row(
    'run in no network has only lo, up',
    'docker run --rm --net none busybox sh -c "ls /sys/class/net; cat /sys/class/net/lo/flags; ping -c1 -W1 127.0.0.1 >/dev/null && echo reaches"',
  ),
  local(
    'run --pid host and --uts host',
    'docker run --rm --net none --pid host busybox sh -c "test \\$\\$ != 1 && echo host"; docker run --rm --net none --uts host busybox hostname',
  ),
  row(
    'run --ipc',
    'docker run --rm --net none --ipc host busybox true; docker run --rm --net none --ipc nope busybox true',
  ),
  row('run of an unknown image', 'docker run --pull never --rm --net none nosuch:1 true'),
  row('run of a bad reference', 'docker run --rm --net none UPPER true; docker run --rm --net none busy:box:x true'),
  row(
    'run of a taken name',
    'docker create --net none --name one busybox >/dev/null; docker run --net none --name one busybox true',
  ),
  row(
    'run of a bad name',
    'docker run --net none --name "aa bb" busybox true; docker run --net none --name _ busybox true',
  ),
  row('run with no command at all', 'docker run --rm --net none scratchy'),
  row('run with an unknown network', 'docker run --rm --net nosuch busybox true'),
  row('run with an unknown runtime', 'docker run --rm --net none --runtime nope busybox true'),
  row('run with an unknown log option', 'docker run --rm --net none --log-opt nope=1 busybox true'),
  row(
    'run with a bad restart policy',
    'docker run --net none --restart always --rm busybox true; docker run --net none --restart nope busybox true; docker run --net none --restart no:3 busybox true',
  ),
  row('run with a bad signal', 'docker run --net none --rm --stop-signal NOPE busybox true'),
  row(
    'run -d prints the id, wait the code',
    'id=$(docker run -d --net none busybox sh -c "exit 3"); docker wait $id; docker logs $id',
  ),
  row(
    'run -a picks streams',
    'docker run --rm --net none -a stderr busybox sh -c "echo out; echo err >&2"; docker run --rm --net none -a stdout busybox sh -c "echo out; echo err >&2"',
  ),
  row(
    'run --sig-proxy passes a signal on',
    'docker run --rm --net none --name sp busybox sh -c "trap \'echo got; exit 7\' TERM; echo up; while :; do sleep 0.1; done" & sleep 2; kill -TERM $!; wait $!',
  ),
  row(
    'run --label and --annotation of inspect',
    'docker create --net none --name ll --label a=b --label cc busybox >/dev/null; docker inspect -f "{{json .Config.Labels}}" ll',
  ),
  row('run large output arrives whole', 'docker run --rm --net none busybox sh -c "seq 1 200000" | md5sum'),
  row('run large input arrives whole', 'seq 1 200000 | docker run --rm -i --net none busybox md5sum'),
  row(
    'run detach keys leave it running',
    'script -qec "docker run -it --name dk --net none --detach-keys ctrl-x busybox sh" /dev/null < <(sleep 1; printf "\\030"; sleep 1) >/dev/null; docker inspect -f "{{.State.Running}}" dk',
  ),
];

const LIFE: readonly Row[] = [
  row(
    'create, start, wait, rm',
    'docker create --net none --name cc busybox sh -c "exit 5" >/dev/null; docker start cc; docker wait cc; docker rm cc',
  ),
  row(
    'start -a shows the output and the code',
    'docker create --net none --name cc busybox sh -c "echo hi; exit 6" >/dev/null; docker start -a cc',
  ),
  row(
    'start -ai feeds it',
    'docker create -i --net none --name cc busybox cat >/dev/null; echo fed | docker start -ai cc',
  ),
  row(
    'start of one that runs is fine',
    'docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker start cc',
  ),
  row('start of an unknown container', 'docker start nosuch'),
  row(
    'start again and again',
    'docker create --net none --name cc busybox sh -c "echo x >>/f; wc -l </f" >/dev/null; docker start -a cc; docker start -a cc; docker start -a cc',
  ),
  row(
    'start of a missing program',
    'docker create --net none --name cc busybox nope >/dev/null; docker start cc; docker inspect -f "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}" cc',
  ),
  row(
    'stop sends the signal, then kills',
    'docker run -d --net none --name cc busybox sh -c "trap \'exit 9\' TERM; while :; do sleep 0.1; done" >/dev/null; sleep 0.5; docker stop cc; docker inspect -f "{{.State.ExitCode}}" cc; docker run -d --net none --name dd busybox sleep 100 >/dev/null; docker stop -t 1 dd; docker inspect -f "{{.State.ExitCode}}" dd',
  ),
  row('stop of a stopped one is fine', 'docker create --net none --name cc busybox true >/dev/null; docker stop cc'),
  row(
    'stop uses the stop signal of the image or the flag',
    'docker run -d --net none --name cc --stop-signal USR1 busybox sh -c "trap \'exit 11\' USR1; while :; do sleep 0.1; done" >/dev/null; sleep 0.5; docker stop cc; docker inspect -f "{{.State.ExitCode}}" cc',
  ),
  row(
    'kill with names and numbers',
    'for s in KILL SIGKILL 9 sigkill; do docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker kill -s $s cc; docker wait cc; docker rm cc; done',
  ),
  row(
    'kill of what cannot be',
    'docker create --net none --name cc busybox true >/dev/null; docker kill cc; docker kill nosuch; docker run -d --net none --name dd busybox sleep 100 >/dev/null; docker kill -s NOPE dd; docker kill -s 99 dd',
  ),
  row(
    'restart',
    'docker run -d --net none --name cc busybox sh -c "echo up; sleep 100" >/dev/null; docker restart -t 0 cc; sleep 0.5; docker logs cc; docker inspect -f "{{.State.Running}} {{.RestartCount}}" cc',
  ),
  row(
    'restart policy on-failure counts',
    'docker run -d --net none --name cc --restart on-failure:2 busybox sh -c "echo try; exit 4" >/dev/null; sleep 3; docker logs cc; docker inspect -f "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}" cc',
  ),
  row(
    'pause, unpause',
    'docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker pause cc; docker inspect -f "{{.State.Status}} {{.State.Paused}} {{.State.Running}}" cc; docker pause cc; docker exec cc true; docker unpause cc; docker unpause cc; docker inspect -f "{{.State.Status}}" cc',
  ),
  row(
    'pause of what does not run',
    'docker create --net none --name cc busybox true >/dev/null; docker pause cc; docker unpause cc; docker pause nosuch',
  ),
  row(
    'stop of a paused one',
    'docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker pause cc >/dev/null; docker stop -t 1 cc; docker inspect -f "{{.State.Status}} {{.State.ExitCode}}" cc',
  ),
  row(
    'rename',
    'docker create --net none --name cc busybox true >/dev/null; docker rename cc dd; docker inspect -f "{{.Name}}" dd; docker create --net none --name ee busybox true >/dev/null; docker rename dd ee; docker rename dd dd; docker rename nosuch x; docker rename dd "aa bb"',
  ),
  row(
    'rm refuses what runs, -f does not',
    'docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker rm cc; docker rm -f cc; docker rm -f nosuch; docker rm nosuch',
  ),
  row(
    'rm -v takes anonymous volumes along',
    'docker create --net none --name cc -v /data busybox true >/dev/null; docker inspect -f "{{len .Mounts}} {{(index .Mounts 0).Destination}} {{(index .Mounts 0).Type}}" cc; docker rm -v cc',
  ),
  row(
    'rm of several goes on after a failure',
    'docker create --net none --name aa busybox true >/dev/null; docker create --net none --name bb busybox true >/dev/null; docker rm aa nosuch bb',
  ),
  row(
    'wait of several',
    'docker run -d --net none --name aa busybox sh -c "exit 1" >/dev/null; docker run -d --net none --name bb busybox sh -c "exit 2" >/dev/null; docker wait aa bb; docker wait nosuch',
  ),
  row(
    '--rm goes after the end',
    'docker run -d --rm --net none --name cc busybox true >/dev/null; sleep 2; docker inspect --type container cc',
  ),
  row(
    'prefixes of ids are enough',
    'id=$(docker create --net none busybox true); docker inspect -f "{{.State.Status}}" $(echo $id | cut -c1-8); docker rm $(echo $id | cut -c1-16) | wc -c',
  ),
];

const LOOK: readonly Row[] = [
  row(
    'ps',
    'docker run -d --net none --name aa busybox sleep 100 >/dev/null; docker run --net none --name bb busybox sh -c "exit 3"; docker create --net none --name cc busybox true >/dev/null; sleep 1.2; docker ps; docker ps -a; docker ps -aq | wc -l; docker ps -l; docker ps -n 2; docker ps --no-trunc -a --format "{{.Names}} {{.Command}} {{.State}}"',
  ),
  row(
    'ps filters',
    'docker run -d --net none --name aa --label k=v busybox sleep 100 >/dev/null; docker run --net none --name bb --label k=w busybox sh -c "exit 3"; docker create --net none --name cc app >/dev/null; for f in status=running status=exited status=created exited=3 name=a name=^bb$ label=k label=k=v ancestor=app ancestor=busybox before=bb since=bb network=none volume=/x is-task=false health=none; do echo "$f: $(docker ps -a -f $f --format {{.Names}} | sort | tr "\\n" " ")"; done; docker ps -f nope=1; docker ps -f status=nope; docker ps -f exited=x',
  ),
  row(
    'ps --size',
    'docker run --net none --name bb busybox sh -c "head -c 1000 /dev/zero >/f"; docker ps -as --format "{{.Names}} {{.Size}}" | sed "s/ (virtual.*//"',
  ),
  row(
    'inspect: state',
    'docker run --net none --name cc busybox sh -c "exit 3"; docker inspect -f "{{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.State.Restarting}} {{.State.OOMKilled}} {{.State.Dead}} {{.State.Pid}} {{.State.ExitCode}} {{.State.Error}}" cc',
  ),
  row(
    'inspect: config',
    'docker create --net none --name cc -it -e A=1 -w /w -u app --hostname h --label x=y --stop-timeout 7 -v /etc:/t:ro --tmpfs /r --entrypoint sh app -c true >/dev/null; docker inspect -f "{{json .Config}}" cc; docker inspect -f "{{json .Path}} {{json .Args}} {{.Name}} {{.Driver}} {{.Platform}}" cc; docker inspect -f "{{range .Mounts}}{{json .}}{{println}}{{end}}" cc | grep . | sort',
  ),
  row(
    'inspect: host config',
    'docker create --net none --name cc -m 64m --cpus 1.5 --pids-limit 9 --restart on-failure:3 --cap-add NET_ADMIN --read-only --init --ulimit nofile=9:10 --shm-size 2m --add-host aa:1.2.3.4 --dns 9.9.9.9 busybox true >/dev/null; docker inspect -f "{{json .HostConfig}}" cc | tr "," "\\n" | grep -E "Memory\\"|NanoCpus|PidsLimit|RestartPolicy|Maximum|CapAdd|ReadonlyRootfs|Init|Ulimits|ShmSize|ExtraHosts|Dns\\"|NetworkMode|LogConfig" | sort',
  ),
  row(
    'inspect: of what is not there',
    'docker inspect nosuch; docker container inspect nosuch; docker image inspect nosuch; docker inspect --type container nosuch',
  ),
  row(
    'port and diff words of an unknown container',
    'docker port nosuch; docker top nosuch; docker logs nosuch; docker attach nosuch; docker exec nosuch true',
  ),
  row(
    'logs',
    'docker run --net none --name cc busybox sh -c "echo one; sleep 0.3; echo two >&2; sleep 0.3; echo three"; docker logs cc 2>/dev/null; docker logs cc 2>&1 >/dev/null; docker logs --tail 1 cc; docker logs --tail 0 cc; docker logs -n 2 cc 2>&1',
  ),
  row(
    'logs without an end of line',
    'docker run --net none --name cc busybox printf "no newline"; echo; docker logs cc',
  ),
  row(
    'logs of a long line',
    'docker run --net none --name cc busybox sh -c "head -c 100000 /dev/zero | tr \'\\\\0\' x; echo" | md5sum; docker logs cc | md5sum',
  ),
  row(
    'logs keeps odd bytes',
    'docker run --net none --name cc busybox printf "tab\\there \\"q\\" back\\\\\\\\slash <&> \\303\\251 \\342\\202\\254\\n"; docker logs cc',
  ),
  row(
    'logs -t',
    'docker run --net none --name cc busybox echo x >/dev/null; docker logs -t cc | sed -E "s/^[0-9-]+T[0-9:]+\\.[0-9]{9}Z /STAMP /"',
  ),
  row(
    'logs --since and --until',
    'docker run --net none --name cc busybox sh -c "echo aa; sleep 2; echo bb" >/dev/null; docker logs --since 1h cc; docker logs --until 1h cc; docker logs --since 2999-01-01 cc; docker logs --since nope cc',
  ),
  row(
    'logs -f ends with the container',
    'docker run -d --net none --name cc busybox sh -c "for i in 1 2 3; do echo \\$i; sleep 0.3; done" >/dev/null; docker logs -f cc',
  ),
  row(
    'logs --details',
    'docker run --net none --name cc --log-opt labels=a --label a=b --log-opt env=E -e E=1 busybox echo x >/dev/null; docker logs --details cc',
  ),
  row(
    'logs of driver none and local',
    'docker run --net none --name cc --log-driver none busybox echo x; docker logs cc; docker run --net none --name dd --log-driver local busybox sh -c "echo x; sleep 0.2; echo y >&2"; docker logs dd',
  ),
  row(
    'logs rotate',
    'docker run --net none --name cc --log-opt max-size=10k --log-opt max-file=2 busybox seq 1 2000 >/dev/null; docker logs cc | tail -1; docker run --rm --net none --log-opt max-size=x busybox true; docker run --rm --net none --log-opt max-file=0 busybox true',
  ),
  row(
    'logs of a terminal',
    'docker run -t --net none --name cc busybox echo x >/dev/null; docker logs cc | od -c | head -1',
  ),
  row(
    'attach shows what comes',
    'docker run -d --net none --name cc busybox sh -c "sleep 1; echo late; exit 8" >/dev/null; docker attach --no-stdin cc',
  ),
  row(
    'attach of what does not run',
    'docker create --net none --name cc busybox true >/dev/null; docker attach cc; docker run -d --net none --name dd busybox sleep 100 >/dev/null; docker pause dd >/dev/null; docker attach dd; docker unpause dd >/dev/null',
  ),
  row(
    'exec',
    'docker run -d --net none --name cc -e A=1 -w /tmp busybox sleep 100 >/dev/null; docker exec cc echo hi; docker exec cc sh -c "exit 7"; echo $?; docker exec -e B=2 -w /etc -u app cc sh -c "echo \\$A \\$B; pwd; id"; echo in | docker exec -i cc cat; docker exec cc nope; docker exec cc /etc/passwd; echo $?; docker exec -u nosuch cc true; echo $?; docker exec -w /nope cc true',
  ),
  row(
    'exec -t',
    'docker run -d --net none --name cc busybox sleep 100 >/dev/null; script -qec "docker exec -t cc tty" /dev/null </dev/null; script -qec "stty rows 20 cols 70; docker exec -it cc sh -c \'sleep 0.5; stty size\'" /dev/null',
  ),
  row(
    'exec -d',
    'docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker exec -d cc touch /made; sleep 0.7; docker exec cc ls /made',
  ),
  row(
    'exec where it cannot be',
    'docker create --net none --name cc busybox true >/dev/null; docker exec cc true; docker exec nosuch true',
  ),
  row(
    'exec sees the processes of the container',
    'docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker exec cc ps -o comm | sort',
  ),
  local(
    'top',
    'docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker top cc | awk "{print \\$1, \\$NF}"; docker top cc -o pid,comm | sed -E "s/[0-9]+/N/"; docker top cc aux | head -1; docker create --net none --name dd busybox true >/dev/null; docker top dd',
  ),
  row(
    'events',
    'sleep 1.5; since=$(date +%s); docker run --rm --net none --name ev busybox true; docker run -d --net none --name e2 busybox sleep 100 >/dev/null; docker exec e2 true; docker pause e2 >/dev/null; docker unpause e2 >/dev/null; docker rename e2 e3; docker kill e3 >/dev/null; docker wait e3 >/dev/null; docker rm e3 >/dev/null; sleep 1; docker events --since $since --until $(date +%s) --filter type=container --format "{{.Action}} {{.Actor.Attributes.name}}"',
  ),
  row(
    'events filters',
    'sleep 1.5; since=$(date +%s); docker create --net none --name ff --label z=1 busybox >/dev/null; docker rm ff >/dev/null; sleep 1; docker events --since $since --until $(date +%s) --filter event=create --filter label=z=1 --format "{{.Type}} {{.Action}}"',
  ),
];

const IMAGES: readonly Row[] = [
  local('images have the ids that dockerd gives them', 'docker images --no-trunc -q | sort | md5sum'),
  row(
    'images',
    'docker images --format "{{.Repository}}:{{.Tag}} {{.ID}}" | sort; docker images -q | sort; docker images --no-trunc -q busybox; docker images nosuch; docker images "busy*" --format "{{.Repository}}"; docker images -f dangling=true -q; docker images -f reference=app --format "{{.Tag}}"; docker images -f nope=1',
  ),
  row(
    'image inspect',
    'docker image inspect -f "{{json .RepoTags}} {{json .Config.Cmd}} {{json .Config.Env}} {{.Os}} {{.Architecture}} {{json .RootFS}} {{.Size}}" app; docker inspect -f "{{.Id}}" app',
  ),
  row(
    'history',
    'docker history --no-trunc --format "{{.ID}} {{.CreatedBy}} {{.Size}} {{.Comment}}" app; docker history -q app; docker history nosuch',
  ),
  row(
    'tag and rmi',
    'docker tag busybox other:v1; docker tag busybox localhost:5000/x/y:z; docker images --format "{{.Repository}}:{{.Tag}}" | sort; docker rmi other:v1 localhost:5000/x/y:z; docker tag nosuch x; docker tag busybox UPPER; docker rmi nosuch; docker rmi "a b"',
  ),
  row(
    'rmi of an image in use',
    'docker create --net none --name cc busybox >/dev/null; docker rmi busybox; docker run -d --net none --name dd busybox sleep 100 >/dev/null; docker rmi -f busybox; docker rmi -f $(docker images -q app | head -1)',
  ),
  row('rmi by id with several names', 'docker tag busybox two:1; docker rmi $(docker images -q two); docker rmi two:1'),
  row(
    'load says what it loaded',
    'docker load -i "$ARCHIVE"; docker load -q -i "$ARCHIVE"; docker load -i /etc/passwd; docker load -i /no/such',
  ),
  row(
    'load of broken archives',
    'd=$(mktemp -d); cd $d; head -c 3000 "$ARCHIVE" >cut.tar; docker load -i cut.tar; echo "[]" >manifest.json; tar cf empty.tar manifest.json; docker load -i empty.tar; rm -r $d',
  ),
  row(
    'import',
    'd=$(mktemp -d); mkdir $d/bin; cp /bin/busybox $d/bin/; tar -C $d -c . | docker import -m note -c "CMD [\\"/bin/busybox\\",\\"echo\\",\\"imported\\"]" -c "ENV A=b" -c "LABEL l=m" - imp:1 | wc -c; docker run --rm --net none imp:1; docker image inspect -f "{{json .Config.Env}} {{json .Config.Labels}} {{.Comment}}" imp:1; docker history --format "{{.Comment}}" imp:1; docker rmi imp:1 | wc -l; tar -C $d -c . | docker import -c "NOPE x" - imp:2; rm -r $d',
  ),
  row('import of what is no tar', 'echo no tar | docker import - bad:1; printf "" | docker import - UPPER'),
];

export const ROWS: readonly Row[] = [...RUN, ...RUN_FLAGS, ...LIFE, ...LOOK, ...WATCHING, ...IMAGES];
