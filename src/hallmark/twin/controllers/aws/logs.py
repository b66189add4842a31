"""Fluent Bit: application logs to CloudWatch, as the add-on's own configuration ships them.

A line becomes a JSON record with its Kubernetes metadata, in the log group
``/aws/containerinsights/<cluster>/application``, in one stream a container. Files are read from their last line on:
what was written before while nobody shipped is lost, as on a node whose Fluent Bit starts anew.

Source: amazon-cloudwatch-observability chart, ``application-log.conf``; Fluent Bit manual, filter ``kubernetes``.
"""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws import words
from hallmark.twin.controllers.aws.cloud import Cloud, Inactive
from hallmark.twin.controllers.aws.gate import FLUENT_BIT
from hallmark.twin.controllers.workloads.pods import node_name, status
from hallmark.twin.kube.kinds import NAMESPACES, PODS, Key, Kind, Object
from hallmark.twin.kube.reconcile import Mapper

EVERY = 2.0
EXCLUDED = ("cloudwatch-agent", "fluent-bit", "aws-node", "kube-proxy")
"""Pods whose logs the add-on sends elsewhere, by the start of their names."""
SYSTEM = "kube-system"
LINE = re.compile(r"(?P<time>\S+) (?P<stream>stdout|stderr) (?P<tag>\S) (?P<text>.*)")
LARGEST_BATCH = 1000
LONGEST_LINE = 4096
ALL: Key = ("", "logs")


@dataclass(frozen=True)
class Source:
    """The log of one container.

    Attributes:
        pod: Its pod.
        container: Its name.
        file: Its file.
    """

    pod: Object
    container: str
    file: Path

    @property
    def stream(self) -> str:
        """Name of the log stream, as the output plugin makes it: prefix and tag."""
        metadata = self.pod["metadata"]
        identifier = str(_container_status(self.pod, self.container).get("containerID", "")).rpartition("/")[2]
        file = f"{metadata['name']}_{metadata['namespace']}_{self.container}-{identifier or metadata['uid']}.log"
        return f"{node_name(self.pod)}-application.var.log.containers.{file}"


class Logs:
    """Ships what is new in the logs of application pods.

    Args:
        cloud: The cluster and its account.
        folder: Folder of the kubelet's log files.
    """

    name = "fluent-bit"

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self._cloud = cloud
        self._pods = cloud.caches[PODS]
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._streams: set[str] = set()
        self._log = cloud.log(self.name)
        self._began = False

    def watches(self) -> Mapping[Kind, Mapper]:
        """Namespaces are always there, so this begins at once."""
        return {NAMESPACES: lambda _: [ALL], PODS: lambda _: ()}

    async def reconcile(self, _: Key) -> float | None:
        """Ship one batch of each container."""
        working = self._cloud.gate.nodes(FLUENT_BIT)
        for source in sources(self._pods.all(), self._folder):
            if node_name(source.pod) in working:
                await self._ship(source)
            elif self._began:
                self._offsets[source.file] = _size(source.file)
        self._began = self._began or bool(working)
        return EVERY

    async def _ship(self, source: Source) -> None:
        size = _size(source.file)
        # What was there before anybody looked is not new, but for its last line; a file that appears meanwhile is.
        start = self._offsets.setdefault(source.file, 0 if self._began else last_line(source.file, size))
        if size < start:
            start = 0
        if size == start:
            return
        lines, end = read(source.file, start)
        events = [event(source, each) for each in lines]
        try:
            if events:
                await self._put(source.stream, events)
        except Inactive:
            return
        except ClientError as error:
            cause = words.of(error, "CloudWatch Logs", error.operation_name)
            self._log.error("[output:cloudwatch_logs:cloudwatch_logs.0] PutLogEvents failed: %s", cause)
            return
        self._offsets[source.file] = end

    async def _put(self, stream: str, events: list[dict[str, Any]]) -> None:
        cluster = self._cloud.cluster
        if not cluster:
            raise Inactive(FLUENT_BIT.name)  # it is being destroyed: a group without its name would be left for ever
        group = f"/aws/containerinsights/{cluster}/application"
        where = {"logGroupName": group, "logStreamName": stream}
        if stream not in self._streams:
            await self._make(group, where)
            self._streams.add(stream)
        try:
            await self._cloud.act(FLUENT_BIT, "logs", "put_log_events", **where, logEvents=events)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                self._streams.discard(stream)  # somebody deleted it; it is made again with the next batch
            raise

    async def _make(self, group: str, where: Mapping[str, str]) -> None:
        # auto_create_group: the group too, if nobody made it.
        for operation, asked in (("create_log_group", {"logGroupName": group}), ("create_log_stream", where)):
            try:
                await self._cloud.act(FLUENT_BIT, "logs", operation, **asked)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                    raise


def last_line(file: Path, size: int) -> int:
    """Where the last line of a file begins, if it is not too long: a log that goes on has an event at once."""
    with suppress(OSError), file.open("rb") as opened:
        begin = max(0, size - LONGEST_LINE)
        opened.seek(begin)
        found = opened.read(size - begin).rfind(b"\n", 0, -1)
        return begin + found + 1 if found >= 0 else size
    return size


def sources(pods: Iterable[Object], folder: Path) -> list[Source]:
    """The logs that count as the application's: of all pods that have a node, but for those of the system.

    Args:
        pods: All pods.
        folder: Folder of the kubelet's log files.
    """
    found = []
    for pod in pods:
        metadata = pod["metadata"]
        if not node_name(pod) or metadata["namespace"] == SYSTEM or metadata["name"].startswith(EXCLUDED):
            continue
        for container in [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]:
            run = _container_status(pod, container["name"]).get("restartCount", 0)
            place = folder / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}" / container["name"]
            found.append(Source(pod, container["name"], place / f"{run}.log"))
    return found


def _container_status(pod: Object, container: str) -> Mapping[str, Any]:
    kinds = ("containerStatuses", "initContainerStatuses")
    return next((each for kind in kinds for each in status(pod).get(kind) or [] if each["name"] == container), {})


def read(file: Path, start: int) -> tuple[list[re.Match[str]], int]:
    """Read whole lines from a position on. Returns them, and the position after the last."""
    with file.open("rb") as opened:
        opened.seek(start)
        content = opened.read(2**20)
    whole = content[: content.rfind(b"\n") + 1]
    lines = whole.splitlines(keepends=True)[:LARGEST_BATCH]
    matched = (LINE.match(line.decode("utf-8", "replace").rstrip("\n")) for line in lines)
    return [each for each in matched if each], start + sum(map(len, lines))


def event(source: Source, line: re.Match[str]) -> dict[str, Any]:
    """One event of CloudWatch Logs: the record that Fluent Bit's ``kubernetes`` filter makes."""
    metadata = source.pod["metadata"]
    record: dict[str, Any] = {"time": line["time"], "stream": line["stream"], "_p": line["tag"], "log": line["text"]}
    merged = _merged(line["text"])
    if merged is not None:
        record["log_processed"] = merged
    record["kubernetes"] = {
        "pod_name": metadata["name"],
        "namespace_name": metadata["namespace"],
        "pod_id": metadata["uid"],
        "host": node_name(source.pod),
        "container_name": source.container,
        "container_image": _image(source),
    }
    return {"timestamp": _milliseconds(line["time"]), "message": json.dumps(record, separators=(",", ":"))}


def _merged(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:
        return None
    return found


def _image(source: Source) -> str:
    containers = [*(source.pod["spec"].get("initContainers") or []), *source.pod["spec"]["containers"]]
    return next(str(each.get("image", "")) for each in containers if each["name"] == source.container)


def _milliseconds(moment: str) -> int:
    # The kubelet writes nanoseconds; Python knows microseconds.
    shortened = re.sub(r"(\.\d{6})\d*", r"\1", moment)
    return int(datetime.fromisoformat(shortened).timestamp() * 1000)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
