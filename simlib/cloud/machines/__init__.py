"""EC2 instances used from inside: metadata, the AWS CLI, a session of their own."""
