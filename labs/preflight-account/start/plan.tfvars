# A colleague's plan for terraform/baseline. Nobody has checked it against the reference or the account.

region      = "us-east-1"
name_prefix = "hallmark"
environment = "lab"
lab         = "preflight-account"
disposable  = true

# Edge.
domain = "hallmark.example"
host   = "langsmith.example.net"

# Network.
availability_zones = ["us-east-1a"]

# Cluster.
kubernetes_version = "1.29"
api_access_cidrs   = ["0.0.0.0/0"]
general_nodes      = { instance_type = "m5.large", min_size = 2, max_size = 4 }
clickhouse_nodes   = { instance_type = "t3.xlarge", min_size = 1, max_size = 2 }

# Data stores.
postgres_version = "13"
redis_auth_token = "correct-horse-battery-staple"
