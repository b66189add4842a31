"""Tables that the migrations make. They are ours: the product's are others."""

POSTGRES = (
    """create table if not exists organizations (
        id uuid primary key, display_name text not null, created_at timestamptz not null default now())""",
    """create table if not exists tenants (
        id uuid primary key, organization_id uuid not null references organizations (id), display_name text not null,
        created_at timestamptz not null default now())""",
    """create table if not exists users (
        id uuid primary key, organization_id uuid not null references organizations (id), email text not null unique,
        password_hash text not null, created_at timestamptz not null default now())""",
    """create table if not exists api_keys (
        id uuid primary key, tenant_id uuid not null references tenants (id), user_id uuid references users (id),
        hash text not null unique, short_key text not null, description text not null,
        created_at timestamptz not null default now(), expires_at timestamptz)""",
    """create table if not exists tracer_session (
        id uuid primary key, tenant_id uuid not null references tenants (id), name text not null, description text,
        extra jsonb, reference_dataset_id uuid, trace_tier text not null default 'shortlived',
        start_time timestamptz not null default now(), end_time timestamptz, unique (tenant_id, name))""",
    """create table if not exists datasets (
        id uuid primary key, tenant_id uuid not null references tenants (id), name text not null, description text,
        data_type text not null default 'kv', extra jsonb, inputs_schema_definition jsonb,
        outputs_schema_definition jsonb, created_at timestamptz not null default now(),
        modified_at timestamptz not null default now(), unique (tenant_id, name))""",
    """create table if not exists examples (
        id uuid primary key, dataset_id uuid not null references datasets (id) on delete cascade, inputs jsonb,
        outputs jsonb, metadata jsonb, source_run_id uuid, created_at timestamptz not null default now(),
        modified_at timestamptz not null default now())""",
    "create index if not exists examples_of on examples (dataset_id, created_at)",
)

_TEXTS = (
    "name", "run_type", "dotted_order", "error", "inputs", "inputs_s3", "outputs", "outputs_s3", "extra",
    "events", "serialized", "tags",
)  # fmt: skip
_IDENTITIES = ("trace_id", "session_id", "parent_run_id", "reference_example_id")
_MOMENT = "Nullable(DateTime64(6, 'UTC'))"


def _latest(name: str, kind: str) -> str:
    # Parts of a run are merged column by column: the latest value that is given stands.
    return f"{name} SimpleAggregateFunction(anyLast, {kind})"


def _table(name: str, *columns: str) -> str:
    inside = ", ".join(("tenant_id UUID", "id UUID", *columns))
    return f"CREATE TABLE IF NOT EXISTS {name} ({inside}) ENGINE = AggregatingMergeTree ORDER BY (tenant_id, id)"


CLICKHOUSE = (
    _table(
        "runs",
        *(_latest(name, "Nullable(UUID)") for name in _IDENTITIES),
        *(_latest(name, "Nullable(String)") for name in _TEXTS),
        *(_latest(name, _MOMENT) for name in ("start_time", "end_time")),
    ),
    _table(
        "feedback",
        *(_latest(name, "Nullable(UUID)") for name in ("run_id", "trace_id", "session_id")),
        *(
            _latest(n, "Nullable(String)")
            for n in ("key", "comment", "value", "correction", "feedback_source", "extra")
        ),
        _latest("score", "Nullable(Float64)"),
        *(_latest(name, _MOMENT) for name in ("created_at", "modified_at")),
    ),
)
