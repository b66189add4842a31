# Two managed node groups. "general" runs everything; "clickhouse" is one zone and one instance type that can really
# deliver the volume's throughput, kept free for ClickHouse by a taint.

resource "aws_iam_role" "node" {
  name        = "${var.cluster_name}-node"
  description = "Worker nodes of ${var.cluster_name}; pods have roles of their own"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset([
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonSSMManagedInstanceCore",
  ])

  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

data "aws_default_tags" "this" {}

resource "aws_launch_template" "node" {
  name        = "${var.cluster_name}-node"
  description = "Encrypted gp3 root volume, IMDSv2 that pods cannot reach"

  # One hop: a packet from a pod's network namespace needs two, so no pod can borrow the node's role.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.node_disk_gib
      encrypted             = true
      delete_on_termination = true
    }
  }

  # Default tags stop at the launch template. Whoever cleans up by tag must see instances and volumes too.
  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(data.aws_default_tags.this.tags, { Name = "${var.cluster_name}-node" })
    }
  }
}

# EKS tags the Auto Scaling group behind each managed group with k8s.io/cluster-autoscaler/enabled and
# k8s.io/cluster-autoscaler/<cluster>, so Cluster Autoscaler finds both without tags of ours.
resource "aws_eks_node_group" "this" {
  for_each = {
    general = {
      settings   = var.general_nodes
      type       = data.aws_ec2_instance_type.general
      subnet_ids = var.private_subnet_ids
      dedicated  = false
    }
    clickhouse = {
      settings = var.clickhouse_nodes
      type     = data.aws_ec2_instance_type.clickhouse
      # A volume cannot leave its zone, so neither can the nodes that mount it.
      subnet_ids = [var.private_subnet_ids[0]]
      dedicated  = true
    }
  }

  cluster_name    = aws_eks_cluster.this.name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = each.value.subnet_ids
  ami_type        = "AL2023_x86_64_STANDARD"
  instance_types  = [each.value.type.instance_type]
  labels          = { "hallmark/pool" = each.key }

  scaling_config {
    min_size     = each.value.settings.min_size
    desired_size = each.value.settings.min_size
    max_size     = each.value.settings.max_size
  }

  update_config {
    max_unavailable = 1
  }

  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }

  dynamic "taint" {
    for_each = each.value.dedicated ? [each.key] : []

    content {
      key    = "hallmark/pool"
      value  = taint.value
      effect = "NO_SCHEDULE"
    }
  }

  # Cluster Autoscaler owns the desired size once the group exists.
  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_iam_role_policy_attachment.node]
}
