"""Commands that talk to the cluster: names and connections go through the kubelet's gate, nothing leaves the twin."""

import http.client
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from hallmark.twin.programs.dependencies import REFUSED, TIMED_OUT, UNKNOWN_HOST, Unreachable, connect, resolve
from hallmark.twin.programs.shell.interpreter import Command, Shell, open_inside

EXIT_CODES = {UNKNOWN_HOST: 6, REFUSED: 7, TIMED_OUT: 28}
"""Of curl (curl manual page, "Exit codes")."""
HTTP_ERROR = 22
VALUED = {
    "-o": "output", "-O": "output", "--output": "output", "-w": "format", "--write-out": "format", "-X": "method",
    "--request": "method", "-d": "data", "--data": "data", "-H": "header", "--header": "header", "-m": "ignored",
    "-T": "ignored", "--max-time": "ignored", "--connect-timeout": "ignored", "--cacert": "ignored",
}  # fmt: skip


@dataclass
class Call:
    """What curl or wget was asked to do."""

    url: str = ""
    flags: str = ""
    options: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def curl(shell: Shell, words: Sequence[str]) -> int:
    """``curl [-s] [-f] [-i] [-o FILE] [-w FORMAT] [-X METHOD] [-d DATA] [-H HEADER] URL``."""
    call = _read(words)
    url = _url(call.url)
    try:
        status, headers, body = _fetch(shell, call, url)
    except Unreachable as error:
        shell.streams.errors.write(f"curl: ({EXIT_CODES.get(error.outcome, 56)}) {_curl_words(error.outcome, url)}\n")
        _written_out(shell, call, 0)
        return EXIT_CODES.get(error.outcome, 56)
    if "f" in call.flags and status >= 400:  # noqa: PLR2004  (HTTP)
        shell.streams.errors.write(f"curl: ({HTTP_ERROR}) The requested URL returned error: {status}\n")
        return HTTP_ERROR
    _output(shell, call, (headers if "i" in call.flags or "I" in call.flags else "") + body)
    _written_out(shell, call, status)
    return 0


def wget(shell: Shell, words: Sequence[str]) -> int:
    """``wget [-q] [-O FILE|-] [--spider] URL``, in the words of BusyBox."""
    call = _read(words)
    url = _url(call.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        status, _, body = _fetch(shell, call, url)
    except Unreachable as error:
        words_ = {UNKNOWN_HOST: f"bad address '{url.hostname}'", TIMED_OUT: "download timed out"}
        default = f"can't connect to remote host ({url.hostname}:{port}): Connection refused"
        shell.streams.errors.write(f"wget: {words_.get(error.outcome, default)}\n")
        return 1
    if status >= 400:  # noqa: PLR2004  (HTTP)
        shell.streams.errors.write(
            f"wget: server returned error: HTTP/1.1 {status} {http.client.responses.get(status, '')}\n"
        )
        return 1
    _output(shell, call, body)
    return 0


def nslookup(shell: Shell, words: Sequence[str]) -> int:
    """``nslookup NAME``."""
    name = next((each for each in words if not each.startswith("-")), "")
    shell.write("Server:\t\t172.20.0.10\nAddress:\t172.20.0.10:53\n\n")
    try:
        full, addresses = resolve(shell.container, name)
    except Unreachable:
        shell.write(f"** server can't find {name}: NXDOMAIN\n\n")
        return 1
    shell.write("".join(f"Name:\t{full}\nAddress: {each}\n" for each in addresses) + "\n")
    return 0


def nc(shell: Shell, words: Sequence[str]) -> int:
    """``nc -z [-v] HOST PORT``: whether a port can be reached."""
    rest = [each for each in words if not each.startswith("-")]
    host, port = (rest[-2], rest[-1]) if len(rest) > 1 and rest[-1].isdigit() else ("", "0")
    try:
        route = connect(shell.container, host, int(port))
    except Unreachable as error:
        said = {UNKNOWN_HOST: f"bad address '{host}'", TIMED_OUT: f"{host} ({host}:{port}): Operation timed out"}
        shell.streams.errors.write(f"nc: {said.get(error.outcome, f'{host} ({host}:{port}): Connection refused')}\n")
        return 1
    if any("v" in each for each in words if each.startswith("-")):
        shell.streams.errors.write(f"{host} ({route.ip}:{port}) open\n")
    return 0


def _read(words: Sequence[str]) -> Call:
    call, rest = Call(), list(words)
    while rest:
        word = rest.pop(0)
        if word in VALUED:
            value = rest.pop(0) if rest else ""
            call.options[VALUED[word]] = value
            if VALUED[word] == "header":
                name, _, text = value.partition(":")
                call.headers[name.strip()] = text.strip()
        elif word.startswith(("-O", "-o")):
            call.options["output"] = word[2:]
        elif word == "--fail":
            call.flags += "f"
        elif word.startswith("-") and not word.startswith("--"):
            call.flags += word[1:]
            if word[-1] in "owXdHmO" and rest:  # flags written together, the last of them with a value
                call.options[VALUED[f"-{word[-1]}"]] = rest.pop(0)
        elif not word.startswith("-"):
            call.url = word
    return call


def _url(text: str) -> SplitResult:
    return urlsplit(text if "://" in text else f"http://{text}")


def _fetch(shell: Shell, call: Call, url: SplitResult) -> tuple[int, str, str]:
    secure = url.scheme == "https"
    route = connect(shell.container, str(url.hostname), url.port or (443 if secure else 80))
    if not route.address:
        raise Unreachable("reset")  # something that speaks no HTTP here
    method = call.options.get("method") or (
        "HEAD" if "I" in call.flags else "POST" if "data" in call.options else "GET"
    )
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    connection: http.client.HTTPConnection
    if secure:
        trusting = ssl._create_unverified_context()  # noqa: S323,SLF001  (loopback; certificates name the cluster's names)
        connection = http.client.HTTPSConnection(route.address, route.port, timeout=60, context=trusting)
    else:
        connection = http.client.HTTPConnection(route.address, route.port, timeout=60)
    try:
        connection.request(method, path, call.options.get("data"), {"Host": url.netloc, **call.headers})
        answer = connection.getresponse()
        headers = f"HTTP/1.1 {answer.status} {answer.reason}\n{answer.headers}"
        return answer.status, headers, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(REFUSED if isinstance(error, ConnectionRefusedError) else "reset") from error
    finally:
        connection.close()


def _output(shell: Shell, call: Call, text: str) -> None:
    target = call.options.get("output", "-")
    if target in {"-", ""}:
        shell.write(text)
    else:
        with open_inside(shell, target, ">") as opened:
            opened.write(text)


def _written_out(shell: Shell, call: Call, status: int) -> None:
    wanted = (
        call.options.get("format", "")
        .replace("%{http_code}", f"{status:03}")
        .replace("%{response_code}", f"{status:03}")
    )
    shell.write(wanted.replace("\\n", "\n"))


def _curl_words(outcome: str, url: SplitResult) -> str:
    port = url.port or (443 if url.scheme == "https" else 80)
    return {
        UNKNOWN_HOST: f"Could not resolve host: {url.hostname}",
        REFUSED: f"Failed to connect to {url.hostname} port {port} after 0 ms: Could not connect to server",
        TIMED_OUT: f"Connection timed out after {5000} milliseconds",
    }.get(outcome, "Recv failure: Connection reset by peer")


COMMANDS: dict[str, Command] = {"curl": curl, "wget": wget, "nslookup": nslookup, "nc": nc}
