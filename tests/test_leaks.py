"""Secrets planted in the target, in the environment and in the learner's files are in nothing that Hallmark writes.

A person's target is full of them: in tags, descriptions, records, user data, and in annotations, variables, arguments
and values of a release. Everything a learner does is done once on such a target, by the real commands; then every file
and every line of output is searched, in clear text and in the forms in which text travels. What may hold secrets are
the emulated target itself (its snapshots, saves, objects, pods and volumes) and Terraform's own folder.
"""

import base64
import gzip
import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from hallmark import catalog
from hallmark.cli import survey
from hallmark.cli.app import App
from hallmark.cli.grade import grade_lab
from hallmark.evidence import collect
from hallmark.evidence.snapshot import CLUSTER
from hallmark.faults import definition
from hallmark.targets.api_server import ApiServer
from hallmark.targets.secret_facts import RELEASES
from hallmark.twin import deployment
from hallmark.twin.clients import Clients
from hallmark.twin.release.locate import offline

pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("leaks")]
ROOT = Path(__file__).parents[1]
LABS = [lab.id for lab in catalog.labs(ROOT)]
FAULTS = {lab: definition.read(file).kind for lab in LABS if (file := ROOT / "graders" / lab / "fault.toml").is_file()}
"""Kind of fault by lab."""
WITHOUT_FAULT = [lab for lab in LABS if lab not in FAULTS]
"""Among them the two deployments, whose checks read nearly everything."""
RECORDING = {
    "database-security-group",
    "external-secret-key-missing",
    "role-annotation-removed",
    "web-acl-without-rate-limit",
}
"""Kinds that write down texts of the target; of the others a journal holds numbers, types and names alone."""

PASSWORD = "Tr0ub4dor+und/3=Pferde"
TOKEN = "cache-Auth-T0ken-9c1f77aa"
UNKNOWN = "origin-Verify-5e4d3c2b1a"
"""A secret that neither has a shape nor stands in the environment: only its place can tell."""
SECRETS = {
    "unknown": UNKNOWN,
    "license key": "LSENT-7Q2M-55ZK-planted-license",
    "database password": PASSWORD,
    "database URL": f"postgres://langsmith:{quote(PASSWORD, safe='')}@pg.internal:5432/langsmith",
    "cache URL": f"rediss://:{TOKEN}@cache.internal:6379/0",
    "access key id": "AKIAPLANTED7EXAMPLE0",
    "secret access key": "plantedSecretAccessKey/9vQ2+x7LmEXAMPLE0",
    "API key": "lsv2_pt_00planted00api00key00_1234567890",
    "private key": "-----BEGIN RSA PRIVATE KEY----- MIIplantedPrivateKeyBody0987 -----END RSA PRIVATE KEY-----",
}
SHAPED = ("database URL", "cache URL", "access key id", "API key", "private key")
"""What is known for a secret wherever it stands; the others are known by their place, their name or this process."""
NEEDLES = (
    SECRETS["license key"],
    PASSWORD,
    TOKEN,
    UNKNOWN,
    SECRETS["access key id"],
    SECRETS["secret access key"],
    SECRETS["API key"],
    "MIIplantedPrivateKeyBody0987",
)
ENVIRONMENT = {
    "TF_VAR_postgres_password": PASSWORD,
    "TF_VAR_langsmith_license_key": SECRETS["license key"],
    "TF_VAR_redis_url": SECRETS["cache URL"],
    "LANGSMITH_API_KEY": SECRETS["API key"],
    "AWS_ACCESS_KEY_ID": SECRETS["access key id"],
    "AWS_SECRET_ACCESS_KEY": SECRETS["secret access key"],
}


def forms(secret: str) -> set[str]:
    """The ways in which a secret travels: as it is, in a URL, in JSON, in HTML, in base64 at any offset."""
    raw = secret.encode()
    shifted = (base64.b64encode(b"\0" * shift + raw).decode()[4 * bool(shift) : -4] for shift in range(3))
    plain = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
    encoded = {*shifted, raw.hex(), json.dumps(secret)[1:-1]}
    return plain | encoded | {form.replace("+", "-").replace("/", "_") for form in encoded}


FORMS = {form: needle for needle in NEEDLES for form in forms(needle)}


def found_in(text: str) -> set[str]:
    """The planted secrets that a text gives away."""
    return {needle for form, needle in FORMS.items() if form in text}


@dataclass
class Planter:
    """Puts secrets into a target where people put them.

    Attributes:
        aws: Clients of the target.
        cluster: Name of its cluster.
        places: Where something was planted that a grade reads.
    """

    aws: Clients
    cluster: str
    places: list[str] = field(default_factory=list)

    def plant(self) -> None:
        """Plant in every kind of place."""
        for part in (self._network, self._stores, self._identity, self._names, self._edge, self._secrets):
            part()

    def _text(self, place: str) -> str:
        # One note with everything in it, and the place, so that a test can tell that it was read.
        self.places.append(place)
        return f"planted-{place} {' '.join(SECRETS.values())}"

    def _tags(self, place: str, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
        # A tag of an unknown name is anybody's note; one with a kept name can only be told by the secret's shape.
        self.places.append(place)
        notes = [{key: f"note-{rank}", value: secret} for rank, secret in enumerate(SECRETS.values())]
        kept = [{key: f"hallmark:{rank}", value: SECRETS[name]} for rank, name in enumerate(SHAPED)]
        return [{key: f"planted-{place}", value: "x"}, *notes, *kept]

    def _network(self) -> None:
        ec2, eks = self.aws("ec2"), self.aws("eks")
        vpc = eks.describe_cluster(name=self.cluster)["cluster"]["resourcesVpcConfig"]
        group = ec2.create_security_group(
            GroupName="notes", Description=self._text("security-group"), VpcId=vpc["vpcId"]
        )["GroupId"]
        note = {"CidrIp": "10.0.0.0/16", "Description": self._text("rule")}
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [note]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        ec2.create_tags(Resources=[group, vpc["subnetIds"][0]], Tags=self._tags("subnet"))
        arn = eks.describe_cluster(name=self.cluster)["cluster"]["arn"]
        eks.tag_resource(resourceArn=arn, tags={tag["Key"]: tag["Value"] for tag in self._tags("cluster")})
        template = ec2.create_launch_template(
            LaunchTemplateName="notes",
            LaunchTemplateData={"UserData": base64.b64encode(" ".join(SECRETS.values()).encode()).decode()},
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": self._tags("launch-template")}],
        )["LaunchTemplate"]["LaunchTemplateId"]
        ec2.create_launch_template_version(
            LaunchTemplateId=template, VersionDescription="x", LaunchTemplateData={"UserData": UNKNOWN}
        )

    def _stores(self) -> None:
        rds, s3, cache = self.aws("rds"), self.aws("s3"), self.aws("elasticache")
        database = next(each for each in rds.describe_db_instances()["DBInstances"] if each["Engine"] == "postgres")
        rds.add_tags_to_resource(ResourceName=database["DBInstanceArn"], Tags=self._tags("database"))
        bucket = next(each["Name"] for each in s3.list_buckets()["Buckets"] if "traces" in each["Name"])
        tagged = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [*tagged, *self._tags("bucket")]})
        group = cache.describe_replication_groups()["ReplicationGroups"][0]
        cache.add_tags_to_resource(ResourceName=group["ARN"], Tags=self._tags("cache"))
        cache.modify_replication_group(
            ReplicationGroupId=group["ReplicationGroupId"], ReplicationGroupDescription=self._text("replication-group")
        )

    def _identity(self) -> None:
        iam, kms = self.aws("iam"), self.aws("kms")
        role = next(each for each in iam.list_roles()["Roles"] if each["RoleName"].endswith("-langsmith"))["RoleName"]
        iam.update_role(RoleName=role, Description=self._text("role"))
        iam.tag_role(RoleName=role, Tags=self._tags("role-tag"))
        for key in kms.list_keys()["Keys"]:
            kms.update_key_description(KeyId=key["KeyId"], Description=self._text("key"))

    def _names(self) -> None:
        route53, alarms = self.aws("route53"), self.aws("cloudwatch")
        zone = route53.list_hosted_zones()["HostedZones"][0]
        values = [{"Value": json.dumps(secret)} for secret in [self._text("record"), *SECRETS.values()]]
        record = {"Name": f"note.{zone['Name']}", "Type": "TXT", "TTL": 60, "ResourceRecords": values}
        changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=changes)
        route53.update_hosted_zone_comment(Id=zone["Id"], Comment=self._text("zone"))
        check = route53.list_health_checks()["HealthChecks"][0]["Id"]
        route53.update_health_check(HealthCheckId=check, ResourcePath=f"/planted-check?key={SECRETS['API key']}")
        self.places.append("check")
        alarm = alarms.describe_alarms()["MetricAlarms"][0]
        kept = {name: alarm[name] for name in ("AlarmName", "MetricName", "Namespace", "Statistic", "Period")}
        more = {name: alarm[name] for name in ("EvaluationPeriods", "Threshold", "ComparisonOperator", "Dimensions")}
        alarms.put_metric_alarm(**kept, **more, AlarmDescription=self._text("alarm"))

    def _edge(self) -> None:
        self.aws("elbv2").add_tags(ResourceArns=[self._balancer], Tags=self._tags("balancer"))

    def plant_where_faults_work(self) -> None:
        """Plant in what a fault changes and so would have to write down: the web ACL, the database's rules."""
        rds, ec2, waf = self.aws("rds"), self.aws("ec2"), self.aws("wafv2")
        summary = waf.list_web_acls(Scope="REGIONAL")["WebACLs"][0]
        place = {"Name": summary["Name"], "Id": summary["Id"], "Scope": "REGIONAL"}
        found = waf.get_web_acl(**place)
        match = {
            "SearchString": UNKNOWN,
            "FieldToMatch": {"SingleHeader": {"Name": "x-origin-verify"}},
            "PositionalConstraint": "EXACTLY",
            "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        }
        origin = {"Name": "origin", "Priority": 99, "Action": {"Count": {}}, "Statement": {"ByteMatchStatement": match}}
        rules = [*found["WebACL"]["Rules"], {**origin, "VisibilityConfig": found["WebACL"]["VisibilityConfig"]}]
        kept = {name: found["WebACL"][name] for name in ("DefaultAction", "VisibilityConfig")}
        description = self._text("web-acl")
        waf.update_web_acl(**place, **kept, Rules=rules, Description=description, LockToken=found["LockToken"])
        group = rds.describe_db_instances()["DBInstances"][0]["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
        note = {"CidrIp": "10.0.0.0/8", "Description": self._text("database-rule")}
        rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [note]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])

    def known(self) -> str:
        """Name of a secret of the architecture."""
        names: list[str] = [each["Name"] for each in self.aws("secretsmanager").list_secrets()["SecretList"]]
        return next(name for name in names if name.endswith("clickhouse-password"))

    def plant_what_does_not_last(self) -> None:
        """Plant where a controller puts things right, and where a grade looks at the last minutes alone."""
        self._listener_rule()
        self._log()

    def _listener_rule(self) -> None:
        elb, arn = self.aws("elbv2"), self._balancer
        secure = next(each for each in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"] if each["Port"] == 443)
        if any(each["Priority"] == "7" for each in elb.describe_rules(ListenerArn=secure["ListenerArn"])["Rules"]):
            return
        elb.create_rule(
            ListenerArn=secure["ListenerArn"],
            Priority=7,
            # A shared secret in a header is how a front proves itself to a load balancer.
            Conditions=[
                {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Origin", "Values": [UNKNOWN]}},
                {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "key", "Value": UNKNOWN}]}},
            ],
            Actions=[
                {
                    "Type": "fixed-response",
                    "FixedResponseConfig": {"StatusCode": "200", "MessageBody": self._text("body")},
                }
            ],
        )

    @property
    def _balancer(self) -> str:
        everywhere = self.aws("elbv2").describe_load_balancers()["LoadBalancers"]
        return next(str(each["LoadBalancerArn"]) for each in everywhere if "k8s" in each["LoadBalancerName"])

    def _log(self) -> None:
        logs, group = self.aws("logs"), f"/aws/containerinsights/{self.cluster}/application"
        text = f"langsmith {self._text('log')}"
        # A grade is shown one event, the oldest that is young enough, of any stream.
        event = {"timestamp": int((datetime.now(UTC) - timedelta(minutes=12)).timestamp() * 1000), "message": text}
        for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]:
            logs.put_log_events(logGroupName=group, logStreamName=stream["logStreamName"], logEvents=[event])

    def _secrets(self) -> None:
        store, parameters = self.aws("secretsmanager"), self.aws("ssm")
        store.create_secret(
            Name="langsmith/planted",
            Description=self._text("secret"),
            SecretString=json.dumps(SECRETS),
            Tags=self._tags("secret-tag"),
        )
        parameters.put_parameter(
            Name="/langsmith/planted", Type="SecureString", Value=json.dumps(SECRETS), Description=" ".join(NEEDLES)
        )


NAMESPACE = "langsmith"
ANNOTATED = (
    *("nodes", "deployments", "statefulsets", "daemonsets", "services", "ingresses", "ingressclasses"),
    *("serviceaccounts", "persistentvolumeclaims", "persistentvolumes", "storageclasses", "configmaps", "secrets"),
    *("externalsecrets", "secretstores"),
)
"""Kinds a grade lists: whatever there is of them gets a note."""
NEVER_ASKED = ("event", "namespaces")
"""Places no grade looks at."""
VALUES = """
config:
  note: <note value>
  langsmithLicenseKey: <secret license key>
  apiKeySalt: <secret unknown>
  basicAuth: {initialOrgAdminPassword: <secret database password>, jwtSecret: <note jwt>}
  blobStorage: {accessKey: <secret access key id>, accessKeySecret: <secret secret access key>}
postgres: {external: {connectionUrl: <secret database URL>}}
frontend:
  deployment:
    extraEnv: [{name: NOTE, value: <note value-variable>}, {name: DATABASE_PASSWORD, value: <secret unknown>}]
    annotations: {note: <note value-annotation>}
ingress: {annotations: {note: <note value-ingress>}}
"""
"""What people write into values although the chart would read it from Secrets; see `hallmark clauses`, SEC-1."""


@dataclass
class ClusterPlanter:
    """Puts secrets into a cluster where people put them.

    Attributes:
        environment: Variables that lead `kubectl` and Helm to it.
        known: Name of a secret in Secrets Manager that the cluster may read.
        places: Where something was planted.
    """

    environment: Mapping[str, str]
    known: str
    places: list[str] = field(default_factory=list)

    def plant(self) -> None:
        """Plant in every kind of place, and wait until everybody has seen it."""
        self._kubectl("apply", "-f", "-", stdin=self._filled((ROOT / "tests/leaks/cluster.yaml").read_text()))
        self._upgrade()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._annotate, (*ANNOTATED, "namespaces")))
        self._await("job/notes", "Complete", "default")
        self._await("externalsecret/filled", "Ready", NAMESPACE)
        self._await("externalsecret/broken", "Ready=false", NAMESPACE)
        self._kubectl("wait", "pod/notes", "-n", "default", "--for=jsonpath={.status.phase}=Failed", "--timeout=120s")
        self._kubectl("rollout", "status", "deployment/langsmith-frontend", "-n", NAMESPACE, "--timeout=120s")

    def plant_where_faults_work(self) -> None:
        """Plant in what a fault changes and so would have to write down: roles, and names in the store."""
        role, key = "eks.amazonaws.com/role-arn", SECRETS["API key"]
        for account in self._objects("serviceaccounts"):
            if role in account["metadata"].get("annotations", {}):
                self._patch(account, {"metadata": {"annotations": {role: f"arn:aws:iam::111122223333:role/{key}"}}})
        for external in self._objects("externalsecrets"):
            named = [{**each, "remoteRef": {"key": f"langsmith/{key}"}} for each in external["spec"]["data"]]
            self._patch(external, {"spec": {"data": named}})

    def remove_what_never_gets_ready(self) -> None:
        """A deployment waits for every ExternalSecret."""
        self._kubectl("delete", "externalsecret/broken", "-n", NAMESPACE)

    def _upgrade(self) -> None:
        # The values of the release, with a harmless one on the command line and the planted ones in a file.
        words = ("upgrade", NAMESPACE, offline().reference, "-n", NAMESPACE, "--reuse-values")
        more = ("--set", "config.harmless=yes", "-f", "-")
        self._run([sys.executable, "-m", "hallmark.twin.release", *words, *more], self._filled(VALUES))

    def _filled(self, template: str) -> str:
        def text(found: re.Match[str]) -> str:
            match found["what"]:
                case "note":
                    self.places.append(found["which"])
                    return json.dumps(f"planted-{found['which']} {' '.join(SECRETS.values())}")
                case "secret":
                    return json.dumps(SECRETS[found["which"]])
                case "plain":
                    return SECRETS[found["which"]]
            return self.known

        return re.sub(r"<(?P<what>note|secret|plain|known) ?(?P<which>[^>]*)>", text, template)

    def _annotate(self, kind: str) -> None:
        self.places.append(kind)
        note = f"note-{kind}=planted-{kind} {' '.join(SECRETS.values())}"
        self._kubectl("annotate", kind, "--all", "--all-namespaces", note)

    def _await(self, what: str, condition: str, namespace: str) -> None:
        self._kubectl("wait", what, f"--for=condition={condition}", "-n", namespace, "--timeout=120s")

    def _objects(self, kind: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self._kubectl("get", kind, "-n", NAMESPACE, "-o", "json"))["items"]
        return listed

    def _patch(self, one: Mapping[str, Any], change: Mapping[str, Any]) -> None:
        what = f"{one['kind'].lower()}/{one['metadata']['name']}"
        self._kubectl("patch", what, "-n", NAMESPACE, "--type=merge", "-p", json.dumps(change))

    def _kubectl(self, *arguments: str, stdin: str = "") -> str:
        return self._run([deployment.kubectl(), *arguments], stdin)

    def _run(self, command: list[str], stdin: str) -> str:
        done = subprocess.run(
            command, input=stdin, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@dataclass(frozen=True)
class Raw:
    """What the target answered to grades and to the audit; in memory only.

    Attributes:
        wire: What the API server of the cluster sent.
        taken: What the sources made of all answers, before redaction.
        of_cluster: The part of it that is about the cluster.
    """

    wire: str
    taken: str
    of_cluster: str


@dataclass(frozen=True)
class Traces:
    """What was left after everything had been done on a target full of secrets.

    Attributes:
        clone: Where it was done.
        done: Each command with its exit code and everything it said.
        aws: Where something had been planted in AWS.
        cluster: Where something had been planted in the cluster.
        raw: What the target answered.
        key: Where the twin keeps the API key it made for its grades.
    """

    clone: Any
    done: list[tuple[str, int, str]]
    aws: list[str]
    cluster: list[str]
    raw: Raw
    key: Path

    def files(self) -> Iterator[Path]:
        """Every file Hallmark wrote, but for the emulated target itself and what was planted by hand."""
        twin = self.clone.home / "twin"
        target = [twin / name for name in ("snapshots", "autosave", "terraform", "clones")]
        target += [twin / "cluster" / name for name in ("pods", "volumes")]
        target += (twin / "cluster").glob("objects.sqlite*")
        planted = self.clone.root / "work" / "preflight-account"
        for file in self.clone.root.rglob("*"):
            if file.is_file() and not any(file.is_relative_to(place) for place in [*target, planted]):
                yield file


TFVARS = f"""
redis_auth_token  = "{TOKEN}"
postgres_password = "{PASSWORD}"
license           = {{ key = "{SECRETS["license key"]}" }}
database_url      = "{SECRETS["database URL"]}"
cache_url         = "{SECRETS["cache URL"]}"
access_key        = "{SECRETS["access key id"]}"
secret_key        = "{SECRETS["secret access key"]}"
api_keys          = ["{SECRETS["API key"]}"]
tls_private_key   = "{SECRETS["private key"]}"
"""
"""What a person may have written into a plan. Appended to what the preflight lab hands out."""


def _plant_files(work: Path) -> None:
    plan = work / "plan.tfvars"
    plan.write_text(plan.read_text() + TFVARS)
    (work / "backend.tfbackend").write_text(f'bucket = "b"\nsecret_key = "{SECRETS["secret access key"]}"\n')
    (work / "broken.tf").write_text(f'variable "x" {{ default = "{PASSWORD}" "{TOKEN}" }}\n')
    (work / "notes.txt").write_text("\n".join(SECRETS.values()))


@pytest.fixture(scope="module")
def traces(clone: Callable[[], Any]) -> Traces:
    """Everything a learner does, done on a target full of secrets; first without, then with those faults refuse."""
    mine = clone()
    mine.environment.update(ENVIRONMENT)
    done: list[tuple[str, int, str]] = []

    def run(*arguments: str) -> None:
        ended = mine.run(*arguments)
        done.append((" ".join(arguments), ended.returncode, ended.stdout + ended.stderr))

    run("twin", "up")
    aws = Planter(mine.twin.clients, "hallmark-twin-eks")
    aws.plant()
    cluster = ClusterPlanter(mine.twin.environment(), aws.known())
    cluster.plant()
    run("lab", "start", "preflight-account")
    _plant_files(mine.root / "work" / "preflight-account")
    run("fault", "inject", next(iter(FAULTS)), "--dry-run")
    for lab in FAULTS:
        for verb in (("fault", "inject", lab), ("grade", lab), ("revert",)):
            run(*verb)
    aws.plant_where_faults_work()
    aws.plant_what_does_not_last()
    for lab in WITHOUT_FAULT:
        run("grade", lab)
        run("collect", lab, "-o", f"{lab}.json")
        run("grade", lab, "--evidence", f"{lab}.json", "-o", f"again-{lab}")
    aws.plant_what_does_not_last()
    raw = _raw(mine)
    cluster.remove_what_never_gets_ready()
    run("twin", "deploy")
    cluster.plant_where_faults_work()
    for lab, kind in FAULTS.items():
        if kind in RECORDING:
            run("fault", "inject", lab)
    run("audit")
    run("twin", "snapshot", "full")
    run("twin", "down")
    return Traces(mine, done, aws.places, cluster.places, raw, mine.home / "twin" / "edge" / "api-key")


def _raw(mine: Any) -> Raw:
    class Blind:
        """A redactor that lets everything through."""

        def __init__(self, *_: object) -> None: ...

        def redact(self, value: Any) -> Any:
            return value

        texts = redact

        def text(self, value: str) -> str:
            return value

    wire: list[str] = []

    def listen(self: ApiServer, path: str, accept: str = "application/json", **query: str) -> dict[str, Any]:
        answer = asked(self, path, accept, **query)
        wire.extend([json.dumps(answer), *map(_unpacked, answer.get("items", []))])
        return answer

    asked = ApiServer.get
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALLMARK_ROOT", str(mine.root))
        patch.setenv("HALLMARK_HOME", str(mine.home))
        patch.setattr(collect, "Redactor", Blind)
        patch.setattr(ApiServer, "get", listen)
        app = App.of({})
        profile = app.profile()
        audited = collect.collect(app.sources(profile), profile.scope(), survey._leftovers, profile.deadline)
        taken = [audited, *(grade_lab(app, catalog.lab(app.root, lab))[1] for lab in WITHOUT_FAULT)]
    cluster = [
        json.dumps(answer.value) for each in taken for key, answer in each.answers.items() if key.startswith(CLUSTER)
    ]
    return Raw("".join(wire), "".join(each.to_json() for each in taken), "".join(cluster))


def _unpacked(one: Mapping[str, Any]) -> str:
    """What Helm keeps of a release: JSON, gzip, base64, and base64 again by Kubernetes."""
    if one.get("type") != RELEASES:
        return ""
    return gzip.decompress(base64.b64decode(base64.b64decode(one["data"]["release"]))).decode()


def test_every_command_did_its_work(traces: Traces) -> None:
    """A command that stopped at its first line gives nothing away either: that would prove nothing."""
    injects = [(code, text) for name, code, text in traces.done if re.fullmatch(r"fault inject \S+", name)]
    others = [each for each in traces.done if not each[0].startswith(("fault inject", "grade preflight"))]
    first, second = injects[: len(FAULTS)], injects[len(FAULTS) :]

    assert [code for code, _ in first] == [0] * len(FAULTS), first
    assert len(second) >= len(RECORDING)
    assert all("looks like a secret" in text for _, text in second), second
    assert len(list((traces.clone.home / "journal").rglob("*.json"))) == len(FAULTS)
    assert [each for each in others if each[1] not in {0, 1}] == []


def test_the_grade_really_read_the_planted_places(traces: Traces) -> None:
    """Each place, and each secret: without redaction they would be in the evidence."""
    unread = [place for place in traces.aws if f"planted-{place}" not in traces.raw.taken]

    assert unread == []
    assert found_in(traces.raw.taken) == set(NEEDLES)


def test_what_is_planted_in_the_cluster_never_leaves_its_source(traces: Traces) -> None:
    """The API server sends every place that is asked for; already the source lets nothing of it through.

    What it lets through are texts of names that are kept, such as a label `owner`: shapes are cut out of them later.
    """
    sent = {place for place in traces.cluster if any(form in traces.raw.wire for form in forms(f"planted-{place}"))}

    assert sorted(set(traces.cluster) - sent) == sorted(NEVER_ASKED)
    assert [place for place in traces.cluster if f"planted-{place}" in traces.raw.of_cluster] == []
    assert found_in(traces.raw.wire) == set(NEEDLES)
    assert found_in(traces.raw.of_cluster) == {SECRETS["API key"], SECRETS["access key id"]}


def test_no_file_holds_a_planted_secret(traces: Traces) -> None:
    """Evidence, scorecards, journals, attempts, logs of every process, what containers said: none, in no form."""
    files = list(traces.files())
    names = {file.name for file in files}

    assert {"evidence.json", "scorecard.json", "scorecard.html", "scorecard.xml", "values.yaml", "0.log"} <= names
    assert {"server.log", "controllers.log", "kubelet.log", "external-secrets.log"} <= names
    assert {str(file): found for file in files if (found := found_in(file.read_text(errors="replace")))} == {}


def test_the_key_the_twin_made_is_where_it_is_kept_and_nowhere_else(traces: Traces) -> None:
    """A grade sends it to the platform: the answers, files, logs and outputs do not tell it."""
    kept = forms(traces.key.read_text())
    texts = {str(file): file.read_text(errors="replace") for file in traces.files() if file != traces.key}
    texts |= {name: text for name, _, text in traces.done} | {"raw": traces.raw.taken + traces.raw.wire}

    assert '"platform.round_trip{}": {"code": "",' in traces.raw.taken
    assert [name for name, text in texts.items() if any(form in text for form in kept)] == []
    assert traces.key.stat().st_mode & 0o777 == 0o600


def test_no_output_holds_a_planted_secret(traces: Traces) -> None:
    """Standard output and standard error of every command."""
    assert {name: found for name, _, text in traces.done if (found := found_in(text))} == {}
