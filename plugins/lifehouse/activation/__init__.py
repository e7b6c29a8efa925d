"""Activation: segments reach the platforms exactly, once, and only where allowed.

The flow of one sync (:mod:`lifehouse.activation.run`): **plan** what the platform should hold against what it is known
to hold, **guard**, write the plan to the **outbox** in one transaction, **send** batches under a lease, **settle** what
the platform answered. Killed anywhere and started again, the next sync finishes what the last one began.
"""
