"""What a learner sees and touches: predictions, panels, figures."""
