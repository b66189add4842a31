# The plan, corrected.

region      = "us-east-1"
name_prefix = "hallmark"
environment = "twin"
owner       = "learner"
lab         = "deploy-foundation"
expires     = "2099-12-31"
disposable  = true

domain = "hallmark.example"
host   = "langsmith.hallmark.example"

api_access_cidrs = ["203.0.113.0/24"]
ingress_cidrs    = ["203.0.113.0/24"]

# Standard support on 2026-11-24; ask AWS: aws eks describe-cluster-versions --version-status STANDARD_SUPPORT
kubernetes_version = "1.35"

# 2 x 8 vCPU and 2 x 32 GiB at min_size, and room for the autoscaler above it.
general_nodes = { instance_type = "m6i.2xlarge", min_size = 2, max_size = 6 }

# Baseline EBS throughput 1,563 MB/s: more than 1000 MiB/s.
clickhouse_nodes = { instance_type = "m6in.4xlarge", min_size = 1, max_size = 2 }

# 30,000 requests in five minutes are 100 a second from one address: above the SDK's bursts, below an attack.
waf_rate_limit             = 30000
waf_ingestion_paths_exempt = true

license_stand_in = true
