"""Small public images for labs: a pause, a web server, an echo of who answers. BusyBox is the shell itself."""

import json

from hallmark.twin.programs.container import STOPPED, Container
from hallmark.twin.programs.web import Reply, Request, serve

WELCOME = "<!DOCTYPE html>\n<html><head><title>Welcome to nginx!</title></head></html>\n"


def main(container: Container) -> int:
    """Do what the image's own command would."""
    container.on_stop(0 if container.settings["serves"] == "nginx" else STOPPED)
    KINDS[container.settings["serves"]](container)
    container.forever()


def _nginx(container: Container) -> None:
    """Port 80; and the one of a variable ``PORT``, for there is no configuration file here to name another."""

    def answer(request: Request) -> Reply:
        container.say("INFO", f'"{request.method} {request.path.split("?")[0]} HTTP/1.1"')
        if request.path.split("?")[0] in {"/", "/index.html"}:
            return Reply(200, WELCOME, "text/html")
        return Reply(404, "<html><body><h1>404 Not Found</h1></body></html>\n", "text/html")

    serve(container, 80, answer)
    if (port := container.environment.get("PORT", "")).isdigit() and port != "80":
        serve(container, int(port), answer)


def _agnhost(container: Container) -> None:
    """``netexec`` and ``serve-hostname`` of Kubernetes' test image; anything else of it only waits."""
    names = {"netexec": 8080, "serve-hostname": 9376}
    port = next((names[each] for each in container.arguments if each in names), 0)
    port = next((int(each.split("=")[1]) for each in container.arguments if each.startswith("--http-port=")), port)

    def answer(request: Request) -> Reply:
        path = request.path.split("?")[0]
        if path in {"/", "/hostname"}:
            return Reply(200, container.pod)
        return Reply(200, "ok" if path == "/healthz" else json.dumps({"path": path}))

    if port:
        serve(container, port, answer)


def _pause(_: Container) -> None:
    """Nothing."""


KINDS = {"nginx": _nginx, "agnhost": _agnhost, "pause": _pause}
