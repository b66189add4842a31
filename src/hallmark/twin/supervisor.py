"""The twin as one thing: up, down, reset, snapshots. Everything it keeps lies in ``<home>/twin/``."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin import baseline, given, tools
from hallmark.twin.aws.versions import versions
from hallmark.twin.clients import Clients
from hallmark.twin.emulator import Running, Server
from hallmark.twin.entrance import Entrance
from hallmark.twin.files import disk_fault, hold, write
from hallmark.twin.keeping import Keeper
from hallmark.twin.kubernetes import Cluster
from hallmark.twin.states import REGION, States, endpoint_of
from hallmark.twin.stores.clickhouse import library
from hallmark.twin.terraform import Progress, end_orphan

ACCOUNT = "111122223333"
START = "hallmark twin up"


@dataclass(frozen=True)
class TwinStatus:
    """What is to be known of a twin.

    Attributes:
        running: Whether its server answers.
        endpoint: Where, or empty.
        kubernetes: URL of the cluster's API, or empty.
        account: Its account.
        started: Since when the server runs, ISO 8601 UTC, or empty.
        snapshots: Names of the snapshots.
        baseline_fits: Whether the snapshot of the baseline is of the present Terraform files and emulator.
        versions: Of moto, the extension and Python.
        warning: What is wrong although it runs, for example that saving fails, and which stores are not on
            the servers that were given; empty if nothing is.
    """

    running: bool
    endpoint: str
    kubernetes: str
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
        kubernetes: Whether it has a cluster; without one it is the emulated AWS alone.
    """

    def __init__(
        self, home: Path, root: Path, account: str = ACCOUNT, port: int | None = None, *, kubernetes: bool = True
    ) -> None:
        self._state = home.resolve() / "twin"
        self._root = root.resolve()
        self.account = account
        self._port = port
        self._server = Server(self._state)
        self._keeper = Keeper(self._state, account)
        self._choose(given.cluster(self._state) if kubernetes else None)

    # --- what a person asks for

    def up(self, progress: Progress = quiet) -> None:
        """Make the twin run and hold the architecture; does nothing if it does.

        After a crash the last automatic save comes back. Without one, the baseline's snapshot does. Without that,
        Terraform builds the baseline and the snapshot is made.

        Args:
            progress: Is told one line for each step.

        Raises:
            UsageError: ``HALLMARK_CLICKHOUSE`` names a folder without the library, or a URL is none.
            EnvironmentFault: A port, the disk, Terraform or its provider does not play along.
            GivenFault: The twin is up, but a data store's server that was given is not.
        """
        library.find()
        with self._alone(progress):
            if self._cluster and self._cluster.use_stores(os.environ):
                progress("Using other servers for the data stores, as the variables say.")
            running = self._server.find()
            if not running or running.versions != versions():
                self._start_over(progress)
            elif unfinished := self._states.unfinished:
                progress("The last command did not end; beginning again.")
                self._states.bring(unfinished, running, progress)
            elif self._cluster and not self._cluster.is_well:
                progress("Starting what does not run, does not answer, or runs code of before.")
                self._states.resume(running)
            self._require_stores()

    def use(self, kubeconfig: Path | None, progress: Progress = quiet) -> None:
        """Use a given cluster from now on, or again one of the twin's own; the next :meth:`up` begins anew in it.

        Args:
            kubeconfig: Its current context leads to the cluster; None for the twin's own.
            progress: Is told one line for each step.

        Raises:
            UsageError: The file is no kubeconfig, or the cluster is not marked as a lab; nothing was changed.
            EnvironmentFault: The cluster does not answer.
        """
        with self._alone(progress):
            if given.chosen(self._state) == (kubeconfig and kubeconfig.absolute()):
                return
            if kubeconfig:
                given.GivenCluster(self._state, kubeconfig).require_lab()
            progress("Changing the cluster.")
            self._stop()
            given.choose(self._state, kubeconfig)
            self._choose(given.cluster(self._state))
            self._states.begin_again()

    def down(self) -> None:
        """Stop the twin; its state is saved and comes back with `up`."""
        with self._alone(quiet):
            self._stop()

    def status(self) -> TwinStatus:
        """Look, change nothing."""
        running = self._server.find()
        saving = f"Saving fails: {running.autosave_error}" if running and running.autosave_error else ""
        stores = self._cluster.stores_say() if self._cluster else ""
        return TwinStatus(
            running=running is not None,
            endpoint=endpoint_of(running) if running else "",
            kubernetes=self._cluster.server if self._cluster and self._cluster.is_up else "",
            account=self.account,
            started=running.started if running else "",
            snapshots=self._keeper.snapshots.names(),
            baseline_fits=self._states.baseline_fits,
            versions=running.versions if running else versions(),
            warning=" ".join(filter(None, (saving, stores))),
        )

    @property
    def fits(self) -> bool:
        """Whether there are snapshots of what this twin would be built from now."""
        return self._states.fits

    def reset(self, progress: Progress = quiet, to: str = "") -> None:
        """Back to where it began: from a snapshot in seconds, or built anew if what it is made of has changed.

        Args:
            progress: Is told one line for each step.
            to: ``baseline`` for what Terraform builds, ``deployed`` (default) for that and the release.

        Raises:
            UsageError: The cluster is not the twin's own, so it cannot be put back.
            GivenFault: It is put back, but for data on a server that does not play along.
        """
        with self._alone(progress):
            self._states.require_own()
            self._states.bring(to or self._states.whole, self._require(), progress)
            self._require_stores()

    def empty(self) -> None:
        """An account as AWS hands it out, no Terraform state, and a cluster with nothing in it."""
        with self._alone(quiet):
            self._states.empty(self._require())

    def snapshot(self, name: str) -> None:
        """Keep the present state of AWS, of Terraform and of the cluster under a name."""
        with self._alone(quiet):
            self._states.keep(self._require(), name)

    def restore(self, name: str) -> None:
        """Bring back a snapshot.

        Raises:
            UsageError: There is none of this name, or it was made by another twin or other versions.
        """
        with self._alone(quiet):
            self._states.require_own()
            running, kept = self._require(), self._keeper.snapshots.get(name)
            if kept is None:
                known = ", ".join(self._keeper.snapshots.names()) or "none yet"
                raise UsageError(f"There is no snapshot {name!r}.", f"there are: {known}")
            self._states.bring_back(running, name, kept)
            self._require_stores()

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

    def deploy(self, progress: Progress = quiet, *, remove: bool = False) -> None:
        """Install the release on whatever Terraform built, the learner's or ours.

        Args:
            progress: Is told one line for each step.
            remove: Take it away instead; to be done before Terraform destroys what it stands on.

        Raises:
            UsageError: No Terraform state in this project describes the cluster that the twin holds.
        """
        with self._alone(progress):
            self._require()
            release = self._states.release()
            release.remove(progress) if remove else release.install(self.outputs(), progress)

    def destroy(self, progress: Progress = quiet) -> None:
        """Destroy with Terraform what Terraform built, and remove all snapshots.

        The twin stays up, with whatever is left in its account: that should be nothing.
        """
        with self._alone(progress):
            running = self._require()
            if self._keeper.tfstate.exists():
                if self._cluster:
                    self._states.release().remove(progress)
                self._states.terraform(running).destroy(progress)
                self._keeper.tfstate.unlink()
            for name in self._keeper.snapshots.names():
                self._keeper.snapshots.remove(name)

    def plan_is_empty(self) -> bool:
        """Whether Terraform would change nothing on what it built."""
        with self._alone(quiet):
            return self._states.terraform(self._require()).plan_is_empty()

    # --- where it is

    @property
    def endpoint(self) -> str:
        """URL of the emulated AWS.

        Raises:
            EnvironmentFault: The twin is down.
        """
        return endpoint_of(self._require())

    @property
    def clients(self) -> Clients:
        """boto3 clients of the twin's account."""
        return Clients(self.endpoint, self.account, REGION)

    def outputs(self) -> dict[str, Any]:
        """What Terraform says of the cluster that the twin holds, whoever built it.

        Raises:
            UsageError: No Terraform state in this project describes it.
        """
        # Of the states in this project, the one whose cluster is the one that is really there.
        eks = self.clients("eks")
        names = eks.list_clusters()["clusters"]
        networks = {name: eks.describe_cluster(name=name)["cluster"]["resourcesVpcConfig"]["vpcId"] for name in names}
        for state in (self._keeper.tfstate, *sorted(self._root.glob("work/*/terraform.tfstate"))):
            found = baseline.outputs(state)
            if found and networks.get(found.get("cluster_name", "")) == found.get("vpc_id"):
                return found
        raise UsageError("No Terraform state in this project describes a cluster of the twin.", "terraform apply")

    def environment(self) -> dict[str, str]:
        """Variables that lead ``terraform`` and ``aws`` to the twin, and keep them from asking anybody else."""
        return self._states.environment(self._require())

    def entrance(self) -> Entrance | None:
        """How people reach LangSmith; None while nothing leads there."""
        return self._states.entrance(self.outputs())

    def api_key(self) -> str:
        """A key of LangSmith's API; made with the first administrator's password if there is none yet.

        Raises:
            EnvironmentFault: LangSmith does not answer.
            UsageError: There is no release, or nobody could log in.
        """
        return self._states.api_key(self.outputs())

    def tools(self) -> Path | None:
        """A folder for the PATH with `kubectl` and `helm`, for those of the two that the person does not have."""
        return tools.offer(self._state / "bin") if self._cluster else None

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
            end_orphan(self._states.work)
            yield

    def _require(self) -> Running:
        running = self._server.find()
        if running is None:
            raise EnvironmentFault("The twin is down.", START)
        if running.versions != versions():
            raise EnvironmentFault("The twin runs code of another version.", START)
        return running

    def _require_stores(self) -> None:
        if self._cluster:
            self._cluster.require_stores()

    def _choose(self, cluster: Cluster | None) -> None:
        self._cluster = cluster
        self._states = States(
            root=self._root,
            state=self._state,
            account=self.account,
            keeper=self._keeper,
            cluster=cluster,
            stop=self._stop,
        )

    def _start_over(self, progress: Progress) -> None:
        unfinished = self._states.unfinished
        try:
            running = self._start(progress)
            if not unfinished and self._keeper.resume(running, progress):
                self._states.resume(running)
            else:
                self._states.bring(unfinished or self._states.whole, running, progress)
        except BaseException:
            # A server that holds nothing yet must not be taken for the architecture by the next command.
            self._stop()
            raise

    def _start(self, progress: Progress) -> Running:
        if self._server.is_alive:
            progress("Stopping a server that does not answer, or runs code of another version.")
        self._stop()
        if self._server.crashed:
            progress("The server had not ended in order. Changes since its last save, up to half a minute, are lost.")
        progress("Starting the emulated AWS.")
        running = self._server.start(self._port)
        progress(f"It answers at {endpoint_of(running)}.")
        self._states.serve(running)
        return running

    def _stop(self) -> None:
        if self._cluster:
            self._cluster.down()
        self._server.stop()
