"""What users of docker-py do, against the engine of DOCKER_HOST; says `done` when all of it went as it should."""

import threading

import docker

client = docker.from_env()
assert client.ping()
assert client.version()["Os"] == "linux"
assert "busybox:latest" in client.images.get("busybox").tags

said = client.containers.run("busybox", ["sh", "-c", "echo out; echo err >&2"], network_mode="none", remove=True, stderr=False)
assert said == b"out\n", said
try:
    client.containers.run("busybox", ["sh", "-c", "exit 3"], network_mode="none", remove=True)
    raise AssertionError("a failure went unnoticed")
except docker.errors.ContainerError as error:
    assert error.exit_status == 3, error.exit_status

seen = []
events = client.events(decode=True, filters={"type": "container", "container": "py"})
watcher = threading.Thread(target=lambda: seen.extend(event["Action"] for event in events), daemon=True)
watcher.start()

container = client.containers.create(
    "busybox", ["sh", "-c", "trap 'exit 7' TERM; read line; echo got $line; while :; do sleep 0.1; done"],
    name="py", network_mode="none", stdin_open=True, labels={"a": "b"},
)
socket = container.attach_socket(params={"stdin": 1, "stream": 1})
container.start()
socket._sock.sendall(b"word\n")
assert next(container.logs(stream=True, follow=True)) == b"got word\n"
container.reload()
assert container.status == "running", container.status
assert [each.name for each in client.containers.list(filters={"label": "a=b"})] == ["py"]

code, output = container.exec_run(["sh", "-c", "echo in; echo bad >&2; exit 5"], demux=True)
assert (code, output) == (5, (b"in\n", b"bad\n")), (code, output)
code, output = container.exec_run("tty", tty=True)
assert (code, output) == (0, b"/dev/pts/0\r\n"), (code, output)
assert any("read line" in " ".join(row) for row in container.top()["Processes"])

container.pause()
container.unpause()
container.rename("py2")
container.kill("TERM")
assert container.wait()["StatusCode"] == 7
container.restart(timeout=1)
container.stop(timeout=1)
assert container.logs(stderr=False, tail=1) == b"got word\n"
container.remove()
try:
    client.containers.get("py2")
    raise AssertionError("it is still there")
except docker.errors.NotFound:
    pass
quick = client.containers.run("busybox", ["sh", "-c", "exit 3"], detach=True, auto_remove=True, network_mode="none")
assert quick.wait()["StatusCode"] == 3
try:
    client.images.get("nosuch")
    raise AssertionError("there is such an image")
except docker.errors.ImageNotFound:
    pass
assert seen[:3] == ["create", "attach", "start"], seen
print("done")
