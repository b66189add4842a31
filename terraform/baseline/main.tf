# The AWS half of the LangSmith reference architecture. What runs inside the cluster is installed in a second step.

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      app              = "langsmith"
      environment      = var.environment
      managed-by       = "terraform"
      "hallmark:lab"   = var.lab
      "hallmark:owner" = var.owner
      # Whoever cleans up may delete everything that is past this date.
      "hallmark:expires" = var.expires
    }
  }
}

data "aws_caller_identity" "this" {}

data "aws_availability_zones" "this" {
  state = "available"

  # Local Zones and Wavelength Zones are opt-in and have neither RDS nor EKS control planes.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  name          = "${var.name_prefix}-${var.environment}"
  cluster_name  = "${local.name}-eks"
  secret_prefix = "${local.name}/"
  account_id    = data.aws_caller_identity.this.account_id
  zones         = length(var.availability_zones) > 0 ? var.availability_zones : slice(data.aws_availability_zones.this.names, 0, 3)
}

module "encryption" {
  source = "../modules/encryption"

  name                 = local.name
  account_id           = local.account_id
  deletion_window_days = var.disposable ? 7 : 30
}

module "network" {
  source = "../modules/network"

  name                 = local.name
  region               = var.region
  cidr                 = var.vpc_cidr
  availability_zones   = local.zones
  nat_gateway_per_zone = var.nat_gateway_per_zone
}

module "cluster" {
  source = "../modules/cluster"

  cluster_name       = local.cluster_name
  kubernetes_version = var.kubernetes_version
  private_subnet_ids = module.network.private_subnet_ids
  api_access_cidrs   = var.api_access_cidrs
  admin_role_arns    = var.admin_role_arns
  kms_key_arn        = module.encryption.key_arn
  general_nodes      = var.general_nodes
  clickhouse_nodes   = var.clickhouse_nodes
  log_retention_days = var.log_retention_days
}

module "secrets" {
  source = "../modules/secrets"

  prefix           = local.secret_prefix
  kms_key_arn      = module.encryption.key_arn
  recovery_days    = var.disposable ? 0 : 30
  license_stand_in = var.license_stand_in
}

module "database" {
  source = "../modules/database"

  name                   = local.name
  vpc_id                 = module.network.vpc_id
  private_subnet_ids     = module.network.private_subnet_ids
  node_security_group_id = module.cluster.node_security_group_id
  kms_key_arn            = module.encryption.key_arn
  password               = module.secrets.postgres_password
  secret_prefix          = local.secret_prefix
  secret_recovery_days   = var.disposable ? 0 : 30
  engine_version         = var.postgres_version
  instance_class         = var.database_instance_class
  multi_az               = var.database_multi_az
  deletion_protection    = !var.disposable
  skip_final_snapshot    = var.disposable
  log_retention_days     = var.log_retention_days
}

module "cache" {
  source = "../modules/cache"

  name                   = local.name
  vpc_id                 = module.network.vpc_id
  private_subnet_ids     = module.network.private_subnet_ids
  node_security_group_id = module.cluster.node_security_group_id
  kms_key_arn            = module.encryption.key_arn
  auth_token_secret_arn  = module.secrets.redis_auth_token_secret_arn
  secret_prefix          = local.secret_prefix
  secret_recovery_days   = var.disposable ? 0 : 30
  node_type              = var.cache_node_type
}

module "storage" {
  source = "../modules/storage"

  name          = local.name
  account_id    = local.account_id
  region        = var.region
  kms_key_arn   = module.encryption.key_arn
  force_destroy = var.disposable
}

module "edge" {
  source = "../modules/edge"

  name                       = local.name
  domain                     = var.domain
  host                       = var.host
  create_zone                = var.create_zone
  zone_id                    = var.zone_id
  force_destroy_zone         = var.disposable
  vpc_id                     = module.network.vpc_id
  node_security_group_id     = module.cluster.node_security_group_id
  ingress_cidrs              = var.ingress_cidrs
  waf_rate_limit             = var.waf_rate_limit
  waf_ingestion_paths_exempt = var.waf_ingestion_paths_exempt
}

module "identity" {
  source = "../modules/identity"

  region                       = var.region
  account_id                   = local.account_id
  cluster_name                 = module.cluster.cluster_name
  oidc_provider_arn            = module.cluster.oidc_provider_arn
  vpc_id                       = module.network.vpc_id
  node_security_group_id       = module.cluster.node_security_group_id
  application_namespace        = "langsmith"
  application_service_accounts = ["langsmith-backend", "langsmith-platform-backend", "langsmith-queue", "langsmith-ingest-queue"]
  bucket_arn                   = module.storage.bucket_arn
  kms_key_arn                  = module.encryption.key_arn
  secret_prefix                = local.secret_prefix
  web_acl_arn                  = module.edge.web_acl_arn
  zone_id                      = module.edge.zone_id
}

module "observability" {
  source = "../modules/observability"

  name                  = local.name
  region                = var.region
  cluster_name          = module.cluster.cluster_name
  application_namespace = "langsmith"
  log_retention_days    = var.log_retention_days
  alarm_email           = var.alarm_email
  database_identifier   = module.database.identifier
  cache_node_id         = module.cache.node_id
  health_check_id       = module.edge.health_check_id
}
