"""What a GPU makes of the networks of the recipes, in the minutes that one has of it."""
