"""One change at a time to the repaired system, and to what the learner wrote down."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call, Status

USING = ("langsmith-backend", "langsmith-platform-backend", "langsmith-queue", "langsmith-ingest-queue")
FORGOTTEN = "langsmith-ingest-queue"
ROLE = "eks.amazonaws.com/role-arn"
TOKEN = ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
AFTER = [
    *("pods_carry_role", "payloads_reach_bucket", "roles_are_limited", "trust_is_limited"),
    *("node_has_no_s3", "no_static_keys"),
]
ALL = ["accounts_have_role", *AFTER]


def account(edit: Edit, name: str = FORGOTTEN) -> dict[str, Any]:
    """Return the metadata of a service account."""
    metadata: dict[str, Any] = next(edit.objects("serviceaccounts", name))["metadata"]
    return metadata


def pod_template(edit: Edit, name: str = FORGOTTEN) -> dict[str, Any]:
    """Return the pod specification of a Deployment."""
    spec: dict[str, Any] = next(edit.objects("deployments", name))["spec"]["template"]["spec"]
    return spec


def set_variable(edit: Edit, name: str, value: str) -> None:
    """Change a variable of one Deployment, wherever it comes from."""
    environment = pod_template(edit)["containers"][0]["env"]
    environment[:] = [one for one in environment if one["name"] != name] + [{"name": name, "value": value}]


def pods(edit: Edit, name: str = FORGOTTEN) -> Iterator[dict[str, Any]]:
    """Yield the pods of a Deployment."""
    selector = next(edit.objects("deployments", name))["spec"]["selector"]["matchLabels"]
    return (pod for pod in edit.objects("pods") if selector.items() <= pod["metadata"].get("labels", {}).items())


def without(pod: dict[str, Any], *names: str) -> None:
    """Take variables from a pod."""
    for container in pod["spec"]["containers"]:
        container["env"] = [one for one in container.get("env", []) if one["name"] not in names]


def role(edit: Edit) -> str:
    """Return the name of the application's role."""
    return str(account(edit, USING[0])["annotations"][ROLE].rpartition("/")[2])


def described(edit: Edit) -> Iterator[dict[str, Any]]:
    """The role as itself and in the list of all: AWS says the same of it in both."""
    name = role(edit)
    yield from edit.each("iam", "get_role", "Role", RoleName=name)
    yield from (one for one in edit.each("iam", "list_roles", "Roles") if one["RoleName"] == name)


def statements(edit: Edit) -> list[dict[str, Any]]:
    """Return what the application's role may do."""
    policy = next(edit.each("iam", "get_role_policy", RoleName=role(edit)))
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def set_subjects(edit: Edit, change: Callable[[list[str]], list[str]]) -> None:
    """Change the list of subjects in the trust policy."""
    for one in described(edit):
        for condition in one["AssumeRolePolicyDocument"]["Statement"][0]["Condition"].values():
            for key in condition:
                if key.endswith(":sub"):
                    condition[key] = change(condition[key])


@mutant(breaks=ALL)
def one_account_has_no_role(edit: Edit) -> None:
    """The annotation is missing still."""
    account(edit)["annotations"].pop(ROLE)


@mutant(breaks=ALL)
def another_account_lost_its_role(edit: Edit) -> None:
    """One was mended, another forgotten."""
    account(edit, "langsmith-queue")["annotations"].pop(ROLE)


@mutant(breaks=ALL)
def annotation_names_another_role(edit: Edit) -> None:
    """A role that exists, of somebody else."""
    account(edit)["annotations"][ROLE] = "arn:aws:iam::111122223333:role/hallmark-twin-eks-external-secrets"


@mutant(breaks=ALL)
def trust_names_another_namespace(edit: Edit) -> None:
    """The namespace has been renamed, the trust policy has not."""
    set_subjects(edit, lambda own: [each.replace(":langsmith:", ":langsmith-old:") for each in own])


@mutant(breaks=ALL)
def trust_lacks_one_account(edit: Edit) -> None:
    """The list in the trust policy is that of an older guide."""
    set_subjects(edit, lambda own: [each for each in own if not each.endswith(FORGOTTEN)])


@mutant(breaks=ALL)
def trust_is_of_another_cluster(edit: Edit) -> None:
    """The provider belongs to the cluster before this one."""
    for one in described(edit):
        statement = one["AssumeRolePolicyDocument"]["Statement"][0]
        statement["Principal"]["Federated"] = statement["Principal"]["Federated"][:-8] + "00000000"


@mutant(breaks=ALL)
def account_is_borrowed(edit: Edit) -> None:
    """The component runs as its neighbour."""
    pod_template(edit)["serviceAccountName"] = "langsmith-queue"


@mutant(breaks=ALL)
def account_is_the_default_one(edit: Edit) -> None:
    """The component runs as whoever has no account."""
    pod_template(edit)["serviceAccountName"] = "default"


@mutant(breaks=ALL)
def component_is_gone(edit: Edit) -> None:
    """What does not run writes nothing."""
    edit.remove("deployments", FORGOTTEN)


@mutant(breaks=["pods_carry_role"])
def pods_are_older_than_the_annotation(edit: Edit) -> None:
    """Annotated, and not restarted."""
    for pod in pods(edit):
        without(pod, *TOKEN)


@mutant(breaks=["pods_carry_role"])
def one_pod_is_older_than_the_annotation(edit: Edit) -> None:
    """One of several was restarted by hand."""
    without(next(pods(edit)), *TOKEN)


@mutant(breaks=["pods_carry_role"])
def pod_has_a_role_and_no_token(edit: Edit) -> None:
    """The variable was set by hand."""
    without(next(pods(edit)), "AWS_WEB_IDENTITY_TOKEN_FILE")


@mutant(breaks=["pods_carry_role"])
def pod_has_the_role_of_before(edit: Edit) -> None:
    """The annotation was changed after the pod was made."""
    for container in next(pods(edit))["spec"]["containers"]:
        for one in container["env"]:
            if one["name"] == "AWS_ROLE_ARN":
                one["value"] = "arn:aws:iam::111122223333:role/previous"


@mutant(breaks=["pods_carry_role"])
def a_pod_is_not_ready(edit: Edit) -> None:
    """It has the role, and does not run."""
    next(edit.objects("deployments", FORGOTTEN))["status"]["readyReplicas"] -= 1


@mutant(breaks=["payloads_reach_bucket"])
def blob_storage_is_off(edit: Edit) -> None:
    """Nothing is written, so nothing is denied."""
    set_variable(edit, "FF_BLOB_STORAGE_ENABLED", "false")


@mutant(breaks=["payloads_reach_bucket"])
def threshold_is_out_of_reach(edit: Edit) -> None:
    """Payloads up to a megabyte stay in the databases."""
    set_variable(edit, "MIN_BLOB_STORAGE_SIZE_KB", "1024")


@mutant(breaks=["payloads_reach_bucket"])
def bucket_is_gone(edit: Edit) -> None:
    """The variable names a bucket that is not there."""
    for operation in ("location", "encryption", "policy", "lifecycle_configuration", "tagging"):
        edit.status("s3", f"get_bucket_{operation}", Status.ABSENT, "NoSuchBucket")
    edit.status("s3", "get_public_access_block", Status.ABSENT, "NoSuchBucket")


@mutant(breaks=["payloads_reach_bucket"])
def role_may_not_write(edit: Edit) -> None:
    """The role was made again by hand, for reading only."""
    statements(edit)[0]["Action"] = ["s3:GetObject"]


@mutant(breaks=["payloads_reach_bucket"])
def role_may_not_use_the_key(edit: Edit) -> None:
    """Objects are encrypted with a key that the role may not use."""
    del statements(edit)[2]


@mutant(breaks=["roles_are_limited"])
def role_may_do_everything_with_s3(edit: Edit) -> None:
    """s3:* on everything."""
    statements(edit).append({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})


@mutant(breaks=["roles_are_limited"])
def role_reads_another_bucket(edit: Edit) -> None:
    """One bucket more, while at it."""
    other = "arn:aws:s3:::hallmark-probe-of-another-bucket/*"
    statements(edit).append({"Effect": "Allow", "Action": "s3:GetObject", "Resource": other})


@mutant(breaks=["roles_are_limited"])
def role_may_delete_the_bucket(edit: Edit) -> None:
    """One action too many."""
    own = statements(edit)[1]["Resource"]
    statements(edit).append({"Effect": "Allow", "Action": "s3:DeleteBucket", "Resource": own})


@mutant(breaks=["trust_is_limited"])
def trust_is_for_the_namespace(edit: Edit) -> None:
    """Any pod of the namespace may have the role."""
    set_subjects(edit, lambda own: [*own, "system:serviceaccount:langsmith:*"])
    for one in described(edit):
        condition = one["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
        condition["StringLike"] = condition.pop("StringEquals")


@mutant(breaks=["trust_is_limited"])
def trust_is_for_the_default_account(edit: Edit) -> None:
    """Whoever has no account of his own may have the role."""
    set_subjects(edit, lambda own: [*own, "system:serviceaccount:langsmith:default"])


@mutant(breaks=["trust_is_limited"])
def trust_is_for_the_nodes(edit: Edit) -> None:
    """A role of the account may take it, too."""
    node = {"AWS": "arn:aws:iam::111122223333:role/hallmark-twin-eks-node"}
    for one in described(edit):
        one["AssumeRolePolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "Principal": node, "Action": "sts:AssumeRole"}
        )


@mutant(breaks=["node_has_no_s3"])
def node_reads_the_bucket(edit: Edit) -> None:
    """Somebody gave the nodes what the pods were missing."""
    arn = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    for version in edit.each("iam", "get_policy_version", "PolicyVersion", PolicyArn=arn):
        version["Document"]["Statement"].append({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})


def _open_bucket(edit: Edit, principal: object) -> None:
    for answer in edit.answers("s3", "get_bucket_policy"):
        policy = json.loads(answer["Policy"])
        where = policy["Statement"][0]["Resource"]
        policy["Statement"].append({"Effect": "Allow", "Principal": principal, "Action": "s3:*", "Resource": where})
        answer["Policy"] = json.dumps(policy)


@mutant(breaks=["node_has_no_s3"])
def bucket_lets_everybody_in(edit: Edit) -> None:
    """A statement for everybody was tried first, and stayed."""
    _open_bucket(edit, "*")


@mutant(breaks=())
def bucket_leaves_it_to_the_roles(edit: Edit) -> None:
    """A statement for the account gives nobody anything that their own policies do not give."""
    _open_bucket(edit, {"AWS": "arn:aws:iam::111122223333:root"})


@mutant(breaks=["no_static_keys"])
def keys_are_in_the_values(edit: Edit) -> None:
    """As in the chart's example."""
    values = next(edit.each("kubernetes", "release"))["values"]
    values["config"].setdefault("blobStorage", {})["accessKey"] = "<redacted 0>"


@mutant(breaks=["no_static_keys"])
def keys_are_in_the_secret(edit: Edit) -> None:
    """The optional keys of the application's Secret are filled."""
    for one in edit.each("kubernetes", "secrets", "items"):
        if "api_key_salt" in one["keys"]:
            one["keys"]["blob_storage_access_key"] = {"empty": False, "digest": "<redacted 0>"}


@mutant(breaks=["no_static_keys"])
def keys_are_in_the_pod(edit: Edit) -> None:
    """A literal for the AWS SDK."""
    set_variable(edit, "AWS_SECRET_ACCESS_KEY", "<redacted 0>")


@mutant(breaks=())
def keys_are_declared_and_empty(edit: Edit) -> None:
    """The chart refers to optional keys that nobody filled."""
    set_variable(edit, "AWS_ACCESS_KEY_ID", "")


@mutant(breaks=())
def a_deployment_got_a_replica_more(edit: Edit) -> None:
    """A pod autoscaler was here."""
    one = next(edit.objects("deployments", FORGOTTEN))
    one["spec"]["replicas"] += 1
    for name in ("replicas", "readyReplicas", "updatedReplicas"):
        one["status"][name] = one["spec"]["replicas"]


@mutant(breaks=())
def pod_identity_for_all_four(edit: Edit) -> None:
    """Associations instead of annotations, and the agent on every node."""
    _associate(edit)
    _agent(edit)


@mutant(breaks=["pods_carry_role"])
def pod_identity_without_agent(edit: Edit) -> None:
    """Associations, and nobody on the node who knows of them."""
    _associate(edit)


@mutant(breaks=())
def pod_identity_of_auto_mode(edit: Edit) -> None:
    """The nodes of EKS Auto Mode have the agent built in."""
    _associate(edit)
    for cluster in edit.each("eks", "describe_cluster", "cluster"):
        cluster["computeConfig"] = {"enabled": True}


@mutant(breaks=["evidence_is_collected", "diagnosis_is_right"])
def nothing_is_written_down(edit: Edit) -> None:
    """The file is empty."""
    for answer in edit.answers("files", "table"):
        answer.clear()


@mutant(breaks=["evidence_is_collected"])
def three_accounts_were_counted(edit: Edit) -> None:
    """The list of an older guide."""
    _write(edit, "evidence", accounts=3)


@mutant(breaks=["evidence_is_collected"])
def accounts_were_read_after_the_repair(edit: Edit) -> None:
    """The repair came before the evidence."""
    _write(edit, "evidence", without_role=0)


@mutant(breaks=["evidence_is_collected"])
def variables_are_those_of_a_neighbour(edit: Edit) -> None:
    """A pod of another component was looked at."""
    _write(edit, "evidence", variables=2)


@mutant(breaks=["evidence_is_collected"])
def variables_are_a_boolean(edit: Edit) -> None:
    """False is not a number of variables."""
    _write(edit, "evidence", variables=False)


@mutant(breaks=["diagnosis_is_right"])
def another_component_is_blamed(edit: Edit) -> None:
    """The one that accepts traces, not the one that writes them."""
    _write(edit, "diagnosis", component="platform-backend")


@mutant(breaks=["diagnosis_is_right"])
def the_trust_is_blamed(edit: Edit) -> None:
    """The trust names all four."""
    _write(edit, "diagnosis", cause="trust-names-another-namespace")


@mutant(breaks=["diagnosis_is_right"])
def the_fact_proves_something_else(edit: Edit) -> None:
    """The policy is the same for all four."""
    _write(edit, "diagnosis", fact="policy-has-no-putobject")


def _write(edit: Edit, table: str, **values: object) -> None:
    for one in edit.each("files", "table", table):
        one.update(values)


def _associate(edit: Edit) -> None:
    arn, cluster, listed = account(edit, USING[0])["annotations"][ROLE], edit.scope["cluster"], []
    for rank, name in enumerate(USING):
        account(edit, name)["annotations"].pop(ROLE)
        bound = {"associationId": f"a-{rank}", "namespace": "langsmith", "serviceAccount": name, "roleArn": arn}
        listed.append(bound)
        call = Call.of("eks", "describe_pod_identity_association", clusterName=cluster, associationId=f"a-{rank}")
        edit.put(call, {"association": bound})
        for pod in pods(edit, name):
            without(pod, *TOKEN)
            address = {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169.254.170.23/v1/credentials"}
            pod["spec"]["containers"][0]["env"].append(address)
    for answer in edit.answers("eks", "list_pod_identity_associations"):
        answer["associations"] = listed
    agent = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}}
    for one in list(edit.each("iam", "list_roles", "Roles")) + list(edit.each("iam", "get_role", "Role")):
        if one["Arn"] == arn:
            statement = agent | {"Action": ["sts:AssumeRole", "sts:TagSession"]}
            one["AssumeRolePolicyDocument"]["Statement"] = [statement]


def _agent(edit: Edit) -> None:
    labels = {"app.kubernetes.io/name": "eks-pod-identity-agent"}
    daemon = {
        "metadata": {"name": "eks-pod-identity-agent", "namespace": "kube-system", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": []}},
        },
        "status": {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberReady": 3},
    }
    for answer in edit.answers("kubernetes", "list", resource="daemonsets"):
        answer["items"].append(daemon)
