"""Measurements that the project publishes; each writes its page below `results/`."""
