"""The REST routes, a file for each group of the interface's reference (magento-rest.md)."""
