# The control plane is closed to the world, and node types are checked before they are paid for.

mock_provider "aws" {
  override_data {
    target = data.aws_ec2_instance_type.general
    values = { instance_type = "m6i.2xlarge", default_vcpus = 8, memory_size = 32768 }
  }

  override_data {
    target = data.aws_ec2_instance_type.clickhouse
    values = {
      instance_type                       = "m6in.4xlarge"
      default_vcpus                       = 16
      memory_size                         = 65536
      ebs_performance_baseline_throughput = 1562.5
      ebs_performance_baseline_iops       = 50000
    }
  }

  override_resource {
    target          = aws_iam_openid_connect_provider.this
    override_during = plan
    values          = { arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC" }
  }
}

variables {
  cluster_name       = "hallmark-test-eks"
  kubernetes_version = "1.35"
  private_subnet_ids = ["subnet-a", "subnet-b", "subnet-c"]
  api_access_cidrs   = ["198.51.100.0/24"]
  kms_key_arn        = "arn:aws:kms:us-east-1:111122223333:key/k"
  general_nodes      = { instance_type = "m6i.2xlarge", min_size = 2, max_size = 6 }
  clickhouse_nodes   = { instance_type = "m6in.4xlarge", min_size = 1, max_size = 2 }
  log_retention_days = 30
}

run "control_plane" {
  command = plan

  module {
    source = "../modules/cluster"
  }

  assert {
    condition     = toset(aws_eks_cluster.this.vpc_config[0].subnet_ids) == toset(var.private_subnet_ids)
    error_message = "The control plane's interfaces lie in private subnets only."
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "Nodes reach the API without leaving the VPC."
  }

  assert {
    condition     = toset(aws_eks_cluster.this.vpc_config[0].public_access_cidrs) == toset(["198.51.100.0/24"])
    error_message = "The public endpoint is open to the given networks only."
  }

  assert {
    condition     = length(aws_eks_cluster.this.enabled_cluster_log_types) == 5
    error_message = "All five control-plane logs are on."
  }

  assert {
    condition     = aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == var.kms_key_arn
    error_message = "Kubernetes Secrets are encrypted with the given key."
  }

  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API"
    error_message = "Access is by entries."
  }

  assert {
    condition     = aws_eks_cluster.this.upgrade_policy[0].support_type == "STANDARD"
    error_message = "No silent move to extended support."
  }
}

run "nodes" {
  command = plan

  module {
    source = "../modules/cluster"
  }

  assert {
    condition     = toset(aws_eks_node_group.this["general"].subnet_ids) == toset(var.private_subnet_ids)
    error_message = "General nodes lie in the private subnets."
  }

  assert {
    condition     = toset(aws_eks_node_group.this["clickhouse"].subnet_ids) == toset(["subnet-a"])
    error_message = "ClickHouse nodes stay in the zone of their volume."
  }

  assert {
    condition = alltrue([
      for g in aws_eks_node_group.this : g.scaling_config[0].max_size > g.scaling_config[0].desired_size
    ])
    error_message = "Cluster Autoscaler has room to add a node."
  }

  assert {
    condition     = one(aws_eks_node_group.this["clickhouse"].taint).effect == "NO_SCHEDULE" && length(aws_eks_node_group.this["general"].taint) == 0
    error_message = "Only the ClickHouse nodes are reserved."
  }

  assert {
    condition = (
      aws_launch_template.node.metadata_options[0].http_tokens == "required"
      && aws_launch_template.node.metadata_options[0].http_put_response_hop_limit == 1
    )
    error_message = "Pods cannot reach the node's credentials."
  }

  assert {
    condition     = aws_launch_template.node.block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "Root volumes are encrypted."
  }

  assert {
    condition     = toset(keys(aws_iam_role_policy_attachment.node)) == toset(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore"])
    error_message = "The node role holds what a node needs, and nothing of the application's."
  }

  assert {
    condition     = alltrue([for name in ["vpc-cni", "coredns", "kube-proxy", "aws-ebs-csi-driver", "metrics-server", "amazon-cloudwatch-observability"] : contains(keys(aws_eks_addon.this), name)])
    error_message = "All add-ons of the reference are there."
  }
}

run "api_without_networks_is_private" {
  command = plan

  module {
    source = "../modules/cluster"
  }

  variables {
    api_access_cidrs = []
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access == false
    error_message = "No networks, no public endpoint."
  }
}

run "api_open_to_the_world_is_refused" {
  command = plan

  module {
    source = "../modules/cluster"
  }

  variables {
    api_access_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.api_access_cidrs]
}

run "api_open_to_half_the_world_is_refused" {
  command = plan

  module {
    source = "../modules/cluster"
  }

  variables {
    api_access_cidrs = ["0.0.0.0/1", "128.0.0.0/1"]
  }

  expect_failures = [var.api_access_cidrs]
}

run "group_that_cannot_grow_is_refused" {
  command = plan

  module {
    source = "../modules/cluster"
  }

  variables {
    general_nodes = { instance_type = "m6i.2xlarge", min_size = 3, max_size = 3 }
  }

  expect_failures = [var.general_nodes]
}

run "too_little_capacity_is_refused" {
  command = plan

  module {
    source = "../modules/cluster"
  }

  variables {
    general_nodes = { instance_type = "m6i.2xlarge", min_size = 1, max_size = 3 }
  }

  expect_failures = [data.aws_ec2_instance_type.general]
}

# m5.4xlarge, the official default: large enough, but its EBS baseline is 594 MB/s.
run "slow_clickhouse_node_is_refused" {
  command = plan

  module {
    source = "../modules/cluster"
  }

  variables {
    clickhouse_nodes = { instance_type = "m5.4xlarge", min_size = 1, max_size = 2 }
  }

  override_data {
    target = data.aws_ec2_instance_type.clickhouse
    values = {
      instance_type                       = "m5.4xlarge"
      default_vcpus                       = 16
      memory_size                         = 65536
      ebs_performance_baseline_throughput = 593.75
      ebs_performance_baseline_iops       = 18750
    }
  }

  expect_failures = [data.aws_ec2_instance_type.clickhouse]
}
