"""The plan: what the variables ask for, against the reference and against the account."""

import re
from ipaddress import ip_network
from typing import Any, NoReturn

import pytest

from hallmark.errors import Miss
from hallmark.views.base import View
from hallmark.views.terraform import Terraform
from hallmark.views.workstation import NODE_GROUPS, ZONES, Workstation

STATED = ("region", "domain", "host", "kubernetes_version", "api_access_cidrs", "postgres_version")
"""What a plan has to state beside its nodes: everything that is graded."""
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
GIB = 1024
OLDEST_POSTGRES = 14
# The reference asks for about 7000 IOPS and 1000 MiB/s; 10 % less IOPS are tolerated, an instance's throughput only
# warned about (decision D9). 1000 MiB/s are 1049 MB/s.
LOWEST_IOPS = 6300
CLICKHOUSE_MBPS = 1049
WIDEST_PREFIX = 16


@pytest.mark.check(
    "ART-1",
    points=1,
    why="A value nobody wrote down is a value nobody has decided.",
)
def test_plan_is_stated(workstation: Workstation) -> None:
    """The plan is there, parses, and states everything the preflight decides on."""
    found = workstation.plan_files
    if found is None or not any(file.endswith(".tfvars") for file in found.files):
        _no_plan(workstation, "no such folder" if found is None else "no .tfvars file in it")
    if found.problems:
        where = found.problems[0].split(" ")[0]
        raise Miss(
            expected="a file that parses", observed=found.problems[0], where=where, next=f"terraform fmt {where}"
        )
    missing = [name for name in STATED if workstation.plan.get(name) in (None, "")]
    planned = {node.name for node in workstation.planned_nodes}
    missing += [f"{name} with instance_type and min_size" for name in NODE_GROUPS if name not in planned]
    if missing:
        raise Miss(
            expected="every value that is graded",
            observed=f"not stated: {', '.join(missing)}",
            where=workstation.scope("terraform"),
            next="grep -A 3 '^variable' terraform/baseline/variables.tf",
        )


@pytest.mark.check(
    "ART-1",
    points=1,
    requires=["plan_is_stated"],
    why="What nobody answers for and nobody expects to end runs, and costs, for years.",
)
def test_plan_has_an_owner(terraform: Terraform) -> None:
    """The plan says who answers for it, and until when."""
    owner, expires = (str(terraform.values.get(name) or "") for name in ("owner", "expires"))
    today = terraform.evidence.collected_at[:10]
    # Dates that are written YYYY-MM-DD sort as time does.
    if not owner.strip() or not DAY.fullmatch(expires) or expires < today:
        raise Miss(
            expected=f"an owner, and an expiry of {today} or later",
            observed=f"owner {owner or 'not stated'}, expires {expires or 'not stated'}",
            where=terraform.folder,
            next="grep -A 3 -E 'variable \"(owner|expires)\"' terraform/baseline/variables.tf",
        )


@pytest.mark.check(
    "SB-2",
    points=3,
    why="A plan is mailed, committed and pasted. A secret in it is public the same day.",
)
def test_no_secret_in_plan(terraform: Terraform) -> None:
    """No file of the plan holds a secret in clear."""
    if terraform.inventory is None or not terraform.inventory.files:
        _no_plan(terraform, "no such folder" if terraform.inventory is None else "an empty folder")
    if findings := terraform.findings:
        raise Miss(
            expected="no secret: terraform/modules/secrets generates them into Secrets Manager",
            observed="; ".join(map(str, findings)),
            where=f"{findings[0].file}:{findings[0].line}",
            next=f"${{EDITOR:-vi}} +{findings[0].line} {findings[0].file}",
        )


@pytest.mark.check(
    "ART-1",
    points=1,
    requires=["plan_is_stated", "region_has_zones"],
    why="A plan for another region passes every check here and fails when it is applied.",
)
def test_plan_is_for_this_region(workstation: Workstation) -> None:
    """The plan is for the region that is graded, and its zones are zones of it."""
    region = workstation.scope("region")
    if workstation.plan["region"] != region:
        _miss(workstation, "region", f'"{region}"', workstation.plan["region"])
    unknown = [zone for zone in workstation.planned_zones if zone not in workstation.zones]
    if unknown:
        _miss(workstation, "availability_zones", f"zones of {region}", f"unknown: {', '.join(unknown)}")


@pytest.mark.check(
    "NET-3",
    points=2,
    requires=["plan_is_for_this_region"],
    why="In one zone the load balancer and the database's subnet group cannot even be created.",
)
def test_plan_spreads_over_zones(workstation: Workstation) -> None:
    """The plan spreads over three Availability Zones."""
    zones = workstation.planned_zones
    if len(set(zones)) < ZONES:
        _miss(workstation, "availability_zones", f"{ZONES} zones, or [] for the region's first three", ", ".join(zones))


@pytest.mark.check(
    "CMP-2",
    points=2,
    requires=["plan_is_for_this_region"],
    why="A node group whose type a zone does not offer ends in CREATE_FAILED a quarter of an hour later.",
)
def test_types_are_offered(workstation: Workstation) -> None:
    """The planned instance types exist and are offered in the zones the plan uses."""
    for node in workstation.planned_nodes:
        # ClickHouse's volume lives in one zone: its group is in the first (terraform/modules/cluster).
        zones = workstation.planned_zones if node.name == "general_nodes" else workstation.planned_zones[:1]
        lacking = [zone for zone in zones if (node.type, zone) not in workstation.offered]
        if lacking or not zones:
            expected = f"a type offered in {', '.join(zones) or 'a zone'}"
            _miss(workstation, node.name, expected, f"{node.type} is not offered in {', '.join(lacking)}")


@pytest.mark.check(
    "CMP-5",
    points=2,
    requires=["types_are_offered"],
    why="With less, pods stay pending before the first trace arrives.",
)
def test_planned_cpu(workstation: Workstation) -> None:
    """The planned nodes offer 16 vCPU or more at their smallest."""
    total = sum(workstation.planned_types[node.type].vcpus * node.size for node in workstation.planned_nodes)
    if total < 16:
        _miss(workstation, "general_nodes", "16 vCPU over all node groups at min_size", f"{total} vCPU")


@pytest.mark.check(
    "CMP-6",
    points=2,
    requires=["types_are_offered"],
    why="With less, nodes evict pods under load.",
)
def test_planned_memory(workstation: Workstation) -> None:
    """The planned nodes offer 64 GiB of memory or more at their smallest."""
    total = sum(workstation.planned_types[node.type].memory_mib * node.size for node in workstation.planned_nodes)
    if total < 64 * GIB:
        _miss(workstation, "general_nodes", "64 GiB over all node groups at min_size", f"{total / GIB:g} GiB")


@pytest.mark.check(
    "CH-1",
    "CH-2",
    points=2,
    requires=["types_are_offered"],
    why="ClickHouse may use 8 vCPU and 32 GB; a node that has no more than that cannot run anything beside it.",
)
def test_clickhouse_fits_its_node(workstation: Workstation) -> None:
    """The planned ClickHouse node has 8 vCPU or more, and more than 32 GiB."""
    planned = {node.name: workstation.planned_types[node.type] for node in workstation.planned_nodes}
    kind = planned["clickhouse_nodes"]
    if kind.vcpus < 8 or kind.memory_mib <= 32 * GIB:
        found = f"{kind.name}: {kind.vcpus} vCPU, {kind.memory_mib / GIB:g} GiB"
        _miss(workstation, "clickhouse_nodes", "8 vCPU or more, and more than 32 GiB", found)


@pytest.mark.check(
    "CH-4",
    points=2,
    requires=["types_are_offered"],
    why="A fast volume on a slow instance is a slow volume.",
)
def test_clickhouse_disk_is_fast(workstation: Workstation) -> str | None:
    """The planned ClickHouse node sustains about 7000 IOPS to its volumes."""
    planned = {node.name: workstation.planned_types[node.type] for node in workstation.planned_nodes}
    kind = planned["clickhouse_nodes"]
    if kind.ebs_iops < LOWEST_IOPS:
        found = f"{kind.name} sustains {kind.ebs_iops} IOPS"
        _miss(workstation, "clickhouse_nodes", f"a type that sustains {LOWEST_IOPS} IOPS or more", found)
    if kind.ebs_mbps < CLICKHOUSE_MBPS:
        return f"{kind.name} sustains {kind.ebs_mbps:g} MB/s to its volumes, less than {CLICKHOUSE_MBPS}"
    if not workstation.volumes_encrypted_by_default:
        return "EBS does not encrypt by default here: the StorageClass has to ask for it"
    return None


@pytest.mark.check(
    "ART-1",
    points=2,
    requires=["types_are_offered"],
    why="A quota is raised in days, not minutes, and an apply that meets one stops half-way.",
)
def test_quotas_suffice(workstation: Workstation) -> None:
    """The account's service quotas leave room for the plan."""
    short = [each for each in workstation.headrooms if not each.is_enough]
    if short:
        quota = short[0].quota
        wanted = f"--service-code {quota.service} --quota-code {quota.code}"
        raise Miss(
            expected="used plus needed within every quota",
            observed="; ".join(map(str, short)),
            where=f"quota {quota.code}",
            next=f"aws service-quotas request-service-quota-increase {wanted} "
            f"--desired-value {short[0].used + short[0].needed}",
        )


@pytest.mark.check(
    "CMP-1",
    points=2,
    requires=["plan_is_stated"],
    why="A cluster in extended support costs six times as much; without support it is upgraded on AWS's day.",
)
def test_version_is_supported(workstation: Workstation) -> None:
    """The planned Kubernetes version is in AWS's standard support."""
    version = str(workstation.plan["kubernetes_version"])
    if version not in workstation.supported_versions:
        supported = ", ".join(sorted(workstation.supported_versions))
        _miss(workstation, "kubernetes_version", f"one of {supported}", version)


@pytest.mark.check(
    "PG-2",
    points=1,
    requires=["plan_is_stated"],
    why="LangSmith's migrations need functions that older PostgreSQL does not have.",
)
def test_postgres_is_new_enough(workstation: Workstation) -> None:
    """The planned PostgreSQL is version 14 or later."""
    version = str(workstation.plan["postgres_version"])
    major = version.partition(".")[0]
    if not major.isdigit() or int(major) < OLDEST_POSTGRES:
        _miss(workstation, "postgres_version", f"{OLDEST_POSTGRES} or later", version)


@pytest.mark.check(
    "SB-6",
    points=1,
    requires=["plan_is_stated"],
    why="An API server that everybody can reach is one stolen token away from being everybody's.",
)
def test_api_is_restricted(workstation: Workstation) -> None:
    """The planned Kubernetes API endpoint is open to known networks only."""
    wide = [text for text in map(str, workstation.plan["api_access_cidrs"]) if not _is_narrow(text)]
    if wide:
        _miss(workstation, "api_access_cidrs", f"networks of /{WIDEST_PREFIX} or smaller", ", ".join(wide))


@pytest.mark.check(
    "ARCH-2",
    points=1,
    requires=["plan_is_stated"],
    why="A record outside its zone is never asked for, and the certificate never issues.",
)
def test_host_is_in_zone(workstation: Workstation) -> None:
    """The planned host lies in the Route 53 zone that the plan makes or names."""
    plan = workstation.plan
    host, domain = str(plan["host"]), str(plan["domain"])
    if not _is_within(host, domain):
        _miss(workstation, "host", f"a name inside {domain}", host)
    if plan.get("create_zone", True) is False and not _is_within(host, workstation.zone_name):
        _miss(workstation, "zone_id", f"the id of a hosted zone for {domain}", plan.get("zone_id", "not stated"))


def _no_plan(view: View, observed: str) -> NoReturn:
    raise Miss(
        expected="a plan in a .tfvars file",
        observed=observed,
        where=view.scope("terraform"),
        next="hallmark lab start preflight-account",
    )


def _is_within(host: str, domain: str) -> bool:
    return bool(domain) and host.lower().endswith("." + domain.lower())


def _is_narrow(text: str) -> bool:
    """Whether a text is an address range that somebody can own."""
    try:
        return ip_network(text, strict=False).prefixlen >= WIDEST_PREFIX
    except ValueError:
        return False


def _miss(workstation: Workstation, variable: str, expected: str, observed: Any) -> NoReturn:
    folder = workstation.scope("terraform")
    raise Miss(
        expected=f"{variable}: {expected}",
        observed=observed,
        where=f"{variable} in {folder}",
        next=f"grep -A 3 'variable \"{variable}\"' terraform/baseline/variables.tf",
    )
