/** Looking at containers, entering and leaving them, in the forms that are less used. */
import { local, type Row, row } from './row.ts';

export const WATCHING: readonly Row[] = [
  row(
    'container ls and its names',
    "docker run -d --net none --name aa --label k=v busybox sleep 100 >/dev/null; docker create --net none --name bb busybox >/dev/null; docker container ls --format '{{.Names}}'; docker container ps -a --format '{{.Names}} {{.Image}} {{.Labels}} {{.Mounts}} {{.Networks}} {{.LocalVolumes}} {{.Ports}}'; docker container list -q | wc -l; docker container inspect -f '{{.Name}}' aa; docker container kill aa; docker container rm aa bb; docker container ls -a --format '{{json .Names}}'; docker ps -a --format table; docker ps -aqf name=zz; docker ps --format '{{.Nope}}'; docker ps -f bad",
  ),
  row(
    'ps filters that are seldom used',
    'docker run -d --net none --name aa --label k=v --label z= busybox sleep 100 >/dev/null; docker ps -f label=k=v -f label=z --format \'{{.Names}} {{.Label "k"}}\'; docker ps -f id=$(docker ps -lq) -q | wc -l; docker ps -f status=running -f status=exited -q | wc -l; docker ps -f publish=80 -q; docker ps -f expose=80 -q; docker ps -f health=starting -q; docker ps -f health=nope -q; docker ps -f before=nosuch; docker ps -f since=nosuch; docker ps -f network=nosuch -q; docker ps -n 0 -q; docker ps -n -1 -q | wc -l; docker ps -f exited=0 -aq; docker ps -f isolation=default -q; docker ps -f is-task=true -q; docker ps -f volume=nosuch -q; docker ps -f name= -q | wc -l',
  ),
  row(
    'inspect --size and --type',
    "docker create --net none --name cc -v /x busybox true >/dev/null; docker inspect --size -f '{{.SizeRw}} {{.Name}}' cc; docker inspect --type image cc; docker inspect --type container busybox; docker inspect --type nope cc; docker inspect --type volume cc; docker inspect -f '{{.Nope}}' cc; docker inspect -f '{{.Name}}' cc busybox",
  ),
  local(
    'top in its forms',
    "docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker top cc nope; docker top cc -eo pid,comm | sed -E 's/[0-9]+/N/'; docker top cc -o pid | wc -l; docker top cc -o comm; docker pause cc >/dev/null; docker top cc -o pid,comm | wc -l; docker stop -t 0 cc; docker top cc",
  ),
  row(
    'stop, restart, kill with signals',
    "docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker stop -t 0 cc; docker start cc; docker restart -t 0 cc; docker stop nosuch; docker restart nosuch; docker kill -s 0 cc; docker kill -s '' cc; docker kill --signal=SIGRTMIN+1 cc; docker kill cc; docker wait cc",
  ),
  row(
    'logs in their forms',
    "docker run --net none --name cc busybox sh -c 'for i in 1 2 3 4 5; do echo $i; done' >/dev/null; docker logs --tail all cc; docker logs --tail -1 cc | wc -l; docker logs --tail x cc | wc -l; docker logs --since 1h --tail 2 cc; docker logs --until 0 cc; docker logs -f --tail 1 cc; docker logs --since 10000000000 cc; docker logs --tail 100 cc | wc -l; docker container logs cc | head -1; docker logs nosuch; docker logs",
  ),
  row(
    'attach to a shell types into it',
    "docker run -d --net none --name cc -it busybox sh >/dev/null; printf 'echo $((40+2))\\nexit 3\\n' | script -qec 'docker attach cc' /dev/null | tr -d '\\r' | grep -x 42; docker inspect -f '{{.State.ExitCode}}' cc",
  ),
  row(
    'attach and its detach keys',
    "docker run -d --net none --name cc -it busybox sh >/dev/null; (sleep 2.5; printf '\\020\\021'; sleep 1) | script -qec 'docker attach cc; echo code $?' /dev/null | tr -d '\\r' | tail -1; docker inspect -f '{{.State.Running}}' cc; (sleep 2.5; printf '\\030x'; sleep 1) | script -qec 'docker attach --detach-keys ctrl-x,x cc; echo code $?' /dev/null | tr -d '\\r' | tail -1; docker attach --detach-keys nope-x cc </dev/null",
  ),
  row(
    'exec and its detach keys',
    "docker run -d --net none --name cc -it busybox sh >/dev/null; (sleep 2.5; printf '\\020\\021'; sleep 1) | script -qec 'docker exec -it cc sh; echo code $?' /dev/null | tr -d '\\r' | tail -1; docker inspect -f '{{.State.Running}}' cc; (sleep 2.5; printf 'a'; sleep 1) | script -qec 'docker exec -it --detach-keys a cc cat; echo code $?' /dev/null | tr -d '\\r' | tail -1; docker exec --detach-keys nope-x cc true; docker top cc -o comm | sort",
  ),
  row(
    'run -it takes ctrl-c as its shell does',
    "(sleep 1.5; printf 'sleep 100\\n'; sleep 1; printf '\\003'; sleep 0.5; printf 'echo back $((1+1))\\n'; sleep 0.5; printf 'exit 5\\n'; sleep 1) | script -qec 'docker run --rm -it --net none busybox sh; echo code $?' /dev/null | tr -d '\\r' | grep -E '^(back|code)'",
  ),
  row(
    'rename in its forms',
    "docker create --net none --name cc busybox >/dev/null; docker rename cc cc; docker rename cc /dd; docker ps -a --format '{{.Names}}'; docker rename dd ''; docker rename dd a/b; docker container rename dd ff; docker ps -a --format '{{.Names}}'",
  ),
  row(
    'exec in its forms',
    "docker exec; docker run -d --net none --name cc busybox sleep 100 >/dev/null; docker exec cc; docker exec -it cc true </dev/null; docker exec --env-file /no cc true; docker exec -e A -e B= cc env | grep -E '^(A|B)'; docker exec -u 1:2 cc id; docker exec -w rel cc pwd; docker container exec cc echo hi; docker exec cc ''; docker pause cc; docker exec cc true; docker unpause cc; docker exec cc sh -c 'kill -9 $$'; echo $?",
  ),
  row(
    'events as JSON, and live',
    "sleep 1.1; docker events --filter type=container --filter event=start --format '{{json .}}' >/tmp/events-$$ & sleep 1; docker run --rm --net none --name ev busybox true; sleep 0.5; kill $!; sed -E 's/\"time(Nano)?\":[0-9]+/T/g' /tmp/events-$$; rm /tmp/events-$$",
  ),
  row(
    'events of one container, ended by itself',
    "docker events --until $(($(date +%s) + 6)) --filter container=evs --format '{{.Type}} {{.Action}} {{.Actor.Attributes.exitCode}}' & sleep 1; docker run --rm --net none --name evs busybox sh -c 'exit 4'; docker run --rm --net none --name other busybox true; wait $!; docker events --since nope",
  ),
  row(
    'wait on one that ends later',
    "docker run -d --net none --name cc busybox sleep 1 >/dev/null; docker wait cc; docker wait cc; docker create --net none --name dd busybox sh -c 'exit 9' >/dev/null; (sleep 1; docker start dd) & docker wait dd; wait; docker container wait nosuch cc",
  ),
  row(
    'a name with a slash is one that is not there',
    'docker rm a/b; docker start a/b; docker stop a/b; docker logs a/b; docker exec a/b true; docker top a/b; docker wait a/b; docker rename a/b c; docker container inspect a/b',
  ),
  row(
    'events of volumes',
    'sleep 1.1; since=$(date +%s); docker run --net none --name vv -v events:/k -v /an busybox true; docker rm -v vv >/dev/null; sleep 1; docker events --since $since --until $(date +%s) --filter type=volume --format \'{{.Action}} {{.Actor.Attributes.driver}} {{.Actor.Attributes.destination}} {{index .Actor.Attributes "read/write"}}\' | sort',
  ),
  row(
    'events until 0 are all that are past',
    "docker create --net none --name zero busybox >/dev/null; docker rm zero >/dev/null; docker events --since 0 --until 0 --filter container=zero --format '{{.Action}}'",
  ),
  row(
    'inspect leaves out what was not said',
    'docker create --net none --name cc --mount type=tmpfs,dst=/m --mount type=volume,dst=/n,volume-nocopy --health-cmd true --ulimit nofile=9:10 busybox >/dev/null 2>&1; docker inspect cc | sed -n \'/"Mounts": \\[/,/^  *\\],/p\' | sed \'/^ *\\],/q\'; docker inspect cc | sed -n \'/"Healthcheck"/,/}/p; /"Ulimits"/,/]/p\'',
  ),
  row(
    'image and its names',
    "docker image ls --format '{{.Repository}}:{{.Tag}}' | sort; docker image list -q --no-trunc | wc -l; docker images -a --format '{{.Repository}}' | sort; docker images --digests --format '{{.Digest}}' | sort -u; docker image history -q busybox | wc -l; docker image tag busybox two:2; docker image rm two:2 | head -1; docker image inspect -f '{{.Os}}' busybox app; docker images -f since=nosuch; docker images -f label=app --format '{{.Repository}}'; docker images -f dangling=x; docker image rm",
  ),
  row(
    'create and start with words that are none',
    'docker create; docker create --net none --name cc busybox >/dev/null; docker start; docker start cc nosuch; docker start -a cc nosuch; docker start --detach-keys x cc; docker container start nosuch; docker container create --nope busybox',
  ),
];
