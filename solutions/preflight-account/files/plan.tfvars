# A plan that meets the reference. terraform/baseline takes it as it is.

region      = "us-east-1"
name_prefix = "hallmark"
environment = "lab"
owner       = "learner"
lab         = "preflight-account"
expires     = "2099-12-31"
disposable  = true

# Edge.
domain = "hallmark.example"
host   = "langsmith.hallmark.example"

# Network.
availability_zones = ["us-east-1a", "us-east-1b", "us-east-1c"]

# Cluster. 16 vCPU and 64 GiB without the ClickHouse node.
kubernetes_version = "1.35"
api_access_cidrs   = ["203.0.113.0/24"]
general_nodes      = { instance_type = "m6i.2xlarge", min_size = 2, max_size = 6 }
clickhouse_nodes   = { instance_type = "m6in.4xlarge", min_size = 1, max_size = 2 }

# Data stores. Passwords and tokens are generated into Secrets Manager.
postgres_version = "16"
