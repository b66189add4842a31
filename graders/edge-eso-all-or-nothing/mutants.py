"""One change at a time to the repaired system, and to what the learner wrote down."""

from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call

OWN = "langsmith-config"
WHOLE = ["keys_are_complete", "values_are_their_own"]
SYNCED = ["secrets_are_synced", *WHOLE, "nothing_is_in_plain_text"]
ALL = ["names_exist", *SYNCED]


def external(edit: Edit, name: str = OWN) -> dict[str, Any]:
    """Return one ExternalSecret."""
    return next(edit.objects("externalsecrets", name))


def entries(edit: Edit) -> list[dict[str, Any]]:
    """Return what the application's ExternalSecret asks for."""
    data: list[dict[str, Any]] = external(edit)["spec"]["data"]
    return data


def secret(edit: Edit, name: str = OWN) -> dict[str, Any]:
    """Return the facts of one Secret."""
    return next(one for one in edit.each("kubernetes", "secrets", "items") if one["metadata"]["name"] == name)


def environment(edit: Edit, workload: str) -> list[dict[str, Any]]:
    """Return the variables of a Deployment."""
    deployment = next(edit.objects("deployments", workload))
    variables: list[dict[str, Any]] = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return variables


@mutant(breaks=ALL)
def one_name_is_not_in_the_store(edit: Edit) -> None:
    """The name has a letter too many, and nobody has synced since."""
    entries(edit)[3]["remoteRef"]["key"] += "s"


@mutant(breaks=ALL)
def secret_was_deleted_from_the_store(edit: Edit) -> None:
    """The name is right, and what it names is gone."""
    for answer in edit.answers("secretsmanager", "list_secrets"):
        answer["SecretList"] = [one for one in answer["SecretList"] if not one["Name"].endswith("jwt-secret")]


@mutant(breaks=ALL)
def store_is_of_another_provider(edit: Edit) -> None:
    """The store is none of AWS."""
    for one in edit.objects("secretstores"):
        one["spec"]["provider"]["aws"].clear()


@mutant(breaks=ALL)
def nothing_is_asked_for(edit: Edit) -> None:
    """An ExternalSecret without a name in it."""
    entries(edit).clear()


@mutant(breaks=ALL)
def external_secrets_are_gone(edit: Edit) -> None:
    """The Secrets were kept, what made them was not."""
    edit.remove("externalsecrets")


@mutant(breaks=SYNCED)
def one_external_secret_is_gone(edit: Edit) -> None:
    """The Secret was kept, without owner."""
    edit.remove("externalsecrets", OWN)
    secret(edit)["metadata"].pop("ownerReferences")


@mutant(breaks=SYNCED)
def a_store_is_denied(edit: Edit) -> None:
    """The names are right, the store does not answer the operator."""
    for one in external(edit, "langsmith-postgres")["status"]["conditions"]:
        one |= {"status": "False", "reason": "SecretSyncedError"}


@mutant(breaks=SYNCED)
def secret_is_read_once(edit: Edit) -> None:
    """What never looks again never fails again."""
    external(edit)["spec"]["refreshInterval"] = "0"


@mutant(breaks=SYNCED)
def secret_is_made_once(edit: Edit) -> None:
    """The same, by the policy."""
    external(edit)["spec"]["refreshPolicy"] = "CreatedOnce"


@mutant(breaks=SYNCED)
def nobody_owns_the_secret(edit: Edit) -> None:
    """A Secret made by hand, into which the operator merges."""
    external(edit)["spec"]["target"]["creationPolicy"] = "Merge"
    secret(edit)["metadata"]["ownerReferences"] = []


@mutant(breaks=SYNCED)
def secret_is_orphaned(edit: Edit) -> None:
    """The operator made it and does not keep it."""
    external(edit)["spec"]["target"]["creationPolicy"] = "Orphan"
    secret(edit)["metadata"].pop("ownerReferences")


@mutant(breaks=SYNCED)
def secret_is_not_there(edit: Edit) -> None:
    """Every condition is green, and the Secret has just been deleted."""
    for answer in edit.answers("kubernetes", "secrets"):
        answer["items"] = [one for one in answer["items"] if one["metadata"]["name"] != OWN]


@mutant(breaks=WHOLE)
def the_password_was_dropped(edit: Edit) -> None:
    """Without the entry the Secret is made, and no pod misses it."""
    del entries(edit)[3]
    secret(edit)["keys"].pop("initial_org_admin_password")


@mutant(breaks=WHOLE)
def a_key_is_empty(edit: Edit) -> None:
    """The name was made in a hurry, with nothing behind it."""
    secret(edit)["keys"]["initial_org_admin_password"]["empty"] = True


@mutant(breaks=WHOLE)
def a_key_that_is_read_is_missing(edit: Edit) -> None:
    """Something reads a key that the Secret does not have."""
    reference = {"secretKeyRef": {"name": OWN, "key": "insights_encryption_key"}}
    environment(edit, "langsmith-backend").append({"name": "CLIO_ENCRYPTION_KEY", "valueFrom": reference})


@mutant(breaks=["values_are_their_own"])
def the_name_is_that_of_a_neighbour(edit: Edit) -> None:
    """The name of another key was put in its place: it exists, and the Secret is ready."""
    entries(edit)[3]["remoteRef"]["key"] = entries(edit)[2]["remoteRef"]["key"]
    keys = secret(edit)["keys"]
    keys["initial_org_admin_password"] = dict(keys["jwt_secret"])


@mutant(breaks=["values_are_their_own"])
def the_name_is_that_of_another_secret(edit: Edit) -> None:
    """The password of ClickHouse is the administrator's, too."""
    password = secret(edit, "langsmith-clickhouse")["keys"]["clickhouse_password"]
    secret(edit)["keys"]["initial_org_admin_password"] = {"empty": False, "digest": password["digest"]}


@mutant(breaks=["nothing_is_in_plain_text"])
def license_is_in_the_values(edit: Edit) -> None:
    """The license as a value, beside the Secret."""
    next(edit.each("kubernetes", "release"))["leaks"]["config.langsmithLicenseKey"] = "literal value"


@mutant(breaks=["nothing_is_in_plain_text"])
def license_is_in_a_config_map(edit: Edit) -> None:
    """The license was copied where everybody reads it."""
    config = next(one for one in edit.objects("configmaps") if "AUTH_TYPE" in one.get("data", {}))
    config["data"]["LANGSMITH_LICENSE_KEY"] = {"value": "<redacted 0>", "leak": "literal value"}


@mutant(breaks=["nothing_is_in_plain_text"])
def password_is_in_a_pod(edit: Edit) -> None:
    """The password as a literal variable."""
    leak = {"name": "INITIAL_ORG_ADMIN_PASSWORD", "value": "<redacted 0>", "leak": "literal value"}
    environment(edit, "langsmith-queue").append(leak)


@mutant(breaks=["nothing_is_in_plain_text"])
def password_is_in_an_init_container(edit: Edit) -> None:
    """Where nobody looks."""
    pod = next(edit.objects("deployments", "langsmith-frontend"))["spec"]["template"]["spec"]
    leak = {"name": "PASSWORD", "value": "<redacted 0>", "leak": "literal value"}
    pod["initContainers"] = [{"name": "prepare", "image": "x", "env": [leak]}]


@mutant(breaks=["workloads_are_back"])
def a_rollout_hangs(edit: Edit) -> None:
    """The old pods serve, the new one does not start."""
    next(edit.objects("deployments", "langsmith-backend"))["status"]["updatedReplicas"] = 1


@mutant(breaks=["workloads_are_back"])
def a_pod_waits(edit: Edit) -> None:
    """One pod more than needed waits; the Deployment has not counted it yet."""
    found = (pod for pod in edit.objects("pods") if pod["metadata"]["name"].startswith("langsmith-queue"))
    pod = next(found)
    for one in pod["status"]["conditions"]:
        if one["type"] == "Ready":
            one["status"] = "False"


@mutant(breaks=["workloads_are_back"])
def a_workload_was_scaled_to_zero(edit: Edit) -> None:
    """What does not run does not wait."""
    one = next(edit.objects("deployments", "langsmith-playground"))
    one["spec"]["replicas"] = 0
    one["status"] = {"observedGeneration": one["metadata"].get("generation", 1)}


@mutant(breaks=["workloads_are_back"])
def a_workload_was_deleted(edit: Edit) -> None:
    """What is not there does not wait either."""
    edit.remove("deployments", "langsmith-playground")


@mutant(breaks=())
def names_are_written_as_arns(edit: Edit) -> None:
    """A secret may be named by its ARN."""
    arns = {one["Name"]: one["ARN"] for one in edit.each("secretsmanager", "list_secrets", "SecretList")}
    for entry in entries(edit):
        entry["remoteRef"]["key"] = arns[entry["remoteRef"]["key"]]


@mutant(breaks=())
def name_was_made_in_the_store(edit: Edit) -> None:
    """The store got the name that was asked for; what is in it is not read here: a remark."""
    for one in edit.each("secretsmanager", "list_secrets", "SecretList"):
        one["CreatedDate"] = edit.snapshot.collected_at


@mutant(breaks=())
def store_is_parameter_store(edit: Edit) -> None:
    """The same names in SSM Parameter Store."""
    for one in edit.objects("secretstores"):
        one["spec"]["provider"]["aws"]["service"] = "ParameterStore"
    listed = edit.each("secretsmanager", "list_secrets", "SecretList")
    names = [{"Name": one["Name"], "LastModifiedDate": one["CreatedDate"]} for one in listed]
    edit.put(Call.of("ssm", "describe_parameters"), {"Parameters": names})


@mutant(breaks=())
def one_document_holds_all(edit: Edit) -> None:
    """One secret with a member for each key, extracted as a whole."""
    name = entries(edit)[0]["remoteRef"]["key"]
    spec = external(edit)["spec"]
    spec["data"], spec["dataFrom"] = [], [{"extract": {"key": name}}]


@mutant(breaks=["evidence_is_collected", "diagnosis_is_right"])
def nothing_is_written_down(edit: Edit) -> None:
    """The file is empty."""
    for answer in edit.answers("files", "table"):
        answer.clear()


def _write(edit: Edit, table: str, **values: object) -> None:
    for one in edit.each("files", "table", table):
        one.update(values)


@mutant(breaks=["evidence_is_collected"])
def condition_was_read_after_the_repair(edit: Edit) -> None:
    """The repair came before the evidence."""
    _write(edit, "evidence", condition="SecretSynced")


@mutant(breaks=["evidence_is_collected"])
def pod_was_not_looked_at(edit: Edit) -> None:
    """The reason is that of another trouble."""
    _write(edit, "evidence", pod_waits_for="CrashLoopBackOff")


@mutant(breaks=["evidence_is_collected"])
def all_names_are_said_to_be_missing(edit: Edit) -> None:
    """All keys are kept back, but one name is missing."""
    _write(edit, "evidence", names_missing=4)


@mutant(breaks=["evidence_is_collected"])
def names_are_a_boolean(edit: Edit) -> None:
    """True is not a number of names."""
    _write(edit, "evidence", names_missing=True)


@mutant(breaks=["evidence_is_collected"])
def external_secrets_were_not_counted(edit: Edit) -> None:
    """The others were not looked at."""
    _write(edit, "evidence", failing=4)


@mutant(breaks=["diagnosis_is_right"])
def another_key_is_blamed(edit: Edit) -> None:
    """The license is what the pods miss first, and its name is right."""
    _write(edit, "diagnosis", key="langsmith_license_key")


@mutant(breaks=["diagnosis_is_right"])
def the_store_is_blamed(edit: Edit) -> None:
    """A store that is denied fails every ExternalSecret of it."""
    _write(edit, "diagnosis", cause="store-denies-access")


@mutant(breaks=["diagnosis_is_right"])
def the_fact_proves_something_else(edit: Edit) -> None:
    """That the Secret is absent is what every cause leads to."""
    _write(edit, "diagnosis", fact="secret-is-absent")
