"""The workloads and Jobs of ``langsmith-backend``: one program, a role for each.

Roles, ports, probes and what a workload needs to start are those of :mod:`hallmark.twin.programs.langsmith.service`.
"""

from hallmark.twin.platform import jobs, serving
from hallmark.twin.platform.about import About
from hallmark.twin.platform.accounts import Accounts
from hallmark.twin.platform.application import Application
from hallmark.twin.platform.broker import ADHOC, FEEDBACK, INGESTION, LATE
from hallmark.twin.platform.calls import Endpoint
from hallmark.twin.platform.datasets import Datasets
from hallmark.twin.platform.doors import Doors
from hallmark.twin.platform.feedback import Feedback
from hallmark.twin.platform.ingest import Ingest
from hallmark.twin.platform.intake import Intake
from hallmark.twin.platform.payloads import Payloads
from hallmark.twin.platform.projects import Projects
from hallmark.twin.platform.runs import Runs
from hallmark.twin.platform.settings import Settings
from hallmark.twin.platform.spans import Spans
from hallmark.twin.platform.stores import Stores
from hallmark.twin.platform.work import Work
from hallmark.twin.platform.worker import Worker
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith import service
from hallmark.twin.programs.langsmith.hooks import HOOKS
from hallmark.twin.programs.web import Reply, listen, serve


def main(container: Container) -> int:
    """Run the role that the catalogue chose."""
    name = container.settings["role"]
    if name in HOOKS:
        return jobs.run(container, name)
    if name in {"backend", "platform-backend"}:
        return _api(container, name)
    if name in {"queue", "ingest-queue"}:
        return _worker(container, name)
    return service.main(container)


def endpoints(name: str, stores: Stores, settings: Settings) -> list[Endpoint]:
    """Routes of a role."""
    payloads = Payloads(stores.bucket, stores.database, settings)
    ingest, about = Ingest(stores, payloads), About(stores, settings)
    accounts = Accounts(stores.database, settings)
    if name == "platform-backend":
        return [*about.platform(), *ingest.endpoints(), *Spans(ingest).endpoints(), *accounts.identity()]
    runs = Runs(stores.warehouse, payloads)
    parts = (accounts, runs, Projects(stores, runs), Feedback(stores), Datasets(stores.database))
    return [*about.backend(), *ingest.changing(), *(each for part in parts for each in part.endpoints())]


def _api(container: Container, name: str) -> int:
    container.on_stop(0)
    role, stores, settings = service.ROLES[name], Stores.of(container), Settings.of(container)
    health = service.begin(container, role, stores.watched())
    application = Application(container, Doors(stores.database, settings).admit).starlette(
        endpoints(name, stores, settings), role.health, lambda: service.probed(container, role, health)
    )
    port = service.port_of(container, role)
    listener = listen(container, port)
    container.say("INFO", f"listening on port {port}")
    service.keep_looking(container, role, stores.watched(), health)
    serving.serve(application, listener, container, role)
    return 0


def _worker(container: Container, name: str) -> int:
    container.on_stop(0)
    role, stores, settings = service.ROLES[name], Stores.of(container), Settings.of(container)
    health = service.begin(container, role, stores.watched())
    workers = _workers(container, name, stores, settings)
    port = service.port_of(container, role)

    def answer(path: str) -> Reply:
        if path.partition("?")[0] != role.health:
            return service.as_json(404, detail="Not Found")
        status, content = service.probed(container, role, health)
        return service.as_json(status, **content)

    serve(container, port, lambda request: answer(request.path))
    container.say("INFO", f"listening on port {port}")
    service.keep_looking(container, role, stores.watched(), health)
    for worker in workers:
        worker.start()
    try:
        container.forever()
    finally:
        for worker in workers:
            worker.finish()


def _workers(container: Container, name: str, stores: Stores, settings: Settings) -> list[Worker]:
    work, broker = Work(stores), stores.broker
    if name == "ingest-queue":
        intake = Intake(container, stores, Payloads(stores.bucket, stores.database, settings))
        return [
            Worker(container, broker, queue, do, settings.expiry)
            for queue, do in ((INGESTION, intake.ingest), (LATE, intake.complete))
        ]
    return [Worker(container, broker, FEEDBACK, work.remark), Worker(container, broker, ADHOC, work.delete)]
