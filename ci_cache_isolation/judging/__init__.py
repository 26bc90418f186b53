"""What is the matter with a test, who is to blame, and the proof: by short runs."""
