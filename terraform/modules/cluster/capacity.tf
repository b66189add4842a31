# Node types are checked against AWS's own figures while planning: what is too small here shows up much later, as
# Pending pods or a slow ClickHouse.

data "aws_ec2_instance_type" "general" {
  instance_type = var.general_nodes.instance_type

  lifecycle {
    postcondition {
      condition = (
        self.default_vcpus * var.general_nodes.min_size >= 16
        && self.memory_size * var.general_nodes.min_size >= 64 * 1024
      )
      error_message = "The general nodes offer less than 16 vCPU and 64 GiB at min_size. Use more or larger nodes."
    }
  }
}

data "aws_ec2_instance_type" "clickhouse" {
  instance_type = var.clickhouse_nodes.instance_type

  lifecycle {
    postcondition {
      condition     = self.default_vcpus > 8 && self.memory_size > 32 * 1024
      error_message = "ClickHouse alone takes 8 vCPU and 32 GiB: its node has to be larger than that."
    }

    # 1,000 MiB/s is 1,049 MB/s. The baseline counts: bursts end after half an hour.
    postcondition {
      condition     = self.ebs_performance_baseline_throughput >= 1049 && self.ebs_performance_baseline_iops >= 7000
      error_message = "This instance type cannot carry the ClickHouse volume: its EBS baseline is below 1,049 MB/s or 7,000 IOPS."
    }
  }
}
