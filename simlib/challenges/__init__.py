"""Challenges: break in, lock out, cut down, explain, mend; each a readable file, judged by what really works.

A file under `files` is a challenge, `seeds` fills its names and picks its weak spot, `setting` makes its world by real
calls, `judge` tries it out, `solver` proves that it can be done and by which way. notebooks/writing-challenges.md says
how to write one. Nothing here shows anything: the panel is `simlib.lab.challenge_panel`.
"""

from simlib.challenges.challenge import Challenge, ChallengeFileError, challenges, find

__all__ = ["Challenge", "ChallengeFileError", "challenges", "find"]
