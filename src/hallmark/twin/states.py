"""The states a twin can be brought into: what Terraform builds, that and the release, a snapshot, nothing at all."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin import baseline, deployment
from hallmark.twin.aws.seal import Seal
from hallmark.twin.clients import SECRET
from hallmark.twin.emulator import Running
from hallmark.twin.entrance import Entrance, key
from hallmark.twin.files import write
from hallmark.twin.keeping import Keeper
from hallmark.twin.kubernetes import Cloud, Cluster, published_issuer
from hallmark.twin.process import uninterrupted
from hallmark.twin.snapshots import Snapshot
from hallmark.twin.terraform import Progress, Terraform, provider_settings
from hallmark.waiting import until

REGION = "us-east-1"
DEPLOYED = "deployed"
"""Name of the snapshot of the whole architecture."""
KEY_WITHIN = 60.0
"""Seconds until LangSmith lets somebody in, by its public name, on a slow machine."""


class States:
    """Brings AWS, Terraform's state and the cluster into one state together.

    Args:
        root: The clone of the repository.
        state: The state directory.
        account: The account of the architecture.
        keeper: Carries state between memory and disk.
        cluster: The cluster, or None for a twin without one.
        stop: Stops everything: what is half-built is of no use to anybody.
    """

    def __init__(
        self,
        *,
        root: Path,
        state: Path,
        account: str,
        keeper: Keeper,
        cluster: Cluster | None,
        stop: Callable[[], None],
    ) -> None:
        self._root = root
        self._state = state
        self._account = account
        self._keeper = keeper
        self._cluster = cluster
        self._stop = stop
        self.work = state / "terraform"
        self._unfinished = state / "unfinished"
        """There while AWS, Terraform's state and the cluster are on their way, and may not fit each other."""

    @property
    def unfinished(self) -> str:
        """Name of the state that everything was on its way into when that was broken off, or empty."""
        return (self._unfinished.read_text(encoding="utf-8") or self.whole) if self._unfinished.exists() else ""

    @property
    def whole(self) -> str:
        """Name of the state a new twin is brought into."""
        return DEPLOYED if self._cluster else baseline.NAME

    @property
    def baseline_fits(self) -> bool:
        """Whether the snapshot of the baseline is of the present Terraform files and emulator."""
        return self._keeper.fitting(baseline.NAME, self._baseline_digest()) is not None

    @property
    def fits(self) -> bool:
        """Whether all the snapshots it begins with are of what they would be built from now."""
        deployed = self._is_kept and self._keeper.fitting(DEPLOYED, self._deployed_digest()) is not None
        return self.baseline_fits and (deployed or not self._is_kept)

    def bring(self, name: str, running: Running, progress: Progress) -> None:
        """Bring everything into a state: one of the twin's own, from its snapshot or by building it, or a kept one.

        Args:
            name: ``baseline``, ``deployed``, or the name of a snapshot; one that is gone counts as ``deployed``.
            running: The server of the emulated AWS.
            progress: Is told one line for each step.
        """
        own = name in {DEPLOYED, baseline.NAME}
        kept = None if own else self._keeper.snapshots.get(name)
        if kept:
            self.bring_back(running, name, kept)
            return
        with self._on_its_way(name if own else self.whole):
            self._to_baseline(running, progress) if name == baseline.NAME else self._to_deployed(running, progress)

    def bring_back(self, running: Running, name: str, kept: Snapshot) -> None:
        """Put a snapshot in place of what is there.

        Raises:
            UsageError: It was made by another twin, or by other versions; nothing was changed.
        """
        with self._on_its_way(name):
            try:
                self._put(running, kept)
            except UsageError:
                self.resume(running)
                self._unfinished.unlink()
                raise

    def keep(self, running: Running, name: str, fits: str = "") -> None:
        """Keep the present state under a name.

        Raises:
            UsageError: The cluster is not the twin's own.
        """
        if self._cluster is None:
            self._keeper.keep(running, name, fits)
            return
        dumped = self._cluster.dump()
        self._cluster.pause()
        try:
            stores, disks = self._cluster.data()
            self._keeper.keep(running, name, fits, cluster=dumped, stores=stores, disks=disks)
        finally:
            self.resume(running)

    def empty(self, running: Running) -> None:
        """An account as AWS hands it out, no Terraform state, and a cluster with nothing in it.

        Raises:
            UsageError: The cluster is not the twin's own.
        """
        self.require_own()
        with self._on_its_way(self.whole):
            self._pause()
            self._keeper.forget(running)
            self._empty_cluster(running)

    def begin_again(self) -> None:
        """Have the next `up` bring everything into the state of a new twin."""
        write(self._unfinished, self.whole)

    def require_own(self) -> None:
        """Refuse what would have to put a cluster back that is not the twin's own.

        Raises:
            UsageError: It is not.
        """
        if self._cluster and not self._cluster.is_own:
            self._cluster.dump()

    def resume(self, running: Running) -> None:
        """Start the cluster as it was when it went down; nothing happens to one that is well."""
        if self._cluster:
            self._cluster.up(self._cloud(running))

    def serve(self, running: Running) -> None:
        """Start the cluster's API alone, so that AWS knows whose tokens to believe before anything is built."""
        if self._cluster:
            self._cluster.serve(self._cloud(running))

    def terraform(self, running: Running) -> Terraform:
        """Terraform on the baseline."""
        return baseline.terraform(self._root, self.work, self.environment(running))

    def release(self) -> deployment.Deployment:
        """The second step.

        Raises:
            UsageError: This twin has no cluster.
        """
        if self._cluster is None:
            raise UsageError("This twin has no cluster.", "hallmark twin up")
        return deployment.Deployment(self._root, self._state / "release", self._cluster.kubeconfig)

    def environment(self, running: Running) -> dict[str, str]:
        """Variables that lead tools to the twin, and keep them from asking anybody else."""
        return {
            "AWS_ENDPOINT_URL": endpoint_of(running),
            "AWS_ACCESS_KEY_ID": self._account,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "1",
            **({"KUBECONFIG": str(self._cluster.kubeconfig)} if self._cluster else {}),
            **provider_settings(self.work),
        }

    def entrance(self, outputs: Mapping[str, Any]) -> Entrance | None:
        """How people reach LangSmith; None while nothing leads there.

        Args:
            outputs: Of Terraform.

        Raises:
            UsageError: They do not tell its name.
        """
        port, direct = (self._cluster.edge, self._cluster.direct) if self._cluster else (0, None)
        if port and "host" not in outputs:
            raise UsageError("Terraform has no output named host: nobody knows LangSmith's name.", "terraform output")
        proxy, authority = f"http://127.0.0.1:{port}", self._state / "edge" / "ca.pem"
        return Entrance(f"https://{outputs['host']}", proxy, authority, direct) if port else None

    def api_key(self, outputs: Mapping[str, Any]) -> str:
        """A key of LangSmith's API; made with the first administrator's password if there is none yet.

        Args:
            outputs: Of Terraform.

        Raises:
            EnvironmentFault: LangSmith does not answer.
            UsageError: There is no release, or nobody could log in.
        """
        entrance = self.entrance(outputs)
        if entrance is None or self._cluster is None:
            raise EnvironmentFault("Nothing leads to LangSmith: the twin is down.", "hallmark twin up")
        kept, kubeconfig = self._keeper.api_key, self._cluster.kubeconfig
        return key(entrance, kept, kubeconfig, deployment.NAMESPACE, deployment.RELEASE)

    @contextmanager
    def _on_its_way(self, name: str) -> Iterator[None]:
        # What is broken off here, by whatever, is begun again by the next `up`.
        write(self._unfinished, name)
        yield
        self._unfinished.unlink(missing_ok=True)

    @property
    def _is_kept(self) -> bool:
        """Whether a deployment is kept: only one in a cluster of our own can be put back."""
        return self._cluster is not None and self._cluster.is_own

    def _to_deployed(self, running: Running, progress: Progress) -> None:
        kept = self._keeper.fitting(DEPLOYED, self._deployed_digest()) if self._is_kept else None
        if not (kept and self._try(running, kept, "Bringing back the whole architecture.", progress)):
            self._to_baseline(running, progress)
            self._deploy(running, progress)

    def _to_baseline(self, running: Running, progress: Progress) -> None:
        kept = self._keeper.fitting(baseline.NAME, self._baseline_digest())
        if not (kept and self._try(running, kept, "Bringing back the baseline.", progress)):
            self._build(running, progress)

    def _try(self, running: Running, kept: Snapshot, doing: str, progress: Progress) -> bool:
        """Put one of the twin's own snapshots in place; False if it is refused, and then it has to be built again."""
        progress(doing)
        try:
            self._put(running, kept)
        except UsageError as error:
            progress(f"It has to be built again. {error.message}")
            return False
        return True

    def _put(self, running: Running, kept: Snapshot) -> None:
        with ThreadPoolExecutor() as pool:
            with uninterrupted():
                prepared = pool.submit(self._prepare, kept.stores)
            self._pause()
            self._keeper.bring_back(running, kept)
            prepared.result()
        self._fill_cluster(running, kept)

    def _build(self, running: Running, progress: Progress) -> None:
        self._pause()
        self._keeper.forget(running)
        try:
            self.terraform(running).apply(progress)
            self._keeper.keep(running, baseline.NAME, self._baseline_digest())
            self._empty_cluster(running)
        except BaseException:
            # A half-built architecture is of no use to anybody: the next `up` begins with an empty account.
            progress("Not finished; removing what was built so far.")
            self._stop()
            raise

    def _deploy(self, running: Running, progress: Progress) -> None:
        if self._cluster:
            self._cluster.require_stores()  # pods would wait for minutes
        self.release().install(self._outputs(), progress)
        if self._is_kept:
            self._await_key(progress)
            self.keep(running, DEPLOYED, self._deployed_digest())

    def _await_key(self, progress: Progress) -> None:
        """Have an API key in the snapshot: the one that is in people's shells is still good after a reset."""

        def is_there() -> bool:
            with suppress(EnvironmentFault):  # its name and its targets may be seconds old
                return bool(self.api_key(self._outputs()))
            return False

        progress("Making an API key.")
        if not until(is_there, KEY_WITHIN, pause=0.3):
            self.api_key(self._outputs())

    def _outputs(self) -> Mapping[str, Any]:
        return baseline.outputs(self._keeper.tfstate)

    def _baseline_digest(self) -> str:
        """What the baseline is built from: Terraform's files, and who issues the tokens that its roles trust."""
        found, given = baseline.digest(self._root), published_issuer(self._state)
        own = not given or given == self._issuer
        return found if own else f"{found}-{sha256(given.encode()).hexdigest()[:8]}"

    def _deployed_digest(self) -> str:
        return f"{baseline.digest(self._root)}-{deployment.digest(self._root)}"

    def _pause(self) -> None:
        if self._cluster:
            self._cluster.pause()

    def _prepare(self, stores: bytes) -> None:
        if self._cluster:
            self._cluster.prepare_data(stores)

    def _empty_cluster(self, running: Running) -> None:
        """A cluster with nothing in it, and stores and volumes without data."""
        self._prepare(b"")
        self._fill_cluster(running)

    def _fill_cluster(self, running: Running, kept: Snapshot | None = None) -> None:
        if self._cluster:
            self._cluster.serve(self._cloud(running))
            self._cluster.put_data(kept.disks if kept else b"")
            self._cluster.open_stores(self._cloud(running))  # the kubelet starts pods as soon as they are loaded
            self._cluster.load(kept.cluster if kept else b"")
            self._cluster.up(self._cloud(running))

    @property
    def _issuer(self) -> str:
        return f"https://oidc.eks.{REGION}.amazonaws.com/id/{Seal.of(self._state).name('oidc')}"

    def _cloud(self, running: Running) -> Cloud:
        endpoint = endpoint_of(running)
        return Cloud(
            endpoint=endpoint,
            account=self._account,
            region=REGION,
            issuer=self._issuer,
            authenticator=f"{endpoint}/_hallmark/token-review?account={self._account}&region={REGION}",
        )


def endpoint_of(running: Running) -> str:
    """URL of the emulated AWS."""
    return f"http://127.0.0.1:{running.port}"
