"""Handlers of ignite's engines that configs name: weights loaded, checkpoints kept."""
