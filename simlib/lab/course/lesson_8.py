"""What lesson 8 asks its reader to predict and to make."""

from __future__ import annotations

from simlib.lab.exercises import Exercise
from simlib.lab.predictions import Prediction

TITLE = ""
QUESTIONS: dict[str, Prediction] = {}
EXERCISES: dict[str, Exercise] = {}
