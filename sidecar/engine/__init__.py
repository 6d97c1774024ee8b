"""From the rundown to encoded packets: the playout thread, its clock and its encoder."""
