"""Kinds of products, a file each; see `stormdraw.report.product`."""
