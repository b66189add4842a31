"""Nodes: one Node object for each instance of a managed node group, as EKS and its images make them."""

from hallmark.twin.controllers.aws.nodes.controller import Nodes

__all__ = ["Nodes"]
