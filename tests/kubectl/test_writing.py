"""What changes objects: apply, diff, edit, patches, create, labels and annotations."""

import shlex
from typing import Any

import pytest
import yaml


def other(manifest: str, **spec: Any) -> str:
    """The Deployment of a manifest with a changed specification."""
    deployment = next(yaml.safe_load_all(manifest))
    deployment["spec"] |= spec
    return yaml.safe_dump(deployment)


def test_apply_by_the_client(cluster: Any, manifest: str) -> None:
    """Created, unchanged, configured; what is no more in the file is taken away."""
    apply = ("apply", "-f", "-")
    first = cluster.kubectl(*apply, stdin=manifest)
    second = cluster.kubectl(*apply, stdin=manifest)
    third = cluster.kubectl(*apply, stdin=other(manifest, replicas=1, revisionHistoryLimit=3))
    fourth = cluster.kubectl(*apply, stdin=other(manifest, replicas=1))

    assert first.splitlines() == ["deployment.apps/web created", "service/web created"]
    assert second.splitlines() == ["deployment.apps/web unchanged", "service/web unchanged"]
    assert (third, fourth) == ("deployment.apps/web configured",) * 2
    assert cluster.get("deploy web", ".spec.revisionHistoryLimit") == "10"


def test_apply_by_the_server(cluster: Any, manifest: str) -> None:
    """The second time changes nothing; who wants another's field gets a conflict, or takes it by force."""
    apply = ("apply", "--server-side", "-f", "-")
    first = cluster.kubectl(*apply, stdin=manifest)
    before = cluster.get("svc web", ".metadata.resourceVersion")
    cluster.kubectl(*apply, stdin=manifest)
    after = cluster.get("svc web", ".metadata.resourceVersion")
    wish = other(manifest, replicas=5)
    complaint = cluster.refused(*apply, "--field-manager=other", stdin=wish)
    cluster.kubectl(*apply, "--field-manager=other", "--force-conflicts", stdin=wish)

    assert first.splitlines() == ["deployment.apps/web serverside-applied", "service/web serverside-applied"]
    assert before == after
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas' in complaint
    assert cluster.get("deploy web", ".spec.replicas") == "5"


def test_a_list_is_applied(cluster: Any) -> None:
    """Kubectl validates a List itself, by OpenAPI v2, and then applies its items."""
    items = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}} for name in "ab"]
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    first = cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(listed))
    second = cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(listed))
    items[1]["date"] = items[1].pop("data")
    complaint = cluster.refused("apply", "-f", "-", stdin=yaml.safe_dump(listed))

    assert first.splitlines() == ["configmap/a created", "configmap/b created"]
    assert second.splitlines() == ["configmap/a unchanged", "configmap/b unchanged"]
    assert 'ValidationError(ConfigMap): unknown field "date" in io.k8s.api.core.v1.ConfigMap' in complaint


def test_mistakes_are_found(cluster: Any, manifest: str) -> None:
    """Unknown fields and wrong types by strict decoding, wrong values by validation; nothing is made."""
    unknown = cluster.refused("apply", "-f", "-", stdin=other(manifest, replica=3))
    wrong = cluster.refused("create", "-f", "-", stdin=other(manifest, replicas="three"))
    invalid = cluster.refused("apply", "-f", "-", stdin=other(manifest, selector={"matchLabels": {"app": "api"}}))

    assert 'strict decoding error: unknown field "spec.replica"' in unknown
    assert "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32" in wrong
    assert "`selector` does not match template `labels`" in invalid
    assert cluster.kubectl("get", "deploy", "-o", "name") == ""


def test_dry_runs_change_nothing(cluster: Any, manifest: str) -> None:
    """By the client and by the server."""
    client = cluster.kubectl("apply", "--dry-run=client", "-f", "-", stdin=manifest)
    server = cluster.kubectl("apply", "--dry-run=server", "-f", "-", stdin=manifest)

    assert client.splitlines()[0] == "deployment.apps/web created (dry run)"
    assert server.splitlines()[0] == "deployment.apps/web created (server dry run)"
    assert cluster.kubectl("get", "deploy,svc", "-o", "name") == ""


def test_diff(web: Any, manifest: str) -> None:
    """Exit code 0 without a difference, 1 with one, which is shown."""
    same = web.run("kubectl", "-n", web.namespace, "diff", "-f", "-", stdin=manifest)
    changed = web.run("kubectl", "-n", web.namespace, "diff", "-f", "-", stdin=other(manifest, replicas=3))

    assert (same.code, same.out) == (0, "")
    assert changed.code == 1
    assert "-  replicas: 2\n+  replicas: 3\n" in changed.out


def test_edit(web: Any) -> None:
    """An editor changes the object; one that changes nothing cancels."""
    edited = web.kubectl("edit", "deploy", "web", EDITOR="sed -i s/nginx:1.27/nginx:1.28/")
    again = web.run("kubectl", "-n", web.namespace, "edit", "deploy", "web", EDITOR="true")

    assert edited == "deployment.apps/web edited"
    assert web.get("deploy web", ".spec.template.spec.containers[0].image") == "nginx:1.28"
    assert (again.code, again.err) == (0, "Edit cancelled, no changes made.\n")


@pytest.mark.parametrize(
    ("kind", "patch", "path", "expected"),
    [
        (
            "strategic",
            '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"busybox:1.36"}]}}}}',
            ".spec.template.spec.containers[*].name",
            "side web",
        ),
        ("merge", '{"metadata":{"labels":{"app":null,"tier":"front"}}}', ".metadata.labels", '{"tier":"front"}'),
        ("json", '[{"op":"replace","path":"/spec/replicas","value":0}]', ".spec.replicas", "0"),
    ],
)
def test_patches(web: Any, kind: str, patch: str, path: str, expected: str) -> None:
    """Each of the three types of patches does what its standard says."""
    said = web.kubectl("patch", "deploy", "web", f"--type={kind}", "-p", patch)
    again = web.kubectl("patch", "deploy", "web", f"--type={kind}", "-p", patch)

    assert said == "deployment.apps/web patched"
    assert again in {"deployment.apps/web patched (no change)", said}
    assert web.get("deploy web", path) == expected


CREATED = [
    ("deployment d --image=nginx:1.27 --replicas=0", "deployment.apps/d"),
    ("configmap c --from-literal=a=b", "configmap/c"),
    ("secret generic s --from-literal=password=x", "secret/s"),
    ("secret docker-registry r --docker-username=u --docker-password=p", "secret/r"),
    ("job j --image=busybox:1.36 -- true", "job.batch/j"),
    ("cronjob k --image=busybox:1.36 --schedule='0 0 1 1 *' -- true", "cronjob.batch/k"),
    ("service clusterip v --tcp=80:8080", "service/v"),
    ("service externalname e --external-name=example.com", "service/e"),
    ("ingress i --class=alb --rule=a.example.com/*=v:80", "ingress.networking.k8s.io/i"),
    ("role o --verb=get,list --resource=pods", "role.rbac.authorization.k8s.io/o"),
    ("rolebinding b --role=o --serviceaccount=default:default", "rolebinding.rbac.authorization.k8s.io/b"),
    ("serviceaccount a", "serviceaccount/a"),
    ("quota q --hard=pods=20", "resourcequota/q"),
    ("poddisruptionbudget p --selector=a=b --min-available=1", "poddisruptionbudget.policy/p"),
]


def test_create(cluster: Any) -> None:
    """What kubectl can make from its command line; a second time it is there already."""
    for command, name in CREATED:
        cluster.follow([(f"create {command}", 0, f"{name} created")])
    names = [name for _, name in CREATED]
    assert cluster.kubectl("get", *names, "-o", "name").splitlines() == names
    assert "already exists" in cluster.refused("create", *shlex.split(CREATED[0][0]))
    assert cluster.kubectl("create", "token", "a").count(".") == 2
    assert cluster.get("secret s", ".data.password") == "eA=="


def test_a_job_selects_its_own_pods(cluster: Any) -> None:
    """By a label with its uid; without labels of its own a Job shows those of its pods."""
    cluster.kubectl("create", "job", "j", "--image=busybox:1.36", "--", "true")

    uid = cluster.get("job j", ".metadata.uid")
    assert cluster.get("job j", ".spec.selector.matchLabels.batch\\.kubernetes\\.io/controller-uid") == uid
    for path in (".metadata.labels", ".spec.template.metadata.labels"):
        assert yaml.safe_load(cluster.get("job j", path)) == {
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": "j",
            "controller-uid": uid,
            "job-name": "j",
        }


def test_labels_and_annotations(web: Any) -> None:
    """Set, kept unless they may be overwritten, taken away."""
    web.follow(
        [
            ("label deploy web tier=front", 0, "deployment.apps/web labeled"),
            ("label deploy web tier=back", 1, "'tier' already has a value (front), and --overwrite is false"),
            ("label deploy web tier=back --overwrite", 0, "deployment.apps/web labeled"),
            ("label deploy web tier=back", 0, "deployment.apps/web not labeled"),
            ("get deploy -l tier=back -o name", 0, "deployment.apps/web"),
            ("label deploy web tier-", 0, "deployment.apps/web unlabeled"),
            ("label deploy web 'tier=a b'", 1, "invalid label value"),
            ("annotate deploy web note=1", 0, "deployment.apps/web annotated"),
            ("annotate deploy web note-", 0, "deployment.apps/web annotated"),
            ("label pods -l app=web group=1", 0, "labeled"),
            ("get pods -l group=1 --no-headers -o custom-columns=A:.metadata.labels.app", 0, "web\nweb\n"),
        ]
    )


def test_replace(web: Any) -> None:
    """With what was read; a stale copy is refused."""
    read = web.kubectl("get", "svc", "web", "-o", "yaml")
    first = web.kubectl("replace", "-f", "-", stdin=read.replace("app: web", "app: api"))
    stale = web.refused("replace", "-f", "-", stdin=read)

    assert first == "service/web replaced"
    assert web.get("svc web", ".spec.selector.app") == "api"
    assert "the object has been modified; please apply your changes to the latest version and try again" in stale
