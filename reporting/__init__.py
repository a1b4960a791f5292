"""What a run leaves for people: its numbers, its pictures and its sound."""
