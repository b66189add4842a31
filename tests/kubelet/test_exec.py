"""Commands in pods: a small table of ours, never a program of this machine."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]


@pytest.fixture(scope="module")
def pod(cluster: Any) -> str:
    """A pod with a secret file and variables."""
    secrets = "/api/v1/namespaces/default/secrets"
    thing = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"key": "open sesame"}}
    cluster.create(secrets, thing)
    container = {
        "name": "c",
        "image": "busybox:1.36",
        "command": ["sleep", "600"],
        "env": [{"name": "COLOUR", "value": "green"}],
        "volumeMounts": [{"name": "keys", "mountPath": "/etc/keys"}, {"name": "data", "mountPath": "/data"}],
    }
    volumes = [{"name": "keys", "secret": {"secretName": "keys"}}, {"name": "data", "emptyDir": {}}]
    path = cluster.pod("box", {"containers": [container], "volumes": volumes})
    cluster.when(path, lambda pod: pod["status"]["phase"] == "Running")
    return "box"


@pytest.fixture(scope="module")
def web(cluster: Any) -> str:
    """A web server behind a Service, with its EndpointSlice."""
    spec = {"containers": [{"name": "c", "image": "nginx:1.27"}]}
    path = cluster.pod("web", spec, labels={"app": "web"})
    found = cluster.when(path, lambda pod: pod["status"]["phase"] == "Running")
    service = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 8000, "targetPort": 80}]}
    cluster.create(
        "/api/v1/namespaces/default/services",
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": service},
    )
    target = {"kind": "Pod", "name": "web", "namespace": "default", "uid": found["metadata"]["uid"]}
    cluster.create(
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
            "endpoints": [
                {"addresses": [found["status"]["podIP"]], "conditions": {"ready": True}, "targetRef": target}
            ],
        },
    )
    ip: str = found["status"]["podIP"]
    return ip


@pytest.mark.parametrize(
    ("command", "code", "output"),
    [
        (("printenv", "COLOUR"), 0, "green\n"),
        (("printenv", "NOPE"), 1, ""),
        (("hostname",), 0, "box\n"),
        (("id",), 0, "uid=0(root) gid=0(root) groups=0(root)\n"),
        (("echo", "a", "$COLOUR"), 0, "a $COLOUR\n"),
        (("ls", "/etc/keys"), 0, "key\n"),
        (("cat", "/etc/keys/key"), 0, "open sesame"),
        (("cat", "/etc/hostname"), 0, "box\n"),
        (("sh", "-c", "echo $COLOUR"), 0, "green\n"),
        (("/bin/sh", "-c", "echo '$COLOUR' \"is $COLOUR\"; exit 4"), 4, "$COLOUR is green\n"),
        (("sh", "-c", "false && echo no || echo yes"), 0, "yes\n"),
        (("sh", "-c", "for i in 1 2; do echo $i; done"), 0, "1\n2\n"),
        (("sh", "-c", "if [ -f /etc/keys/key ]; then echo there; else echo not; fi"), 0, "there\n"),
        (("sh", "-c", "env | grep COLOUR"), 0, "COLOUR=green\n"),
        (("sh", "-c", "echo kept > /data/file && cat /data/file"), 0, "kept\n"),
        (("sh", "-c", "ps"), 0, "PID   USER     TIME  COMMAND\n    1 root      0:00 c\n"),
    ],
)
def test_commands(cluster: Any, pod: str, command: tuple[str, ...], code: int, output: str) -> None:
    """The commands of the table do what theirs do."""
    assert cluster.exec(pod, *command)[:2] == (code, output)


@pytest.mark.parametrize(
    "name", ["rm", "python3", "/usr/bin/python3", "bash5", "perl", "kill", "chmod", "mount", "exit"]
)
def test_no_other_command_exists(cluster: Any, pod: str, name: str) -> None:
    """Any other file cannot be executed: exit code 127 in the runtime's words."""
    code, output, errors = cluster.exec(pod, name, "x")
    why = "executable file not found in $PATH" if "/" not in name else "no such file or directory"

    assert (code, output) == (127, "")
    assert f'exec: "{name}": ' in errors
    assert why in errors


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("rm -rf /", "rm: not found"),
        ("python3 -c 'print(1)'", "python3: not found"),
        ("echo $(cat /etc/passwd)", "not available in this shell"),
        ("echo `id`", "not available in this shell"),
        ("sleep 1 &", "not available in this shell"),
        ("/bin/../../../bin/ls", "not found"),
        ("echo x > /etc/keys/key", "Read-only file system"),
    ],
)
def test_scripts_execute_nothing(cluster: Any, pod: str, script: str, words: str) -> None:
    """A script that wants more is refused."""
    code, _, errors = cluster.exec(pod, "sh", "-c", script)

    assert code != 0
    assert words in errors


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../../../../../etc/passwd", "/etc/keys/../../../../etc/passwd", "/proc/1/environ"]
)
def test_files_of_this_machine_are_not_there(cluster: Any, pod: str, name: str) -> None:
    """Only what is mounted can be read, whatever the path."""
    code, output, errors = cluster.exec(pod, "cat", name)

    assert (code, output) == (1, "")
    assert "No such file or directory" in errors


def test_nothing_is_written_outside(cluster: Any, pod: str, tmp_path: Path) -> None:
    """A path that leads out of the container ends inside it."""
    outside = tmp_path / "made"
    cluster.exec(pod, "sh", "-c", f"echo x > ../../../../../../../../{outside}")

    assert not outside.exists()


def test_standard_input(cluster: Any, pod: str) -> None:
    """A shell without arguments reads commands from its input."""
    assert cluster.exec(pod, "sh", input="echo one\ncd /data\npwd\nexit 5\n")[:2] == (5, "one\n/data\n")


def test_a_terminal(cluster: Any, pod: str) -> None:
    """With a terminal the shell prompts, echoes what is typed, and can be left."""
    words = ["kubectl", "--kubeconfig", str(cluster.kubeconfig), "exec", "-it", pod, "--", "sh"]
    ours, theirs = os.openpty()
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs) as shell:
        os.close(theirs)
        os.write(ours, b"hostname\nexit 3\n")
        assert shell.wait(20) == 3
        seen = os.read(ours, 4096).decode()
        os.close(ours)

    assert "/ # " in seen
    assert "box\r\n" in seen


def test_images_without_a_shell(cluster: Any) -> None:
    """In an image without a shell there is nothing to execute."""
    path = cluster.pod("distroless", {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}]})
    cluster.when(path, lambda pod: pod["status"]["phase"] == "Running")

    assert 'exec: "sh": executable file not found' in cluster.exec("distroless", "sh", "-c", "id")[2]


def test_between_two_runs_there_is_no_container(cluster: Any) -> None:
    """A client shows what its second try, by SPDY, is told."""
    path = cluster.pod("crashing", {"containers": [{"name": "c", "image": "busybox:1.36", "command": ["false"]}]})
    cluster.when(path, lambda pod: "CrashLoopBackOff" in str(pod["status"].get("containerStatuses")))
    words = ["kubectl", "--kubeconfig", str(cluster.kubeconfig), "exec", "crashing", "--", "id"]

    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, 'container not found ("c")' in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("curl", "-s", "http://web:8000/"), 0, "Welcome to nginx!"),
        (
            ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://web.default.svc.cluster.local:8000/x"),
            0,
            "404",
        ),
        (("curl", "-sf", "http://web:8000/x"), 22, "The requested URL returned error: 404"),
        (("wget", "-qO-", "http://web.default:8000"), 0, "Welcome to nginx!"),
        (("curl", "http://nothing:80"), 6, "Could not resolve host: nothing"),
        (("curl", "http://example.com"), 6, "Could not resolve host: example.com"),
        (("curl", "http://127.0.0.1:80"), 7, "Could not connect to server"),
        (("nslookup", "web"), 0, "web.default.svc.cluster.local"),
        (("nslookup", "nothing"), 1, "** server can't find nothing: NXDOMAIN"),
        (("nc", "-zv", "web", "8000"), 0, "open"),
        (("curl", "-sk", "https://kubernetes.default/healthz"), 0, "ok"),
    ],
)
@pytest.mark.usefixtures("web")
def test_the_network_is_the_clusters(cluster: Any, pod: str, command: tuple[str, ...], code: int, words: str) -> None:
    """Names and connections are those of the cluster; nothing outside answers, and this machine's ports neither."""
    found, output, errors = cluster.exec(pod, *command)

    assert found == code
    assert words in output + errors


def test_a_port_of_another_pod(cluster: Any, pod: str, web: str) -> None:
    """A pod is reached by its address, on the ports it listens on and on no other."""
    assert cluster.exec(pod, "nc", "-z", web, "80")[0] == 0
    assert "Connection refused" in cluster.exec(pod, "nc", "-z", web, "81")[2]


def test_without_endpoints_a_service_refuses(cluster: Any, pod: str) -> None:
    """A Service with nothing ready behind it refuses connections."""
    spec = {"selector": {"app": "none"}, "ports": [{"port": 80}]}
    thing = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "empty"}, "spec": spec}
    cluster.create("/api/v1/namespaces/default/services", thing)

    assert "Connection refused" in cluster.exec(pod, "nc", "-z", "empty", "80")[2]


@pytest.mark.usefixtures("web")
def test_the_proxy_reaches_a_pod(cluster: Any) -> None:
    """The API server's proxy leads to the pod's own server."""
    assert "Welcome to nginx!" in cluster.call("GET", "/api/v1/namespaces/default/pods/web:80/proxy/")


@pytest.mark.usefixtures("web")
def test_usage(cluster: Any) -> None:
    """What pods use is told in nominal figures, the same each time."""
    told: Callable[[], Json] = lambda: cluster.call("GET", "/api/v1/nodes/n1/proxy/stats")  # noqa: E731  (asked twice)
    pods = {each["podRef"]["name"]: each for each in told()["pods"]}

    assert pods["web"]["containers"] == [
        {"name": "c", "cpu": {"usageNanoCores": 1_000_000}, "memory": {"workingSetBytes": 10 * 1024 * 1024}}
    ]
    assert told()["nodes"] == told()["nodes"]
