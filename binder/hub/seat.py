"""A learner's server on this machine's hub."""

import os

from jupyterhub.spawner import SimpleLocalProcessSpawner

FIRST_UID = 200_000  # above what systems give to users, and to their containers' first ones


class Seat(SimpleLocalProcessSpawner):
    """Where learners are kept apart, it runs under a number that no other learner has, and no user of the system."""

    @property
    def uid(self) -> int:
        return FIRST_UID + self.user.id

    def make_preexec_fn(self, name):
        enter = super().make_preexec_fn(name)

        def prepare():
            if os.environ.get("IAM_LAB_HUB_APART"):
                os.setgroups([])
                os.setgid(self.uid)
                os.setuid(self.uid)
                os.umask(0o077)
            enter()

        return prepare
