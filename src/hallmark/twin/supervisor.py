"""The twin as one thing: up, down, reset, snapshots. Everything it keeps lies in ``<home>/twin/``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin import baseline
from hallmark.twin.aws.versions import versions
from hallmark.twin.clients import SECRET, Clients
from hallmark.twin.emulator import Running, Server
from hallmark.twin.files import disk_fault, hold, write
from hallmark.twin.ingress import Ingress
from hallmark.twin.keeping import Keeper
from hallmark.twin.terraform import Progress, Terraform, end_orphan, provider_settings

ACCOUNT = "111122223333"
REGION = "us-east-1"
START = "hallmark twin up"


@dataclass(frozen=True)
class TwinStatus:
    """What is to be known of a twin.

    Attributes:
        running: Whether its server answers.
        endpoint: Where, or empty.
        account: Its account.
        started: Since when the server runs, ISO 8601 UTC, or empty.
        snapshots: Names of the snapshots.
        baseline_fits: Whether the snapshot of the baseline is of the present Terraform files and emulator.
        versions: Of moto, the extension and Python.
        warning: What is wrong although it runs, for example that saving fails; empty if nothing is.
    """

    running: bool
    endpoint: str
    account: str
    started: str
    snapshots: tuple[str, ...]
    baseline_fits: bool
    versions: dict[str, str]
    warning: str = ""


def quiet(_: str) -> None:
    """Progress that nobody listens to."""


class Twin:
    """One twin of the reference architecture.

    Args:
        home: Where everything that is made at run time lies (``HALLMARK_HOME``, else ``.hallmark``).
        root: The clone of the repository: its ``terraform/`` is applied.
        account: The account of the architecture, 12 digits.
        port: Port on 127.0.0.1; by default the one it had last, else 4566, else a free one.
    """

    def __init__(self, home: Path, root: Path, account: str = ACCOUNT, port: int | None = None) -> None:
        self._state = home.resolve() / "twin"
        self._root = root.resolve()
        self.account = account
        self._port = port
        self._server = Server(self._state)
        self._keeper = Keeper(self._state, account)
        self._work = self._state / "terraform"
        self._unfinished = self._state / "unfinished"
        """There while AWS and Terraform's state are on their way to the baseline, and may not fit each other."""

    # --- what a person asks for

    def up(self, progress: Progress = quiet) -> None:
        """Make the twin run and hold the architecture; does nothing if it does.

        After a crash the last automatic save comes back. Without one, the baseline's snapshot does. Without that,
        Terraform builds the baseline and the snapshot is made.

        Args:
            progress: Is told one line for each step.

        Raises:
            EnvironmentFault: A port, the disk, Terraform or its provider does not play along.
        """
        with self._alone(progress):
            running = self._server.find()
            unfinished = self._unfinished.exists()
            if not running or running.versions != versions():
                self._start_over(progress, resume=not unfinished)
            elif unfinished:
                self._to_baseline(running, progress)

    def down(self) -> None:
        """Stop the twin; its state is saved and comes back with `up`."""
        with self._alone(quiet):
            self._server.stop()

    def status(self) -> TwinStatus:
        """Look, change nothing."""
        running = self._server.find()
        kept = self._keeper.baseline(self._root)
        return TwinStatus(
            running=running is not None,
            endpoint=_endpoint(running.port) if running else "",
            account=self.account,
            started=running.started if running else "",
            snapshots=self._keeper.snapshots.names(),
            baseline_fits=kept is not None,
            versions=running.versions if running else versions(),
            warning=f"Saving fails: {running.autosave_error}" if running and running.autosave_error else "",
        )

    def reset(self, progress: Progress = quiet) -> None:
        """Back to the baseline: from its snapshot in seconds, or by Terraform if its files have changed."""
        with self._alone(progress):
            self._to_baseline(self._require(), progress)

    def empty(self) -> None:
        """An account as AWS hands it out, and no Terraform state."""
        with self._alone(quiet):
            self._keeper.forget(self._require())

    def snapshot(self, name: str) -> None:
        """Keep the present state of AWS and of Terraform under a name."""
        with self._alone(quiet):
            self._keeper.keep(self._require(), name)

    def restore(self, name: str) -> None:
        """Bring back a snapshot.

        Raises:
            UsageError: There is none of this name, or it was made by another twin or other versions.
        """
        with self._alone(quiet):
            running, kept = self._require(), self._keeper.snapshots.get(name)
            if kept is None:
                known = ", ".join(self._keeper.snapshots.names()) or "none yet"
                raise UsageError(f"There is no snapshot {name!r}.", f"there are: {known}")
            self._keeper.bring_back(running, kept)

    def snapshots(self) -> tuple[str, ...]:
        """Names of the snapshots."""
        return self._keeper.snapshots.names()

    def clone(self, account: str) -> Path:
        """Copy the architecture into another account of the same server; seconds instead of minutes.

        Args:
            account: The account to fill, 12 digits; what it held is gone.

        Returns:
            Terraform's state of the copy.
        """
        with self._alone(quiet):
            self._require().control.clone(self.account, account)
            copy = self._state / "clones" / account / "terraform.tfstate"
            if self._keeper.tfstate.exists():
                write(copy, self._keeper.tfstate.read_bytes().replace(self.account.encode(), account.encode()))
            return copy

    def ingress(self, *, remove: bool = False) -> None:
        """Make the Ingress's load balancer and records on whatever Terraform built, the learner's or ours.

        Args:
            remove: Take them away instead; to be done before Terraform destroys what they stand on.

        Raises:
            UsageError: No Terraform state in this project describes the cluster that the twin holds.
        """
        with self._alone(quiet):
            self._require()
            ingress = Ingress(self.clients, self._outputs())
            ingress.remove() if remove else ingress.make()

    def destroy(self, progress: Progress = quiet) -> None:
        """Destroy with Terraform what Terraform built, and remove all snapshots.

        The twin stays up, with whatever is left in its account: that should be nothing.
        """
        with self._alone(progress):
            self._require()
            if self._keeper.tfstate.exists():
                progress("Playing the load-balancer controller: removing the Ingress's load balancer.")
                Ingress(self.clients, baseline.outputs(self._keeper.tfstate)).remove()
                self._terraform().destroy(progress)
                self._keeper.tfstate.unlink()
            for name in self._keeper.snapshots.names():
                self._keeper.snapshots.remove(name)

    def plan_is_empty(self) -> bool:
        """Whether Terraform would change nothing on what it built."""
        with self._alone(quiet):
            self._require()
            return self._terraform().plan_is_empty()

    # --- where it is

    @property
    def endpoint(self) -> str:
        """URL of the emulated AWS.

        Raises:
            EnvironmentFault: The twin is down.
        """
        return _endpoint(self._require().port)

    @property
    def clients(self) -> Clients:
        """boto3 clients of the twin's account."""
        return Clients(self.endpoint, self.account, REGION)

    def environment(self) -> dict[str, str]:
        """Variables that lead ``terraform`` and ``aws`` to the twin, and keep them from asking anybody else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "1",
            **provider_settings(self._work),
        }

    # --- how

    @contextmanager
    def _alone(self, progress: Progress) -> Iterator[None]:
        # One command at a time changes the twin; a second one waits for the first.
        try:
            self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise disk_fault(self._state, error) from error
        busy = "Another hallmark command is busy with the twin; waiting for it."
        with hold(self._state / "command.lock", busy, waiting=progress):
            # Whoever holds the lock is alone: a Terraform that still runs was left behind by a command that is dead.
            end_orphan(self._work)
            yield

    def _require(self) -> Running:
        running = self._server.find()
        if running is None:
            raise EnvironmentFault("The twin is down.", START)
        if running.versions != versions():
            raise EnvironmentFault("The twin runs code of another version.", START)
        return running

    def _start_over(self, progress: Progress, *, resume: bool) -> None:
        try:
            running = self._start(progress)
            if not resume or not self._keeper.resume(running, progress):
                self._to_baseline(running, progress)
        except BaseException:
            # A server that holds nothing yet must not be taken for the architecture by the next command.
            self._server.stop()
            raise

    def _start(self, progress: Progress) -> Running:
        if self._server.is_alive:
            progress("Stopping a server that does not answer, or runs code of another version.")
            self._server.stop()
        if self._server.crashed:
            progress("The server had not ended in order. Changes since its last save, up to half a minute, are lost.")
        progress("Starting the emulated AWS.")
        running = self._server.start(self._port)
        progress(f"It answers at {_endpoint(running.port)}.")
        return running

    def _to_baseline(self, running: Running, progress: Progress) -> None:
        kept = self._keeper.baseline(self._root)
        write(self._unfinished, "")
        if kept:
            progress("Bringing back the baseline.")
            try:
                self._keeper.bring_back(running, kept)
            except UsageError as error:
                progress(f"The baseline has to be built again. {error.message}")
                kept = None
        if not kept:
            self._build(running, progress)
        self._unfinished.unlink(missing_ok=True)

    def _build(self, running: Running, progress: Progress) -> None:
        self._keeper.forget(running)
        try:
            self._terraform().apply(progress)
            progress("Playing the load-balancer controller and external-dns.")
            Ingress(self.clients, baseline.outputs(self._keeper.tfstate)).make()
            self._keeper.keep(running, baseline.NAME, baseline.digest(self._root))
        except BaseException:
            # A half-built architecture is of no use to anybody: the next `up` begins with an empty account.
            progress("Not finished; removing what was built so far.")
            self._server.stop()
            raise

    def _terraform(self) -> Terraform:
        return baseline.terraform(self._root, self._work, self.environment())

    def _outputs(self) -> dict[str, Any]:
        # Of the states in this project, the one whose cluster is the one that is really there.
        eks = self.clients("eks")
        names = eks.list_clusters()["clusters"]
        networks = {name: eks.describe_cluster(name=name)["cluster"]["resourcesVpcConfig"]["vpcId"] for name in names}
        for state in (self._keeper.tfstate, *sorted(self._root.glob("work/*/terraform.tfstate"))):
            found = baseline.outputs(state)
            if found and networks.get(found.get("cluster_name", "")) == found.get("vpc_id"):
                return found
        raise UsageError("No Terraform state in this project describes a cluster of the twin.", "terraform apply")


def _endpoint(port: int) -> str:
    return f"http://127.0.0.1:{port}"
