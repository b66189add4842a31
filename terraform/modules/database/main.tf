# PostgreSQL for LangSmith's metadata: encrypted, private, backed up, reachable from the cluster and from nowhere else.

locals {
  major_version = split(".", var.engine_version)[0]
}

resource "aws_db_subnet_group" "this" {
  name        = "${var.name}-pg"
  description = "Private subnets of ${var.name}"
  subnet_ids  = var.private_subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-pg"
  description = "PostgreSQL of ${var.name}: from nodes and pods only"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-pg" }
}

resource "aws_vpc_security_group_ingress_rule" "nodes" {
  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from nodes and pods"
  referenced_security_group_id = var.node_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_db_parameter_group" "this" {
  name        = "${var.name}-pg${local.major_version}"
  description = "PostgreSQL ${local.major_version} of ${var.name}"
  family      = "postgres${local.major_version}"

  # The default since PostgreSQL 15, written down so that nobody turns it off unseen.
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
}

# RDS would create this group itself and keep its logs for ever.
resource "aws_cloudwatch_log_group" "postgresql" {
  name              = "/aws/rds/instance/${var.name}-pg/postgresql"
  retention_in_days = var.log_retention_days
}

# Gives each database its own final snapshot: a fixed name collides on the second destroy.
resource "terraform_data" "snapshot" {
  input = var.name
}

resource "aws_db_instance" "this" {
  identifier     = "${var.name}-pg"
  engine         = "postgres"
  engine_version = var.engine_version
  instance_class = var.instance_class

  storage_type          = "gp3"
  allocated_storage     = var.storage_gib
  max_allocated_storage = var.max_storage_gib
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  db_name             = "langsmith"
  username            = "langsmith"
  password_wo         = var.password
  password_wo_version = 1

  multi_az               = var.multi_az
  publicly_accessible    = false
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  parameter_group_name   = aws_db_parameter_group.this.name

  backup_retention_period = var.backup_retention_days
  copy_tags_to_snapshot   = true

  auto_minor_version_upgrade      = true
  enabled_cloudwatch_logs_exports = ["postgresql"]

  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = var.skip_final_snapshot
  final_snapshot_identifier = "${var.name}-pg-final-${substr(terraform_data.snapshot.id, 0, 8)}"

  depends_on = [aws_cloudwatch_log_group.postgresql]
}
