# A colleague's plan. Terraform refuses a part of it. What Terraform accepts does not meet the reference either.

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

kubernetes_version = "1.31"

general_nodes    = { instance_type = "m6i.large", min_size = 2, max_size = 2 }
clickhouse_nodes = { instance_type = "m5.4xlarge", min_size = 1, max_size = 2 }

waf_rate_limit             = null
waf_ingestion_paths_exempt = false

license_stand_in = true
