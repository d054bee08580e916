"""SessionTimeline: keys and sessions on a time axis."""
