"""Add-ons: what EKS leaves in the cluster for each one, and the Helm releases that the guides have people install."""

from hallmark.twin.controllers.aws.addons.controller import Addons

__all__ = ["Addons"]
