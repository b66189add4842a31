# PostgreSQL is private, encrypted, backed up and reachable from the cluster only.

mock_provider "aws" {}

variables {
  name                   = "hallmark-test"
  vpc_id                 = "vpc-1"
  private_subnet_ids     = ["subnet-a", "subnet-b", "subnet-c"]
  node_security_group_id = "sg-nodes"
  kms_key_arn            = "arn:aws:kms:us-east-1:111122223333:key/k"
  password               = "only-for-this-plan"
  secret_prefix          = "hallmark-test/"
  secret_recovery_days   = 30
  instance_class         = "db.t4g.large"
  deletion_protection    = true
  skip_final_snapshot    = false
  log_retention_days     = 30
}

run "database" {
  command = plan

  module {
    source = "../modules/database"
  }

  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.publicly_accessible == false
    error_message = "Encrypted and not public."
  }

  assert {
    condition     = aws_db_instance.this.engine == "postgres" && aws_db_instance.this.engine_version == "16"
    error_message = "PostgreSQL 16."
  }

  assert {
    condition     = aws_db_instance.this.backup_retention_period == 7 && aws_db_instance.this.deletion_protection
    error_message = "A week of backups, and protected from deletion."
  }

  assert {
    condition     = aws_db_instance.this.multi_az == false
    error_message = "A single zone unless asked for."
  }

  assert {
    condition     = toset(aws_db_subnet_group.this.subnet_ids) == toset(var.private_subnet_ids)
    error_message = "In the private subnets."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.nodes.referenced_security_group_id == "sg-nodes"
      && aws_vpc_security_group_ingress_rule.nodes.cidr_ipv4 == null
      && aws_vpc_security_group_ingress_rule.nodes.cidr_ipv6 == null
      && aws_vpc_security_group_ingress_rule.nodes.from_port == 5432
      && aws_vpc_security_group_ingress_rule.nodes.to_port == 5432
    )
    error_message = "Nodes and pods may connect to 5432, no network may."
  }

  assert {
    condition     = anytrue([for p in aws_db_parameter_group.this.parameter : p.name == "rds.force_ssl" && p.value == "1"])
    error_message = "Connections without TLS are refused."
  }
}

run "no_backups_are_refused" {
  command = plan

  module {
    source = "../modules/database"
  }

  variables {
    backup_retention_days = 0
  }

  expect_failures = [var.backup_retention_days]
}

run "other_major_version_is_refused" {
  command = plan

  module {
    source = "../modules/database"
  }

  variables {
    engine_version = "13"
  }

  expect_failures = [var.engine_version]
}

run "one_subnet_is_refused" {
  command = plan

  module {
    source = "../modules/database"
  }

  variables {
    private_subnet_ids = ["subnet-a"]
  }

  expect_failures = [var.private_subnet_ids]
}
