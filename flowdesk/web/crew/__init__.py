"""Who works in which team: what they can do, how much they have, and who is away."""
