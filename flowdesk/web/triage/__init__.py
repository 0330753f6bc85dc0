"""What was read with too little certainty: somebody says yes, or better."""
