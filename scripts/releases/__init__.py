"""Releases: everything that is published of one commit, made, tried and described."""
