"""The hubs: how hot, the one thing to do, the lanes, then the rest."""
