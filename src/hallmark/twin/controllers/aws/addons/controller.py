"""The controller: creates what is missing when an add-on appears, and removes it when the add-on is gone.

What is there is never changed back: a person's later edit stays, as with a Helm release. Which add-ons were installed
is noted in an annotation of ``kube-system``, so that what a person deleted stays deleted, too.
"""

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from botocore.exceptions import ClientError

from hallmark.errors import Unobservable
from hallmark.policy import trusted_subjects
from hallmark.twin.controllers.aws.addons import catalogue
from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.controllers.aws.session import ROLE
from hallmark.twin.kube.client import APPLY, ApiError, NotFound
from hallmark.twin.kube.kinds import NAMESPACES, SERVICE_ACCOUNTS, Key, Kind, Object
from hallmark.twin.kube.reconcile import Mapper
from hallmark.twin.pulse import Pulse

EVERY, SOON = 10.0, 2.0
"""Seconds between two looks at the account, and while it is being filled: each look is a dozen calls."""
SELDOM = 60.0
"""Seconds between two looks while nothing is changed in it."""
INSTALLED = "hallmark.dev/installed"
"""Annotation of kube-system: names of what was installed, each with the role it was given."""
SYSTEM: Key = ("", "kube-system")
CLUSTER_SCOPED = frozenset(
    {
        *("Namespace", "APIService", "CSIDriver", "CustomResourceDefinition", "IngressClass", "StorageClass"),
    }
)
PLURALS = {"IngressClass": "ingressclasses", "StorageClass": "storageclasses"}


class Addons:
    """Keeps the objects of add-ons.

    Args:
        cloud: The cluster and its account.
    """

    name = "eks-addons"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._caches = cloud.caches
        self._pulse = Pulse(cloud.state.parent, SELDOM)
        self._last: dict[str, dict[str, str]] = {}

    def watches(self) -> "dict[Kind, Mapper]":
        """The namespace that holds the note."""
        return {NAMESPACES: lambda namespace: [SYSTEM] if namespace["metadata"]["name"] == SYSTEM[1] else []}

    async def reconcile(self, key: Key) -> float | None:
        """Compare the account's add-ons with what is installed."""
        namespace = self._caches[NAMESPACES].get(key)
        cluster = await self._cloud.look() if namespace else ""
        if not cluster or namespace is None:
            return SOON
        known: dict[str, str] = json.loads((namespace["metadata"].get("annotations") or {}).get(INSTALLED, "{}"))
        if self._pulse.is_due() or not self._last:
            self._last = await self._wanted(cluster)
        wanted = self._last
        now = dict(known)
        for name, values in wanted.items():
            if name not in known:
                await self._install(name, values)
            elif known[name] != values["role"] and name in catalogue.ADDONS:
                await self._give_role(name, values)
            now[name] = values["role"]
        for name in [each for each in known if each in catalogue.ADDONS and each not in wanted]:
            await self._uninstall(name)
            del now[name]
        if now != known:
            note = {"metadata": {"annotations": {INSTALLED: json.dumps(now, sort_keys=True)}}}
            await self._caches.patch(NAMESPACES, namespace, note)
        return EVERY if now == known else SOON

    async def _wanted(self, cluster: str) -> dict[str, dict[str, str]]:
        """What should be installed, with the values of its manifest."""
        eks = self._cloud.account("eks")
        try:
            about = (await self._cloud.run(eks.describe_cluster, name=cluster))["cluster"]
        except ClientError:
            return {}
        common = {
            "registry": catalogue.REGISTRY,
            "region": self._cloud.region,
            "cluster": cluster,
            "vpc": about["resourcesVpcConfig"]["vpcId"],
            "role": "",
        }
        wanted = {catalogue.WITH_CLUSTER: common}
        for name in (await self._cloud.run(eks.list_addons, clusterName=cluster))["addons"]:
            if name in catalogue.ADDONS:
                answer = await self._cloud.run(eks.describe_addon, clusterName=cluster, addonName=name)
                wanted[name] = common | _values(answer["addon"])
        return wanted | await self._releases(about["identity"]["oidc"]["issuer"], common)

    async def _releases(self, issuer: str, common: dict[str, str]) -> dict[str, dict[str, str]]:
        # Found by trust, never by name. A controller is installed once its role exists, as the guides do it.
        listed = await self._cloud.run(self._cloud.account("iam").list_roles, MaxItems=1000)
        subjects = catalogue.roles_by_subject(listed["Roles"], issuer, _trusted)
        return {
            each.name: common | {"role": subjects[each.subject]}
            for each in catalogue.RELEASES
            if each.subject in subjects
        }

    async def _install(self, name: str, values: dict[str, str]) -> None:
        for thing in _manifest(name, values):
            kind = _kind(thing)
            try:
                await self._caches.api.call("GET", kind.path(*_place(thing)))
            except NotFound:
                await self._caches.api.patch(kind, thing, thing, content_type=APPLY)

    async def _uninstall(self, name: str) -> None:
        for thing in reversed(_manifest(name, {})):
            kind = _kind(thing)
            if kind.kind != "Namespace":
                await self._caches.api.delete(kind, thing, propagationPolicy="Background")

    async def _give_role(self, name: str, values: dict[str, str]) -> None:
        for thing in _manifest(name, values):
            if _kind(thing) == SERVICE_ACCOUNTS and ROLE in (thing["metadata"].get("annotations") or {}):
                try:
                    await self._caches.api.patch(SERVICE_ACCOUNTS, thing, {"metadata": thing["metadata"]})
                except ApiError as error:
                    self._cloud.log("eks-addons").info("%s: %s", name, error.message)


def _values(addon: dict[str, Any]) -> dict[str, str]:
    return catalogue.version_values(addon["addonVersion"]) | {
        "role": addon.get("serviceAccountRoleArn") or "",
        "extra_tags": catalogue.extra_tags(addon.get("configurationValues")),
    }


def _trusted(document: dict[str, Any], issuer: str) -> Sequence[str]:
    try:
        return trusted_subjects(document, issuer)
    except Unobservable:
        return ()


def _manifest(name: str, values: dict[str, str]) -> list[Object]:
    text = (files("hallmark.twin.controllers.aws") / "manifests" / f"{name}.yaml").read_text(encoding="utf-8")
    return catalogue.render(text, values)


def _place(thing: Object) -> tuple[str, str]:
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def _kind(thing: Object) -> Kind:
    group, _, version = thing["apiVersion"].rpartition("/")
    kind = thing["kind"]
    plural = PLURALS.get(kind, f"{kind.lower()}s")
    return Kind(group, version, plural, kind, namespaced=kind not in CLUSTER_SCOPED)
