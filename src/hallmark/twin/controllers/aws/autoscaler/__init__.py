"""Cluster Autoscaler: node groups grow for pods that fit nowhere, and shrink when nodes stand empty."""

from hallmark.twin.controllers.aws.autoscaler.controller import Autoscaler

__all__ = ["Autoscaler"]
